"""A regional GKE cluster whose nodes Longhorn can use, and nobody replaces unasked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi_gcp import compute, container, projects

from components.cluster import Architecture
from components.gcp.network import GcpNetwork
from components.gcp.nodes import GkeNodeAccount, GkeNodePools, first_node_config
from components.gcp.settings import DAYS, GkeClusterSettings, GkeMaintenanceSettings
from components.longhorn.settings import KUBERNETES_TESTED

WEBHOOK_PORTS = ["9501", "9502"]
"""Longhorn's conversion and admission webhooks (Longhorn networking, 1.12.1)."""

EPOCH = datetime(2026, 1, 1)
"""Since when maintenance is ruled; any day in the past, and always the same one."""

LOGIN_PLUGIN = "gke-gcloud-auth-plugin"


class GkeCluster(pulumi.ComponentResource):
    """A private, regional GKE Standard cluster with a node pool in each of three zones."""

    name: str
    provider: k8s.Provider
    kubeconfig: pulumi.Output[str]
    kubectl: str
    save_kubeconfig: str | None
    node_count: int
    zone_count: int
    architecture: Architecture
    dedicated_disk: bool
    volume_snapshots: bool
    workloads_after: Sequence[pulumi.Resource]

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
        _warn_of_untested(settings.kubernetes_version)

        self.name = cluster_name
        self.node_count = settings.nodes
        self.zone_count = len(zones)
        self.architecture = settings.node_architecture()
        # GKE attaches no disk of one's own to a node: Longhorn shares the boot disk.
        self.dedicated_disk = False
        self.volume_snapshots = True

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
            **_api_access(settings, network.control_plane_range),
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
            authenticator_groups_config=_groups(settings.admins),
            addons_config=container.ClusterAddonsConfigArgs(
                # Brings the snapshot.storage.k8s.io resources and their controller.
                gce_persistent_disk_csi_driver_config=(
                    container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(enabled=True)
                )
            ),
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
                    depends_on=[*account.grants, *network.ready],
                    # Both concern the first pool alone, and a change would replace the cluster.
                    ignore_changes=["node_config", "initial_node_count"],
                    custom_timeouts=pulumi.CustomTimeouts(create="60m", update="90m", delete="60m"),
                ),
            ),
        )
        nodes = GkeNodePools(
            f"{name}-nodes",
            settings,
            cluster=cluster,
            account=account,
            zones=zones,
            project=project,
            region=region,
            labels=labels,
            protect_data=protect_data,
            opts=child,
        )
        firewall = self._webhook_firewall(name, settings, network, account)

        self.kubeconfig = pulumi.Output.secret(_kubeconfig(cluster, cluster_name, settings))
        file = f"{cluster_name}.kubeconfig"
        self.kubectl = f"kubectl --kubeconfig {file}"
        self.save_kubeconfig = (
            f"(umask 077 && pulumi stack output --stack {pulumi.get_stack()} --show-secrets "
            f"kubeconfig > {file})"
        )
        self.provider = k8s.Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            cluster_identifier=cluster_name,
            opts=child,
        )
        self.workloads_after = [*firewall, *account.grants, *nodes.pools]
        self._admit(name, settings.admins, project)
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

    def _admit(self, name: str, admins: Sequence[str], project: str) -> None:
        if not admins:
            return
        for number, admin in enumerate(sorted(admins), start=1):
            # Lets a person find the cluster; what they may do in it is said below.
            projects.IAMMember(
                f"{name}-admin-{number}",
                project=project,
                role="roles/container.clusterViewer",
                member=admin,
                opts=pulumi.ResourceOptions(parent=self),
            )
        role: Any = {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        }
        k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-admins",
            metadata={"name": "ha-iris-admins"},
            role_ref=role,
            subjects=[_subject(admin) for admin in sorted(admins)],
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider),
        )


def default_zones(region: str) -> tuple[str, ...]:
    """The first three zones of a region (Compute Engine, regions and zones).

    Chosen here and not by GKE, which picks three of four in some regions and may pick others
    for the next cluster.
    """
    letters = "bcd" if region in ("europe-west1", "us-east1") else "abc"
    return tuple(f"{region}-{letter}" for letter in letters)


