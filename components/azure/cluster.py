"""An AKS cluster whose nodes are only ever replaced by a person, and one set after the other."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s
from pulumi_azure_native import (
    authorization,
    containerservice,
    managedidentity,
    resources,
)

from components.azure.kubeconfig import certificate_kubeconfig, entra_kubeconfig
from components.azure.logs import AksLogs
from components.azure.network import AzureNetwork
from components.azure.nodes import ZONES, AksNodeSet, system_pool
from components.azure.settings import AksClusterSettings
from components.cluster import Cluster
from components.kubeconfig import kubectl_commands
from components.kubernetes_version import warn_of_untested
from components.node_prep import NodePrep

NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
"""Built-in role, the same ID in every subscription (Azure built-in roles)."""


class AksCluster(pulumi.ComponentResource, Cluster):
    """Three nodes in three zones, on Ubuntu with managed disks, which Azure leaves alone."""

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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:AksCluster", name, None, opts)
        warn_of_untested(settings.kubernetes_version)
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
        subscription = authorization.get_client_config_output(
            opts=pulumi.InvokeOutputOptions(parent=self)
        ).subscription_id
        subnet_access = authorization.RoleAssignment(
            f"{name}-subnet-access",
            scope=network.subnet_id,
            principal_id=identity.principal_id,
            # Azure then does not look for the identity in a directory that has not got it yet.
            principal_type="ServicePrincipal",
            role_definition_id=pulumi.Output.concat(
                "/subscriptions/",
                subscription,
                "/providers/Microsoft.Authorization/roleDefinitions/",
                NETWORK_CONTRIBUTOR,
            ),
            opts=child,
        )
        cluster = containerservice.ManagedCluster(
            f"{name}-aks",
            resource_name_=cluster_name,
            resource_group_name=group.name,
            location=location,
            node_resource_group=f"{cluster_name}-nodes",
            dns_prefix=cluster_name,
            kubernetes_version=settings.kubernetes_version,
            sku=containerservice.ManagedClusterSKUArgs(name="Base", tier=settings.tier),
            support_plan="KubernetesOfficial",
            identity=containerservice.ManagedClusterIdentityArgs(
                type=containerservice.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[identity.id],
            ),
            agent_pool_profiles=[system_pool(settings, subnet_id=network.subnet_id, tags=tags)],
            network_profile=_network_profile(network),
            api_server_access_profile=_api_access(settings),
            auto_upgrade_profile=containerservice.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel="none",
                # Left out it is NodeImage: every node reimaged every week, its copies gone.
                node_os_upgrade_channel="None",
            ),
            enable_rbac=True,
            aad_profile=_entra(settings),
            disable_local_accounts=bool(settings.admins),
            oidc_issuer_profile=containerservice.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=containerservice.ManagedClusterSecurityProfileArgs(
                workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(
                    enabled=True
                ),
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
            # Machines and disks of the nodes can be changed through AKS alone.
            node_resource_group_profile=containerservice.ManagedClusterNodeResourceGroupProfileArgs(
                restriction_level="ReadOnly"
            ),
            tags=tags,
            opts=pulumi.ResourceOptions.merge(
                protected,
                pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create="60m", update="90m", delete="60m"),
                    depends_on=[subnet_access],
                    # Azure reports all pools here, and an update of one entry puts every pool of
                    # the cluster to work (pulumi/pulumi-azure-native#4264).
                    ignore_changes=["agentPoolProfiles"],
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
            time_in_week=[
                containerservice.TimeInWeekArgs(
                    day=settings.maintenance.day, hour_slots=settings.maintenance.hour_slots()
                )
            ],
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
        node_sets = [
            AksNodeSet(
                f"{name}-nodes-{node_set}",
                settings,
                node_set=node_set,
                cluster=cluster,
                resource_group=group.name,
                subnet_id=network.subnet_id,
                tags=tags,
                protect_data=protect_data,
                opts=child,
            )
            for node_set in (settings.retiring_node_set, settings.node_set)
            if node_set
        ]
        pools = [pool for node_set in node_sets for pool in node_set.pools]

        self.name = cluster_name
        self.kubeconfig = _kubeconfig(self, settings, group, cluster, cluster_name)
        self.kubectl, self.save_kubeconfig = kubectl_commands(cluster_name)
        self.node_count = settings.nodes
        self.zone_count = len(ZONES)
        self.architecture = settings.node_architecture()
        self.dedicated_disk = False
        self.volume_snapshots = True
        self.load_balancer_annotations = {
            "internal": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
            "public": {},
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
        self.workloads_after = [*pools, *node_prep.ready]
        self.register_outputs({"kubeconfig": self.kubeconfig})


def _network_profile(
    network: AzureNetwork,
) -> containerservice.ContainerServiceNetworkProfileArgs:
    return containerservice.ContainerServiceNetworkProfileArgs(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_dataplane="cilium",
        network_policy="cilium",
        pod_cidr=network.pods_range,
        service_cidr=network.services_range,
        dns_service_ip=network.dns_service_ip,
        load_balancer_sku="standard",
        # Its address is in all zones, and AKS lets it through to the API server by itself.
        outbound_type="loadBalancer",
    )


def _api_access(
    settings: AksClusterSettings,
) -> containerservice.ManagedClusterAPIServerAccessProfileArgs:
    if settings.api_endpoint == "private":
        return containerservice.ManagedClusterAPIServerAccessProfileArgs(
            enable_private_cluster=True,
            enable_private_cluster_public_fqdn=False,
            private_dns_zone="system",
            disable_run_command=True,
        )
    return containerservice.ManagedClusterAPIServerAccessProfileArgs(
        authorized_ip_ranges=[str(network) for network in settings.api_access_cidrs],
        # `az aks command invoke` runs a pod from outside, past these ranges.
        disable_run_command=True,
    )


def _entra(settings: AksClusterSettings) -> containerservice.ManagedClusterAADProfileArgs | None:
    if not settings.admins:
        return None
    return containerservice.ManagedClusterAADProfileArgs(
        managed=True,
        # Kubernetes roles, which take effect at once; Azure's take minutes to spread.
        enable_azure_rbac=False,
        admin_group_object_ids=[*settings.admins],
    )


def _kubeconfig(
    component: pulumi.Resource,
    settings: AksClusterSettings,
    group: resources.ResourceGroup,
    cluster: containerservice.ManagedCluster,
    cluster_name: str,
) -> pulumi.Output[str]:
    credential = (
        containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=group.name,
            resource_name=cluster.name,
            opts=pulumi.InvokeOutputOptions(parent=component),
        )
        .kubeconfigs[0]
        .value
    )
    if settings.admins:
        text = credential.apply(
            lambda value: entra_kubeconfig(value, name=cluster_name, login=settings.login)
        )
    else:
        text = credential.apply(certificate_kubeconfig)
    return pulumi.Output.secret(text)
