"""What a stack may choose about its GKE cluster, and what Longhorn cannot live with."""

import re
from ipaddress import IPv4Network
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.cluster import Architecture, ClusterSettings, NodesInThreeZones
from components.gcp.maintenance import GkeMaintenanceSettings
from components.kubernetes_version import TESTED, minor
from components.settings import Cidr, Gib

OLDEST_KUBERNETES = 33
ARM_FAMILIES = ("c4a", "n4a", "t2a")
HYPERDISK_FAMILIES = ("c4", "c4a", "c4d", "n4", "n4a", "n4d")
"""Machine families whose disks are Hyperdisk and nothing else (Compute Engine, Hyperdisk)."""
CLUSTER_NAME = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
KMS_KEY = r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$"


class GkeClusterSettings(ClusterSettings):
    """A regional Standard cluster, one node pool in each of three zones."""

    name: str | None = Field(default=None, pattern=CLUSTER_NAME)
    """Name of the cluster, at most 40 characters; None: ha-iris-STACK. A new name, a new cluster.
    """

    mode: str = "standard"
    """GKE mode of operation. Only standard."""

    zones: tuple[str, ...] = Field(default=(), validate_default=True)
    """Three zones of the region, such as europe-west1-b; empty: the region's first three."""

    nodes: NodesInThreeZones = 3
    """Nodes in all, spread evenly over the three zones."""

    node_type: str = Field(
        default="e2-standard-4", pattern=r"^[a-z0-9]+-[a-z0-9-]+$", validate_default=True
    )
    """Compute Engine machine type; 4 vCPU and 16 GiB leave IRIS 8 GiB beside Longhorn.

    Arm: c4a, n4a or t2a, with an IRIS image for arm64.
    """

    node_image: str = "UBUNTU_CONTAINERD"
    """Image of the nodes. Only UBUNTU_CONTAINERD brings the iSCSI initiator that Longhorn needs."""

    capacity_type: str = "on-demand"
    """How nodes are bought. Only on-demand."""

    disk_size_gib: Gib = Field(default=300, ge=100)
    """Disk of each node: system, images and, for want of a second disk, Longhorn's copies.

    The database volume may be two thirds of it. GKE changes its size by replacing the nodes.
    """

    disk_type: str | None = Field(default=None, validate_default=True)
    """pd-ssd, pd-balanced or hyperdisk-balanced; None: hyperdisk-balanced where the machine type
    takes nothing else, pd-ssd otherwise."""

    secure_boot: bool = True
    """Nodes boot signed kernels and load signed kernel modules only.

    Turn it off for a machine type that cannot, which Google says when it refuses the node pool.
    """

    disk_kms_key: str | None = Field(default=None, pattern=KMS_KEY)
    """Cloud KMS key of the nodes' disks; None: Google's own keys. Disks are always encrypted.

    The project's Compute Engine service agent needs roles/cloudkms.cryptoKeyEncrypterDecrypter.
    """

    node_roles: tuple[str, ...] = ()
    """Further project roles of the nodes, such as roles/artifactregistry.reader for own images."""

    release_channel: Literal["REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """GKE release channel. EXTENDED supports a minor version for 24 months, at a fee."""

    kubernetes_version: str = Field(default="1.35", pattern=r"^1\.\d{2}$")
    """Minor version of the control plane. Longhorn 1.12 is tested on 1.33 to 1.36.

    Raising it upgrades the control plane alone; nodes follow with nodeVersion.
    """

    node_version: str | None = Field(default=None, pattern=r"^1\.\d+\.\d+-gke\.\d+$")
    """Exact GKE version of the nodes, such as 1.35.8-gke.1036000; None: the one they have.

    Nodes are replaced one zone after the other. `gcloud container get-server-config` lists them.
    """

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

    drain_timeout_minutes: int = Field(default=240, ge=60, le=1440)
    """Minutes that the replacement of a node waits for Longhorn before it goes on regardless.

    GKE's own limit is an hour, too short to rebuild a large volume.
    """

    workload_logs: bool = True
    """Send what pods print to Cloud Logging, which charges for volume and for retention."""

    managed_prometheus: bool = True
    """Collect metrics with Google Cloud Managed Service for Prometheus, which charges for them."""

    def node_architecture(self) -> Architecture:
        """Processor of the machine type's family."""
        return "arm64" if _family(self.node_type) in ARM_FAMILIES else "amd64"

    def node_disk_type(self) -> str:
        """Disk type that is asked for, or that suits the machine type."""
        if self.disk_type:
            return self.disk_type
        hyperdisk = _family(self.node_type) in HYPERDISK_FAMILIES
        return "hyperdisk-balanced" if hyperdisk else "pd-ssd"

    @field_validator("mode")
    @classmethod
    def _allows_privileged_pods(cls, mode: str) -> str:
        if mode != "standard":
            raise ValueError(
                "Autopilot refuses the privileged pods and host paths that Longhorn is made of; "
                "set it to standard"
            )
        return mode

    @field_validator("zones")
    @classmethod
    def _are_three(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        if zones and len(set(zones)) != 3:
            raise ValueError(
                "Longhorn keeps a copy in each of three zones; name three different zones of the "
                "region, or none"
            )
        if wrong := [zone for zone in zones if not re.match(r"^[a-z]+-[a-z]+\d+-[a-z]$", zone)]:
            raise ValueError(f"{wrong[0]} is no zone; write it as in europe-west1-b")
        return zones

    @field_validator("node_type")
    @classmethod
    def _can_run_a_database(cls, node_type: str) -> str:
        if _family(node_type) in ("f1", "g1") or node_type.endswith(
            ("-micro", "-small", "-medium")
        ):
            raise ValueError(
                "a shared-core machine starves Longhorn and IRIS; choose one with 4 vCPU, "
                "such as e2-standard-4"
            )
        if node_type.endswith("-lssd"):
            raise ValueError(
                "local SSDs lose their content when the machine goes; choose the type without "
                "-lssd, whose disks stay"
            )
        return node_type

    @field_validator("node_image")
    @classmethod
    def _has_an_iscsi_initiator(cls, node_image: str) -> str:
        if node_image != "UBUNTU_CONTAINERD":
            raise ValueError(
                "Longhorn attaches volumes with iSCSI, which Container-Optimized OS and Windows "
                "do not bring; set it to UBUNTU_CONTAINERD"
            )
        return node_image

    @field_validator("capacity_type")
    @classmethod
    def _stays(cls, capacity_type: str) -> str:
        if capacity_type != "on-demand":
            raise ValueError(
                "Google takes Spot and preemptible nodes away at will, and all three at once with "
                "every copy of the data; set it to on-demand"
            )
        return capacity_type

    @field_validator("disk_type")
    @classmethod
    def _fits_the_machine(cls, disk_type: str | None, info: ValidationInfo) -> str | None:
        if disk_type is None:
            return disk_type
        if disk_type not in ("pd-ssd", "pd-balanced", "hyperdisk-balanced"):
            raise ValueError(
                "only pd-ssd, pd-balanced and hyperdisk-balanced are fast and durable enough for a "
                "database; set it to one of them, or leave it out"
            )
        node_type = info.data.get("node_type", "")
        if _family(node_type) in HYPERDISK_FAMILIES and disk_type != "hyperdisk-balanced":
            raise ValueError(f"{node_type} takes no Persistent Disk; set it to hyperdisk-balanced")
        return disk_type

    @field_validator("kubernetes_version")
    @classmethod
    def _is_supported(cls, version: str) -> str:
        if minor(version) < OLDEST_KUBERNETES:
            first, last = TESTED
            raise ValueError(
                f"neither GKE nor Longhorn 1.12 supports it; set it to {first} to {last}"
            )
        return version

    @field_validator("node_version")
    @classmethod
    def _is_not_ahead(cls, node_version: str | None, info: ValidationInfo) -> str | None:
        control_plane = info.data.get("kubernetes_version")
        if node_version and control_plane and minor(node_version) > minor(control_plane):
            raise ValueError(
                f"nodes cannot be newer than the control plane {control_plane}; "
                "raise kubernetesVersion first"
            )
        return node_version

    @field_validator("api_access_cidrs")
    @classmethod
    def _are_not_the_world(
        cls, cidrs: tuple[IPv4Network, ...], info: ValidationInfo
    ) -> tuple[IPv4Network, ...]:
        endpoint = info.data.get("api_endpoint")
        if any(network.prefixlen == 0 for network in cidrs):
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


def _family(node_type: str) -> str:
    return node_type.split("-")[0]
