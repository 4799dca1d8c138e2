"""What a stack may choose about its GKE cluster, and what Longhorn cannot live with."""

import re
from ipaddress import IPv4Network
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.gcp.maintenance import GkeMaintenanceSettings
from components.gcp.node_settings import KMS_KEY, GkeNodeSettings
from components.settings import Cidr, no_examples, open_to_all

CLUSTER_NAME = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"


class GkeClusterSettings(GkeNodeSettings):
    """A regional Standard cluster, with as many nodes in each of three zones as in the others."""

    name: str | None = Field(default=None, pattern=CLUSTER_NAME)
    """Name of the cluster, at most 40 characters; None: ha-iris-STACK. A new name, a new cluster.
    """

    mode: str = "standard"
    """GKE mode of operation. Only standard."""

    release_channel: Literal["REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """GKE release channel. EXTENDED supports a minor version for 24 months, at a fee."""

    api_endpoint: Literal["public", "private", "dns"] = "public"
    """How the Kubernetes API is reached.

    public: a public address for apiAccessCidrs only. private: an address in the VPC, so `pulumi up`
    must run there. dns: a name that Google's IAM guards (permission container.clusters.connect).
    """

    api_access_cidrs: tuple[Cidr, ...] = Field(default=(), validate_default=True)
    """Networks that may reach the Kubernetes API, such as your office and your CI."""

    admins: tuple[str, ...] = ()
    """Further cluster administrators: user:, group: or serviceAccount: and an e-mail address.

    Groups must be members of gke-security-groups@ their domain (Google Groups for RBAC).
    """

    secrets_kms_key: str | None = Field(default=None, pattern=KMS_KEY)
    """Cloud KMS key that encrypts Kubernetes Secrets in etcd once more; None: Google's own keys.

    The project's GKE service agent needs roles/cloudkms.cryptoKeyEncrypterDecrypter.
    """

    maintenance: GkeMaintenanceSettings = GkeMaintenanceSettings()
    """When GKE may update the control plane."""

    gateway_api: bool = False
    """GKE's own Gateway controller, and the kinds of Gateway API (GatewayClasses gke-l7-...)."""

    workload_logs: bool = True
    """Send what pods print to Cloud Logging, which charges for volume and for retention."""

    managed_prometheus: bool = True
    """Collect metrics with Google Cloud Managed Service for Prometheus, which charges for them."""

    @field_validator("mode")
    @classmethod
    def _allows_privileged_pods(cls, mode: str) -> str:
        if mode != "standard":
            raise ValueError(
                "Autopilot refuses the privileged pods and host paths that Longhorn is made of; "
                "set it to standard"
            )
        return mode

    @field_validator("api_access_cidrs")
    @classmethod
    def _are_not_the_world(
        cls, cidrs: tuple[IPv4Network, ...], info: ValidationInfo
    ) -> tuple[IPv4Network, ...]:
        endpoint = info.data.get("api_endpoint")
        if open_to_all(cidrs):
            raise ValueError(
                "0.0.0.0/0 shows the Kubernetes API to the whole Internet; name the networks that "
                "need it, or set apiEndpoint to dns"
            )
        if endpoint == "public" and not cidrs:
            raise ValueError(
                "nobody could reach the Kubernetes API, `pulumi up` included; list the networks "
                "that may, such as [203.0.113.0/24], or set apiEndpoint to private or dns"
            )
        if endpoint == "dns" and cidrs:
            raise ValueError(
                "the DNS endpoint is guarded by IAM and knows no networks; "
                "drop apiAccessCidrs, or set apiEndpoint to public or private"
            )
        return cidrs

    _are_no_examples = field_validator("api_access_cidrs")(no_examples)

    @field_validator("admins")
    @classmethod
    def _are_iam_members(cls, admins: tuple[str, ...]) -> tuple[str, ...]:
        for admin in admins:
            if not re.match(r"^(user|group|serviceAccount):[^@\s]+@[^@\s]+$", admin):
                raise ValueError(f"{admin} is no IAM member; write it as in group:dba@example.com")
        domains = {admin.split("@")[1] for admin in admins if admin.startswith("group:")}
        if len(domains) > 1:
            raise ValueError(
                f"a cluster knows the groups of one domain, not of {' and '.join(sorted(domains))};"
                " name groups of one domain"
            )
        return admins
