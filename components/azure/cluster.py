"""An AKS cluster whose nodes are only ever replaced by a person, and one set after the other."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s
from pulumi_azure_native import (
    containerservice,
    managedidentity,
    resources,
)

from components.azure.access import api_access, entra, key_service, kubeconfig
from components.azure.control_plane import grants_outside, network_profile
from components.azure.logs import AksLogs
from components.azure.network import AzureNetwork
from components.azure.nodes import ZONES, AksNodeSet, system_pool
from components.azure.settings import AksClusterSettings
from components.azure.told import egress_addresses, node_identity
from components.cluster import Cluster
from components.kubeconfig import kubectl_commands
from components.kubernetes_version import warn_of_untested
from components.longhorn.node_changes import NodeChanges
from components.node_prep import NodePrep

PATIENT = {"service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "30"}
"""Minutes for which a load balancer keeps a connection on which nothing is said: the most there is.

Left out it is 4, and a client's pool then finds its connections to IRIS dead (AKS, "Use a public
standard load balancer").
"""


class AksCluster(pulumi.ComponentResource, Cluster):
    """Three nodes in three zones, on Ubuntu with managed disks, which Azure leaves alone."""

    egress_addresses: pulumi.Output[list[str]]
    """Public addresses of the load balancer that nodes leave by."""

    node_identity: pulumi.Output[str]
    """Resource ID of the identity that AKS makes for the nodes."""

    resource_group: pulumi.Output[str]
    """Resource group of the cluster."""

    node_resource_group: pulumi.Output[str]
    """Resource group of the nodes' machines, once it exists."""

    oidc_issuer: pulumi.Output[str]
    """Who signs the tokens of pods."""

    def __init__(
        self,
        name: str,
        settings: AksClusterSettings,
        *,
        cluster_name: str,
        network: AzureNetwork,
        location: str,
        tags: Mapping[str, str],
        protect_data: bool,
        fenced: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:AksCluster", name, None, opts)
        warn_of_untested(settings.kubernetes_version)
        if settings.api_endpoint == "public" and network.outbound_type != "loadBalancer":
            pulumi.log.warn(
                f"Nodes leave by {network.outbound_type} and reach the Kubernetes API by its "
                "public address: ha-iris:cluster.apiAccessCidrs must hold the address that they "
                "come from, or none of them joins."
            )
        child = pulumi.ResourceOptions(parent=self)
        protected = pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(protect=protect_data, retain_on_delete=protect_data)
        )
        group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=cluster_name,
            location=location,
            tags=tags,
            opts=protected,
        )
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=f"{cluster_name}-identity",
            resource_group_name=group.name,
            location=location,
            tags=tags,
            opts=child,
        )
        grants = grants_outside(name, settings, identity=identity, network=network, opts=child)
        cluster = containerservice.ManagedCluster(
            f"{name}-aks",
            resource_name_=cluster_name,
            resource_group_name=group.name,
            location=location,
            node_resource_group=f"{cluster_name}-nodes",
            disk_encryption_set_id=settings.disk_encryption_set_id,
            dns_prefix=cluster_name,
            kubernetes_version=settings.kubernetes_version,
            sku=containerservice.ManagedClusterSKUArgs(name="Base", tier=settings.tier),
            support_plan="KubernetesOfficial",
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[identity.id],
            ),
            agent_pool_profiles=[system_pool(settings, subnet_id=network.subnet_id, tags=tags)],
            network_profile=network_profile(network),
            api_server_access_profile=api_access(settings),
            auto_upgrade_profile=containerservice.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel="none",
                # Left out it is NodeImage: every node reimaged every week, its copies gone.
                node_os_upgrade_channel=settings.node_os_upgrade_channel,
            ),
            enable_rbac=True,
            aad_profile=entra(settings),
            disable_local_accounts=not settings.local_accounts,
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=containerservice.ManagedClusterSecurityProfileArgs(
                workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(
                    enabled=True
                ),
                azure_key_vault_kms=key_service(settings),
                # It removes images that no pod on the node uses, such as the IRIS image on the
                # nodes that wait for a failover.
                image_cleaner=containerservice.ManagedClusterSecurityProfileImageCleanerArgs(
                    enabled=False, interval_hours=168
                ),
            ),
            storage_profile=containerservice.ManagedClusterStorageProfileArgs(
                disk_csi_driver=containerservice.ManagedClusterStorageProfileDiskCSIDriverArgs(
                    enabled=True
                ),
                snapshot_controller=containerservice.ManagedClusterStorageProfileSnapshotControllerArgs(
                    enabled=True
                ),
            ),
            # Machines and disks of the nodes can be changed through AKS alone; unless somebody
            # else is to switch them, which a lock that stands above all roles would refuse.
            node_resource_group_profile=containerservice.ManagedClusterNodeResourceGroupProfileArgs(
                restriction_level="Unrestricted" if fenced else "ReadOnly"
            ),
            tags=tags,
            opts=pulumi.ResourceOptions.merge(
                protected,
                pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create="60m", update="90m", delete="60m"),
                    depends_on=grants,
                    # Azure reports all pools here, and an update of one entry puts every pool of
                    # the cluster to work (pulumi/pulumi-azure-native#4264).
                    ignore_changes=["agentPoolProfiles"],
                    # Either way it reimages every node (AKS, node OS images), and in place, which
                    # no protection stops.
                    replace_on_changes=["autoUpgradeProfile.nodeOSUpgradeChannel"],
                ),
            ),
        )
        containerservice.MaintenanceConfiguration(
            f"{name}-maintenance",
            # Governs AKS's weekly releases. The other two schedules belong to the channels that
            # are off (AKS, planned maintenance).
            config_name="default",
            resource_group_name=group.name,
            resource_name_=cluster.name,
            maintenance_window=containerservice.MaintenanceWindowArgs(
                schedule=containerservice.ScheduleArgs(
                    weekly=containerservice.WeeklyScheduleArgs(
                        day_of_week=settings.maintenance.day, interval_weeks=1
                    )
                ),
                start_time=f"{settings.maintenance.start_hour:02}:00",
                duration_hours=settings.maintenance.hours,
                utc_offset="+00:00",
            ),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(deleted_with=cluster)),
        )
        if settings.control_plane_logs:
            AksLogs(
                f"{name}-logs",
                cluster_id=cluster.id,
                cluster_name=cluster_name,
                resource_group=group.name,
                location=location,
                retention_days=settings.log_retention_days,
                tags=tags,
                opts=child,
            )
        self.kubeconfig = kubeconfig(self, settings, group, cluster, cluster_name)
        changes = NodeChanges(
            f"{name}-nodes",
            settings.node_changes,
            kubeconfig=self.kubeconfig,
            node_label="kubernetes.azure.com/agentpool",
            label_output="name",
        )
        node_sets = [
            AksNodeSet(
                f"{name}-nodes-{node_set}",
                settings,
                node_set=node_set,
                cluster=cluster,
                resource_group=group.name,
                subnet_id=network.subnet_id,
                changes=changes,
                tags=tags,
                protect_data=protect_data,
                opts=child,
            )
            for node_set in (settings.retiring_node_set, settings.node_set)
            if node_set
        ]
        pools = [pool for node_set in node_sets for pool in node_set.pools]

        self.name = cluster_name
        self.kubectl, self.save_kubeconfig = kubectl_commands(cluster_name)
        self.node_count = settings.nodes
        self.zone_count = len(ZONES)
        self.architecture = settings.node_architecture()
        self.dedicated_disk = False
        self.volume_snapshots = True
        self.load_balancer_annotations = {
            "internal": {
                **PATIENT,
                "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
            },
            "public": PATIENT,
        }
        self.provider = k8s.Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            cluster_identifier=cluster_name,
            # `up` takes back what somebody changed by hand, instead of failing on the conflict.
            enable_patch_force=True,
            # A new licence key or login changes its Secret in place: no new one, no restart.
            enable_secret_mutable=True,
            opts=child,
        )
        node_prep = NodePrep(
            f"{name}-node-prep",
            image=settings.node_prep_image,
            nodes=pools,
            opts=pulumi.ResourceOptions(parent=self, providers=[self.provider]),
        )
        self.egress_addresses = egress_addresses(cluster)
        self.node_identity = node_identity(cluster)
        self.resource_group = group.name
        self.node_resource_group = cluster.node_resource_group.apply(
            lambda made: made or f"{cluster_name}-nodes"
        )
        self.oidc_issuer = cluster.oidc_issuer_profile.apply(
            lambda profile: profile.issuer_url if profile and profile.issuer_url else ""
        )
        self.workloads_after = [*pools, *node_prep.ready]
        self.register_outputs({"kubeconfig": self.kubeconfig})
