"""Who reaches the API of a GKE cluster, and who rules in it."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi_gcp import container, projects

from components.gcp.settings import GkeClusterSettings
from components.kubeconfig import login_kubeconfig

LOGIN_PLUGIN = "gke-gcloud-auth-plugin"


class GkeAdmins(pulumi.ComponentResource):
    """People, groups and service accounts that administer the cluster beside the deployer."""

    def __init__(
        self,
        name: str,
        admins: Sequence[str],
        *,
        project: str,
        provider: k8s.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:GkeAdmins", name, None, opts)
        members = sorted(set(admins))
        for admin in members:
            # Lets them find the cluster; what they may do in it is said below. Named after whom
            # it admits: were it a number, one more administrator would take away another's grant.
            projects.IAMMember(
                f"{name}-{admin.replace(':', '-')}",
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
            f"{name}-binding",
            metadata={"name": "ha-iris-admins"},
            role_ref=role,
            subjects=[_subject(admin) for admin in members],
            opts=pulumi.ResourceOptions(parent=self, provider=provider),
        )
        self.register_outputs({})


def api_access(settings: GkeClusterSettings, control_plane_range: str) -> dict[str, Any]:
    """Arguments of a cluster that say who reaches its API, and over which address."""
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


def groups_config(
    admins: Sequence[str],
) -> container.ClusterAuthenticatorGroupsConfigArgs | None:
    """Where GKE looks up the groups among the administrators; None where there are none."""
    for admin in admins:
        if admin.startswith("group:"):
            return container.ClusterAuthenticatorGroupsConfigArgs(
                security_group=f"gke-security-groups@{admin.split('@')[1]}"
            )
    return None


def kubeconfig(
    cluster: container.Cluster, name: str, settings: GkeClusterSettings
) -> pulumi.Output[str]:
    """A kubeconfig without any credential: gcloud's plugin logs in whoever uses it."""
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
    return pulumi.Output.json_dumps(login_kubeconfig(name, server=server, login=login))


def _subject(admin: str) -> Any:
    kind, email = admin.split(":")
    return {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Group" if kind == "group" else "User",
        "name": email,
    }
