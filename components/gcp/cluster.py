"""A regional GKE cluster whose nodes Longhorn can use, and nobody replaces unasked."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s
from pulumi_gcp import compute, container

from components.cluster import Cluster
from components.gcp.access import GkeAdmins, api_access, groups_config, kubeconfig
from components.gcp.maintenance import maintenance_policy
from components.gcp.network import GcpNetwork
from components.gcp.nodes import GkeNodeAccount, GkeNodeSet, first_node_config
from components.gcp.settings import GkeClusterSettings
from components.kubeconfig import kubectl_commands
from components.kubernetes_version import warn_of_untested
from components.longhorn.node_changes import NodeChanges
from components.node_prep import NodePrep

WEBHOOK_PORTS = ["9501", "9502"]
"""Longhorn's conversion and admission webhooks (Longhorn networking, 1.12.1)."""


class GkeCluster(pulumi.ComponentResource, Cluster):
    """A private, regional GKE Standard cluster with nodes in each of three zones."""

    node_account: pulumi.Output[str]
    """Whom the nodes act as: the e-mail address of their account."""

    def __init__(
        self,
        name: str,
        settings: GkeClusterSettings,
        *,
        cluster_name: str,
        network: GcpNetwork,
        project: str,
        region: str,
        labels: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:GkeCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        zones = settings.zones or default_zones(region)
        warn_of_untested(settings.kubernetes_version)

        self.name = cluster_name
        self.node_count = settings.nodes
        self.zone_count = len(zones)
        self.architecture = settings.node_architecture()
        # GKE attaches no disk of one's own to a node: Longhorn shares the boot disk.
        self.dedicated_disk = False
        self.volume_snapshots = True
        self.load_balancer_annotations = {
            "internal": {"networking.gke.io/load-balancer-type": "Internal"},
            "public": {},
        }

        account = GkeNodeAccount(
            f"{name}-node",
            cluster_name=cluster_name,
            project=project,
            more_roles=settings.node_roles,
            opts=child,
        )
        cluster = container.Cluster(
            f"{name}-gke",
            name=cluster_name,
            project=project,
            location=region,
            node_locations=list(zones),
            network=network.network,
            subnetwork=network.subnetwork,
            networking_mode="VPC_NATIVE",
            datapath_provider="ADVANCED_DATAPATH",
            ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(
                cluster_secondary_range_name=network.pods_range,
                services_secondary_range_name=network.services_range,
            ),
            **api_access(settings, network.control_plane_range),
            min_master_version=settings.kubernetes_version,
            release_channel=container.ClusterReleaseChannelArgs(channel=settings.release_channel),
            maintenance_policy=maintenance_policy(settings.maintenance),
            # The pool that every cluster is born with goes at once; ours are below.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=first_node_config(account),
            enable_shielded_nodes=True,
            workload_identity_config=container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=f"{project}.svc.id.goog"
            ),
            database_encryption=container.ClusterDatabaseEncryptionArgs(
                state="ENCRYPTED", key_name=settings.secrets_kms_key
            )
            if settings.secrets_kms_key
            else None,
            authenticator_groups_config=groups_config(settings.admins),
            addons_config=container.ClusterAddonsConfigArgs(
                # Brings the snapshot.storage.k8s.io resources and their controller.
                gce_persistent_disk_csi_driver_config=(
                    container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(enabled=True)
                )
            ),
            gateway_api_config=container.ClusterGatewayApiConfigArgs(channel="CHANNEL_STANDARD")
            if settings.gateway_api
            else None,
            logging_config=container.ClusterLoggingConfigArgs(
                enable_components=["SYSTEM_COMPONENTS"]
                + (["WORKLOADS"] if settings.workload_logs else [])
            ),
            monitoring_config=container.ClusterMonitoringConfigArgs(
                enable_components=["SYSTEM_COMPONENTS"],
                managed_prometheus=container.ClusterMonitoringConfigManagedPrometheusArgs(
                    enabled=settings.managed_prometheus
                ),
            ),
            resource_labels=dict(labels),
            deletion_protection=protect_data,
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    protect=protect_data,
                    retain_on_delete=protect_data,
                    depends_on=[*account.grants, *network.ready],
                    # Both concern the first pool alone, and a change would replace the cluster.
                    ignore_changes=["node_config", "initial_node_count"],
                    custom_timeouts=pulumi.CustomTimeouts(create="60m", update="90m", delete="60m"),
                ),
            ),
        )
        self.kubeconfig = pulumi.Output.secret(kubeconfig(cluster, cluster_name, settings))
        changes = NodeChanges(
            f"{name}-nodes",
            settings.node_changes,
            kubeconfig=self.kubeconfig,
            node_label="cloud.google.com/gke-nodepool",
            label_output="name",
        )
        node_sets = [
            GkeNodeSet(
                f"{name}-nodes-{node_set}",
                settings,
                node_set=node_set,
                cluster=cluster,
                account=account,
                changes=changes,
                zones=zones,
                project=project,
                region=region,
                labels=labels,
                protect_data=protect_data,
                opts=child,
            )
            for node_set in (settings.retiring_node_set, settings.node_set)
            if node_set
        ]
        pools = [pool for node_set in node_sets for pool in node_set.pools]
        firewall = self._webhook_firewall(name, settings, network, account)

        self.kubectl, self.save_kubeconfig = kubectl_commands(cluster_name)
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
        self.node_account = account.email
        self.workloads_after = [*firewall, *account.grants, *pools, *node_prep.ready]
        if settings.admins:
            GkeAdmins(
                f"{name}-admins",
                settings.admins,
                project=project,
                provider=self.provider,
                opts=child,
            )
        self.register_outputs({"kubeconfig": self.kubeconfig})

    def _webhook_firewall(
        self, name: str, settings: GkeClusterSettings, network: GcpNetwork, account: GkeNodeAccount
    ) -> list[pulumi.Resource]:
        # With the DNS endpoint alone the control plane has no address, and reaches pods through
        # the agents that dial it from the nodes.
        if not network.webhook_firewall or settings.api_endpoint == "dns":
            return []
        return [
            compute.Firewall(
                f"{name}-webhooks",
                project=network.network_project,
                network=network.network,
                description=f"From the control plane of {self.name} to Longhorn's webhooks",
                direction="INGRESS",
                source_ranges=[network.control_plane_range],
                target_service_accounts=[account.email],
                allows=[compute.FirewallAllowArgs(protocol="tcp", ports=WEBHOOK_PORTS)],
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]


def default_zones(region: str) -> tuple[str, ...]:
    """The first three zones of a region (Compute Engine, regions and zones).

    Chosen here and not by GKE, which picks three of four in some regions and may pick others
    for the next cluster.
    """
    letters = "bcd" if region in ("europe-west1", "us-east1") else "abc"
    return tuple(f"{region}-{letter}" for letter in letters)