def maintenance_policy(settings: GkeMaintenanceSettings) -> container.ClusterMaintenancePolicyArgs:
    """A window for patches of the control plane, and no node upgrade before the end of support.

    GKE upgrades every node by replacing it with an empty one.
    """
    # A recurrence counts from a day that is one of its own.
    first = next(
        day
        for day in (EPOCH + timedelta(days=number) for number in range(7))
        if DAYS[day.weekday()] in settings.days
    )
    start = first.replace(hour=settings.start_hour)
    end = start + timedelta(hours=settings.hours)
    return container.ClusterMaintenancePolicyArgs(
        recurring_window=container.ClusterMaintenancePolicyRecurringWindowArgs(
            # In UTC: GKE answers in UTC, and another form is a difference at every refresh.
            start_time=_in_utc(start),
            end_time=_in_utc(end),
            recurrence=f"FREQ=WEEKLY;BYDAY={','.join(settings.days)}",
        ),
        maintenance_exclusions=[
            container.ClusterMaintenancePolicyMaintenanceExclusionArgs(
                exclusion_name="nodes-hold-data",
                start_time=_in_utc(EPOCH),
                exclusion_options=container.ClusterMaintenancePolicyMaintenanceExclusionExclusionOptionsArgs(
                    scope="NO_MINOR_OR_NODE_UPGRADES", end_time_behavior="UNTIL_END_OF_SUPPORT"
                ),
            )
        ],
    )


def _in_utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _api_access(settings: GkeClusterSettings, control_plane_range: str) -> dict[str, Any]:
    by_name = settings.api_endpoint == "dns"
    access: dict[str, Any] = {
        "private_cluster_config": container.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=True,
            enable_private_endpoint=None if by_name else settings.api_endpoint == "private",
            master_ipv4_cidr_block=None if by_name else control_plane_range,
        ),
        "control_plane_endpoints_config": container.ClusterControlPlaneEndpointsConfigArgs(
            dns_endpoint_config=container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                allow_external_traffic=by_name
            ),
            ip_endpoints_config=container.ClusterControlPlaneEndpointsConfigIpEndpointsConfigArgs(
                enabled=not by_name
            ),
        ),
        "master_auth": container.ClusterMasterAuthArgs(
            client_certificate_config=container.ClusterMasterAuthClientCertificateConfigArgs(
                issue_client_certificate=False
            )
        ),
    }
    if not by_name:
        access["master_authorized_networks_config"] = (
            container.ClusterMasterAuthorizedNetworksConfigArgs(
                cidr_blocks=[
                    container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(
                        cidr_block=str(network), display_name=f"ha-iris-{number}"
                    )
                    for number, network in enumerate(settings.api_access_cidrs, start=1)
                ],
                # Otherwise every virtual machine in Google Cloud gets through.
                gcp_public_cidrs_access_enabled=False,
            )
        )
    return access


def _groups(admins: Sequence[str]) -> container.ClusterAuthenticatorGroupsConfigArgs | None:
    for admin in admins:
        if admin.startswith("group:"):
            return container.ClusterAuthenticatorGroupsConfigArgs(
                security_group=f"gke-security-groups@{admin.split('@')[1]}"
            )
    return None


def _subject(admin: str) -> Any:
    kind, email = admin.split(":")
    return {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Group" if kind == "group" else "User",
        "name": email,
    }


def _kubeconfig(
    cluster: container.Cluster, name: str, settings: GkeClusterSettings
) -> pulumi.Output[str]:
    if settings.api_endpoint == "dns":
        # A name with a public certificate: there is no authority of one's own to name.
        server: dict[str, Any] = {
            "server": pulumi.Output.concat(
                "https://",
                cluster.control_plane_endpoints_config["dns_endpoint_config"]["endpoint"],
            )
        }
    else:
        server = {
            "server": pulumi.Output.concat("https://", cluster.endpoint),
            "certificate-authority-data": cluster.master_auth.cluster_ca_certificate,
        }
    login = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": LOGIN_PLUGIN,
        "installHint": f"gcloud components install {LOGIN_PLUGIN}",
        "provideClusterInfo": True,
        "interactiveMode": "Never",
    }
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": server}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [{"name": name, "user": {"exec": login}}],
        }
    )


def _warn_of_untested(version: str) -> None:
    last = KUBERNETES_TESTED[1]
    if int(version.split(".")[1]) > int(last.split(".")[1]):
        pulumi.log.warn(
            f"Kubernetes {version} is newer than {last}, the last that Longhorn 1.12 is tested on."
        )
