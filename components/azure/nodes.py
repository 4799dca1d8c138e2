"""Agent pools that keep Longhorn's copies: one per zone, made and removed one after the other."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, containerservice

from components.azure.settings import MAX_PODS, AksClusterSettings
from components.longhorn.node_changes import NodeChanges
from components.node_sets import places

ZONES = ("1", "2", "3")
"""Availability zones as Azure numbers them for each subscription."""

NO_PODS_BUT_ADDONS = "CriticalAddonsOnly=true:NoSchedule"
"""Taint that AKS's own add-ons tolerate and nothing else (AKS, use system node pools)."""

BORN_WITH = ("count", "orchestratorVersion")
"""What a pool keeps from its first day.

A later version reimages the nodes, and a lower count takes away whichever Azure chooses. Both are
updates in place, which no protection stops.
"""

CHOSEN_ONCE = (
    *BORN_WITH,
    "enableEncryptionAtHost",
    "osDiskSizeGB",
    "securityProfile",
    "vmSize",
)
"""Inputs of an agent pool that follow the settings, as a set that retires must not."""


def upgrade_settings(settings: AksClusterSettings) -> containerservice.AgentPoolUpgradeSettingsArgs:
    """How an upgrade goes that somebody starts past this program, which never starts one."""
    return containerservice.AgentPoolUpgradeSettingsArgs(
        max_surge="1",
        max_unavailable="0",
        drain_timeout_in_minutes=settings.drain_timeout_minutes,
        node_soak_duration_in_minutes=30,
        # By default the node that Longhorn refuses to let go, as it holds a last copy, is deleted
        # and replaced by its surge node (AKS, upgrade options).
        undrainable_node_behavior="Cordon",
    )


def system_pool(
    settings: AksClusterSettings, *, subnet_id: pulumi.Input[str], tags: Mapping[str, str]
) -> containerservice.ManagedClusterAgentPoolProfileArgs:
    """The pool that a cluster must be born with: one node without data.

    Pools with data are resources of their own. A pool that is written inside the cluster cannot
    be replaced by another one later: the cluster's next update would name the pool that is gone,
    and AKS refuses that (pulumi/pulumi-azure-native#2719).
    """
    return containerservice.ManagedClusterAgentPoolProfileArgs(
        name="system",
        mode="System",
        type="VirtualMachineScaleSets",
        count=1,
        vm_size=settings.system_node_type,
        availability_zones=[*ZONES],
        os_type="Linux",
        os_sku=settings.node_image,
        os_disk_type=settings.disk_type,
        os_disk_size_gb=128,
        vnet_subnet_id=subnet_id,
        max_pods=MAX_PODS,
        enable_node_public_ip=False,
        enable_encryption_at_host=settings.encryption_at_host,
        node_taints=[NO_PODS_BUT_ADDONS],
        upgrade_settings=upgrade_settings(settings),
        security_profile=containerservice.AgentPoolSecurityProfileArgs(
            ssh_access=settings.ssh_access
        ),
        tags=tags,
    )


class AksNodeSet(pulumi.ComponentResource):
    """Agent pools of one node each, equally many in each zone.

    A pool is one node, so that a node that goes is a resource that is deleted, which protection
    and Azure's locks refuse. Fewer nodes in a pool would be an update, and Azure chooses the node.

    Nodes are never upgraded where they are: AKS reimages them, and the copies on them are gone
    (Longhorn 1.12.1, "Upgrade Kubernetes on AKS"). A new set takes the place of an old one.
    """

    pools: list[pulumi.Resource]
    """The pools, each after the one before it."""

    def __init__(
        self,
        name: str,
        settings: AksClusterSettings,
        *,
        node_set: str,
        cluster: containerservice.ManagedCluster,
        resource_group: pulumi.Input[str],
        subnet_id: pulumi.Input[str],
        changes: NodeChanges,
        tags: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:AksNodeSet", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        retiring = node_set == settings.retiring_node_set
        protect = protect_data and not retiring
        # Only while data is protected, so that a destroy, which begins with an update that says
        # otherwise, is a plain one.
        hooks = changes.of_retiring_nodes() if retiring and protect_data else changes.of_nodes()
        # The node waits for Longhorn, rests for half an hour; an hour more for all the rest.
        patience = f"{settings.drain_timeout_minutes + 90}m"

        self.pools = []
        for zone, turn in places(settings.nodes_of(node_set), ZONES):
            # The first of a zone is called the same however many follow.
            place = f"{name}-{zone}" if turn == 1 else f"{name}-{zone}-{turn}"
            pool = containerservice.AgentPool(
                place,
                agent_pool_name=f"{node_set}z{zone}" + ("" if turn == 1 else f"n{turn}"),
                resource_group_name=resource_group,
                resource_name_=cluster.name,
                # Add-ons may run here as well, so that they outlive the one node of the pool
                # that the cluster was born with.
                mode="System",
                type="VirtualMachineScaleSets",
                count=1,
                vm_size=settings.node_type,
                availability_zones=[zone],
                os_type="Linux",
                os_sku=settings.node_image,
                # Unless told otherwise AKS takes an ephemeral disk wherever one fits.
                os_disk_type=settings.disk_type,
                os_disk_size_gb=settings.disk_size_gib,
                orchestrator_version=settings.kubernetes_version,
                vnet_subnet_id=subnet_id,
                max_pods=MAX_PODS,
                enable_auto_scaling=False,
                enable_node_public_ip=False,
                enable_encryption_at_host=settings.encryption_at_host,
                scale_down_mode="Delete",
                scale_set_priority="Regular",
                upgrade_settings=upgrade_settings(settings),
                security_profile=containerservice.AgentPoolSecurityProfileArgs(
                    ssh_access=settings.ssh_access
                ),
                tags=tags,
                opts=pulumi.ResourceOptions.merge(
                    child,
                    pulumi.ResourceOptions(
                        depends_on=self.pools[-1:],
                        protect=protect,
                        hooks=hooks,
                        retain_on_delete=protect,
                        custom_timeouts=pulumi.CustomTimeouts(
                            create="60m", update=patience, delete=patience
                        ),
                        ignore_changes=[*(CHOSEN_ONCE if retiring else BORN_WITH)],
                        # The cluster takes its pools along, without draining nodes that no
                        # workload is left on.
                        deleted_with=cluster,
                    ),
                ),
            )
            self.pools.append(pool)
            if protect:
                authorization.ManagementLockByScope(
                    f"{place}-lock",
                    lock_name="ha-iris-keeps-data",
                    level="CanNotDelete",
                    notes="These nodes hold copies of a database. See docs/aks.md.",
                    scope=pool.id,
                    opts=child,
                )
        self.register_outputs({})
