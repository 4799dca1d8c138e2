"""Node pools that keep Longhorn's copies: one per node, made and removed one after the other."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import container, projects, serviceaccount

from components.gcp.names import account_id
from components.gcp.settings import GkeClusterSettings
from components.longhorn.node_changes import NodeChanges
from components.node_sets import places

NODE_ROLE = "roles/container.defaultNodeServiceAccount"
"""Least role of a node: write logs and metrics, nothing else (GKE, harden your cluster)."""

CLOUD_PLATFORM = ["https://www.googleapis.com/auth/cloud-platform"]
"""One scope: what a node may do is decided by the roles of its account (GKE, access scopes)."""

NO_LEGACY_ENDPOINTS = {"disable-legacy-endpoints": "true"}
"""GKE sets it in any case; a pool that does not say so is made anew at every update."""

GKES_OWN_HOUR = 60
"""Minutes for which a drain respects disruption budgets where nothing else is said."""

CHOSEN_ONCE = ("nodeConfig", "version")
"""Inputs of a node pool that GKE changes by replacing its nodes."""

LABELS = ("nodeConfig.resourceLabels",)
"""Labels of machines and disks stay those that the pool began with, whatever GKE does to change
them."""


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


class GkeNodeSet(pulumi.ComponentResource):
    """Node pools of one node each, equally many in each zone.

    A pool is one node, so that a node that goes is a resource that is deleted, which protection
    refuses. Fewer nodes in a pool would be an update, and GKE chooses the node.

    Nodes are never changed where they are: GKE replaces them, one pool after the other, faster
    than Longhorn copies (GKE, node upgrade strategies). A new set takes the place of an old one.
    """

    pools: list[pulumi.Resource]
    """The pools, each after the one before it."""

    def __init__(
        self,
        name: str,
        settings: GkeClusterSettings,
        *,
        node_set: str,
        cluster: container.Cluster,
        account: GkeNodeAccount,
        zones: Sequence[str],
        project: str,
        region: str,
        changes: NodeChanges,
        labels: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:GkeNodeSet", name, None, opts)
        retiring = node_set == settings.retiring_node_set
        protect = protect_data and not retiring
        # Only while data is protected, so that a destroy, which begins with an update that says
        # otherwise, is a plain one.
        hooks = changes.of_retiring_nodes() if retiring and protect_data else changes.of_nodes()
        # An hour for all that is not Longhorn's.
        patience = f"{(settings.drain_timeout_minutes or GKES_OWN_HOUR) + 60}m"

        self.pools = []
        for zone, turn in places(settings.nodes_of(node_set), zones):
            # The first of a zone is called the same however many follow.
            place = f"{name}-{zone.removeprefix(f'{region}-')}"
            pool = container.NodePool(
                place if turn == 1 else f"{place}-{turn}",
                project=project,
                cluster=cluster.id,
                location=region,
                node_locations=[zone],
                node_count=1,
                version=settings.node_version,
                node_config=_node_config(settings, account, labels),
                management=container.NodePoolManagementArgs(
                    # A release channel allows neither to be off: the cluster's maintenance
                    # exclusion holds upgrades back.
                    auto_repair=True,
                    auto_upgrade=True,
                ),
                # How GKE goes about an upgrade that this program never starts.
                upgrade_settings=container.NodePoolUpgradeSettingsArgs(
                    strategy="SURGE", max_surge=1, max_unavailable=0
                ),
                node_drain_configs=[_drain(settings)],
                network_config=container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[*account.grants, *self.pools[-1:]],
                    protect=protect,
                    hooks=hooks,
                    retain_on_delete=protect,
                    custom_timeouts=pulumi.CustomTimeouts(
                        create="60m", update=patience, delete=patience
                    ),
                    ignore_changes=[*CHOSEN_ONCE] if retiring else [*LABELS],
                    # In place, GKE would replace the node behind the pool's back.
                    replace_on_changes=None if retiring else [*CHOSEN_ONCE],
                    # The end of the cluster ends its nodes. Drained one by one, the last would
                    # wait for system pods that no node is left to take.
                    deleted_with=cluster,
                ),
            )
            self.pools.append(pool)
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


def _drain(settings: GkeClusterSettings) -> container.NodePoolNodeDrainConfigArgs:
    minutes = settings.drain_timeout_minutes
    return container.NodePoolNodeDrainConfigArgs(
        respect_pdb_during_node_pool_deletion=True,
        # Any value is refused in a project that Google has not enabled it for.
        pdb_timeout_duration=f"{minutes * 60}s" if minutes else None,
    )
