"""EKS's own add-ons: what nodes need before they join, and what needs a node."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pulumi
import pulumi_aws as aws

from components.aws.iam import pod_role
from components.aws.nodes import CNI_POLICY
from components.aws.settings import EksClusterSettings

BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""A node without a network plugin is never Ready, and its group is never created."""

CONFIGURATION = {
    # Without it a NetworkPolicy is accepted and has no effect (EKS user guide, network policies).
    "vpc-cni": json.dumps({"enableNetworkPolicy": "true"})
}
"""What differs from an add-on's defaults, as its own JSON schema has it."""

AFTER_NODES = ("coredns", "snapshot-controller")
"""Deployments, which are never active without a node. The last one serves VolumeSnapshot."""

Identities = Sequence[aws.eks.AddonPodIdentityAssociationArgs]
"""Which role each service account of an add-on acts with."""


def before_nodes(
    name: str,
    settings: EksClusterSettings,
    *,
    cluster: aws.eks.Cluster,
    cluster_name: str,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Those without which no node is Ready; the network plugin maybe with a role of its own."""
    if settings.cni_identity == "node":
        return add_ons(name, settings, BEFORE_NODES, cluster=cluster, tags=tags, opts=opts)
    role = pod_role(
        f"{name}-cni-role",
        settings.iam,
        description=f"Network plugin of {cluster_name}",
        managed_policies=[CNI_POLICY],
        tags=tags,
        opts=opts,
    )
    acts_as = aws.eks.AddonPodIdentityAssociationArgs(role_arn=role.arn, service_account="aws-node")
    return add_ons(
        name,
        settings,
        BEFORE_NODES,
        cluster=cluster,
        tags=tags,
        after=role.grants,
        identities={"vpc-cni": [acts_as]},
        opts=opts,
    )


def add_ons(
    name: str,
    settings: EksClusterSettings,
    wanted: Sequence[str],
    *,
    cluster: aws.eks.Cluster,
    tags: Mapping[str, str],
    after: Sequence[pulumi.Input[pulumi.Resource]] = (),
    identities: Mapping[str, Identities] = MappingProxyType({}),
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Add-ons by name, in the version that the stack file or EKS names, after what is given."""
    return [
        aws.eks.Addon(
            f"{name}-{add_on}",
            cluster_name=cluster.name,
            addon_name=add_on,
            addon_version=settings.addon_versions.get(add_on)
            or aws.eks.get_addon_version_output(
                addon_name=add_on, kubernetes_version=settings.kubernetes_version
            ).version,
            configuration_values=CONFIGURATION.get(add_on),
            pod_identity_associations=identities.get(add_on),
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=dict(tags),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[*after])),
        )
        for add_on in wanted
    ]
