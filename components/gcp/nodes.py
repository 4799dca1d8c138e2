"""Node pools that keep Longhorn's copies: one per zone, replaced one after the other."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import container, projects, serviceaccount

from components.gcp.names import account_id
from components.gcp.settings import GkeClusterSettings

NODE_ROLE = "roles/container.defaultNodeServiceAccount"
"""Least role of a node: write logs and metrics, nothing else (GKE, harden your cluster)."""

CLOUD_PLATFORM = ["https://www.googleapis.com/auth/cloud-platform"]
"""One scope: what a node may do is decided by the roles of its account (GKE, access scopes)."""

NO_LEGACY_ENDPOINTS = {"disable-legacy-endpoints": "true"}
"""GKE sets it in any case; a pool that does not say so is made anew at every update."""


class GkeNodeAccount(pulumi.ComponentResource):
    """Whom the nodes act as: a service account of their own with the least roles."""

    email: pulumi.Output[str]
    """Address of the account."""

    grants: list[pulumi.Resource]
    """Roles that a node needs from its first second to its last."""

    def __init__(
        self,
        name: str,
        *,
        cluster_name: str,
        project: str,
        more_roles: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:GkeNodeAccount", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = serviceaccount.Account(
            f"{name}-account",
            project=project,
            account_id=account_id(cluster_name, "nodes"),
            display_name=f"Nodes of {cluster_name}",
            opts=child,
        )
        self.email = account.email
        self.grants = [
            projects.IAMMember(
                f"{name}-{role.split('/')[-1]}",
                project=project,
                role=role,
                member=account.member,
                opts=child,
            )
            for role in dict.fromkeys([NODE_ROLE, *more_roles])
        ]
        self.register_outputs({"email": self.email})


class GkeNodePools(pulumi.ComponentResource):
    """A node pool in each zone, each of which waits for the one before.

    Whatever changes them, be it an update or a replacement, so reaches one zone at a time.
    """

    pools: list[container.NodePool]
    """The pools, in the order in which they are changed."""

    def __init__(
        self,
        name: str,
        settings: GkeClusterSettings,
        *,
        cluster: container.Cluster,
        account: GkeNodeAccount,
        zones: Sequence[str],
        project: str,
        region: str,
        labels: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:GkeNodePools", name, None, opts)
        self.pools = []
        for zone in zones:
            self.pools.append(
                container.NodePool(
                    f"{name}-{zone.removeprefix(f'{region}-')}",
                    project=project,
                    cluster=cluster.id,
                    location=region,
                    node_locations=[zone],
                    node_count=settings.nodes // len(zones),
                    version=settings.node_version,
                    node_config=_node_config(settings, account, labels),
                    management=container.NodePoolManagementArgs(
                        # A release channel allows neither to be off: the cluster's maintenance
                        # exclusion holds upgrades back.
                        auto_repair=True,
                        auto_upgrade=True,
                    ),
                    upgrade_settings=container.NodePoolUpgradeSettingsArgs(
                        strategy="SURGE", max_surge=1, max_unavailable=0
                    ),
                    node_drain_configs=[
                        container.NodePoolNodeDrainConfigArgs(
                            pdb_timeout_duration=f"{settings.drain_timeout_minutes * 60}s",
                            respect_pdb_during_node_pool_deletion=True,
                        )
                    ],
                    network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        protect=protect_data,
                        retain_on_delete=protect_data,
                        depends_on=[*account.grants, *self.pools[-1:]],
                        # The end of the cluster ends its nodes. Drained one by one, the last
                        # would wait for system pods that no node is left to take.
                        deleted_with=cluster,
                        custom_timeouts=_timeouts(settings),
                    ),
                )
            )
        self.register_outputs({})


def first_node_config(account: GkeNodeAccount) -> container.ClusterNodeConfigArgs:
    """The pool that a cluster is born with and that is removed before ours are made.

    It acts as our account too: the project's default one may be disabled, or own the project.
    """
    return container.ClusterNodeConfigArgs(
        machine_type="e2-medium",
        disk_type="pd-standard",
        disk_size_gb=20,
        service_account=account.email,
        oauth_scopes=CLOUD_PLATFORM,
        metadata=NO_LEGACY_ENDPOINTS,
        shielded_instance_config=container.ClusterNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
    )


def _node_config(
    settings: GkeClusterSettings, account: GkeNodeAccount, labels: Mapping[str, str]
) -> container.NodePoolNodeConfigArgs:
    untainted = None
    if settings.node_architecture() == "arm64":
        # GKE keeps pods off Arm nodes by a taint that Longhorn does not tolerate.
        untainted = container.NodePoolNodeConfigTaintConfigArgs(architecture_taint_behavior="NONE")
    return container.NodePoolNodeConfigArgs(
        machine_type=settings.node_type,
        image_type=settings.node_image,
        disk_type=settings.node_disk_type(),
        disk_size_gb=settings.disk_size_gib,
        boot_disk_kms_key=settings.disk_kms_key,
        service_account=account.email,
        oauth_scopes=CLOUD_PLATFORM,
        metadata=NO_LEGACY_ENDPOINTS,
        resource_labels=dict(labels),
        shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=settings.secure_boot, enable_integrity_monitoring=True
        ),
        workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
            mode="GKE_METADATA"
        ),
        gvnic=container.NodePoolNodeConfigGvnicArgs(enabled=True),
        taint_config=untainted,
    )


def _timeouts(settings: GkeClusterSettings) -> pulumi.CustomTimeouts:
    """Longer than every node of a pool may take to drain, one after the other."""
    drains = settings.nodes // 3 * settings.drain_timeout_minutes
    return pulumi.CustomTimeouts(create="60m", update=f"{drains + 60}m", delete=f"{drains + 60}m")
