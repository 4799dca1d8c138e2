"""Who may administer an EKS cluster, and how a program or a person logs in to it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.settings import EksClusterSettings
from components.kubeconfig import login_kubeconfig


class EksAdmins(pulumi.ComponentResource):
    """Access entries of the deployer, of the role that logs in and of further administrators."""

    grants: list[pulumi.Resource]
    """All of them, for as long as anything is in the cluster: each may be who destroys it."""

    def __init__(
        self,
        name: str,
        settings: EksClusterSettings,
        *,
        cluster: aws.eks.Cluster,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:EksAdmins", name, None, opts)
        # Who logs in through a role need not be known to the cluster, and the role must.
        named = settings.deployer or settings.login_role
        self.grants = self._admit(
            f"{name}-deployer",
            named or caller(),
            cluster=cluster,
            tags=tags,
            # Whoever runs the next `pulumi up` must not take the entry away from who ran the first.
            ignore_changes=None if named else ["principal_arn"],
        )
        others = [
            role for role in (settings.login_role, *settings.admins) if role and role != named
        ]
        for admin in others:
            # By what it is and not by its place: to drop one must not touch the others.
            digest = hashlib.sha256(admin.encode()).hexdigest()[:6]
            self.grants += self._admit(
                f"{name}-{admin.split('/')[-1]}-{digest}", admin, cluster=cluster, tags=tags
            )
        self.register_outputs({})

    def _admit(
        self,
        name: str,
        principal: pulumi.Input[str],
        *,
        cluster: aws.eks.Cluster,
        tags: Mapping[str, str],
        ignore_changes: Sequence[str] | None = None,
    ) -> list[pulumi.Resource]:
        entry = aws.eks.AccessEntry(
            name,
            cluster_name=cluster.name,
            principal_arn=principal,
            type="STANDARD",
            tags=dict(tags),
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=[*ignore_changes] if ignore_changes else None
            ),
        )
        grant = aws.eks.AccessPolicyAssociation(
            name,
            cluster_name=cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=pulumi.Output.concat(
                "arn:",
                aws.get_partition_output().partition,
                ":eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            ),
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [entry, grant]


def caller() -> pulumi.Output[str]:
    """ARN of the role or user that runs the program; of the role, where it is a session."""
    identity = aws.get_caller_identity_output()
    return aws.iam.get_session_context_output(arn=identity.arn).issuer_arn


def kubeconfig(
    cluster: aws.eks.Cluster,
    *,
    name: str,
    region: str,
    role: str | None = None,
    profile: str | None = None,
) -> pulumi.Output[str]:
    """A kubeconfig without a credential: it calls the AWS CLI for a token when it is used."""
    arguments = ["eks", "get-token", "--cluster-name", name, "--region", region]
    arguments += ["--output", "json"]
    if role:
        arguments += ["--role-arn", role]
    if profile:
        arguments += ["--profile", profile]
    login: dict[str, Any] = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "aws",
        "args": arguments,
        "interactiveMode": "Never",
        "installHint": "Install version 2 of the AWS CLI.",
    }
    server: dict[str, Any] = {
        "server": cluster.endpoint,
        "certificate-authority-data": cluster.certificate_authority.data,
    }
    return pulumi.Output.secret(
        pulumi.Output.json_dumps(login_kubeconfig(name, server=server, login=login))
    )
