"""What a stack may choose about its GKE nodes, and what Longhorn cannot live with."""

import re
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from components.capacity.disk import CopiesDisk
from components.capacity.node import NodeCapacity
from components.capacity.reserve import GKE_PODS, gke_reserved
from components.cluster import Architecture
from components.gcp import machine_types
from components.kubernetes_version import TESTED, minor
from components.node_sets import NodeSetSettings
from components.settings import ContainerImage, Gib

OLDEST_KUBERNETES = 33
ARM_FAMILIES = ("c4a", "n4a", "t2a")
HYPERDISK_FAMILIES = ("c4", "c4a", "c4d", "n4", "n4a", "n4d")
"""Machine families whose disks are Hyperdisk and nothing else (Compute Engine, Hyperdisk)."""
# Newer tags: https://hub.docker.com/_/busybox. GKE's nodes pull it through Google's own mirror.
NODE_PREP_IMAGE = "docker.io/library/busybox:1.37.0"

KMS_KEY = r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$"

NodeRole = Annotated[
    str, Field(pattern=r"^(projects/[^/]+/|organizations/\d+/)?roles/[A-Za-z0-9_.]+$")
]
"""Role of IAM, such as roles/artifactregistry.reader."""


class GkeNodeSettings(NodeSetSettings):
    """Nodes of one size in three zones, each in a node pool of its own."""

    kubernetes_version: str = Field(default="1.36", pattern=r"^1\.\d{2}$")
    """Minor version of the control plane. Longhorn 1.12 is tested on 1.33 to 1.36.

    Raising it upgrades the control plane alone; nodes follow with a new nodeSet, as GKE would
    otherwise replace them one after the other and with them their copies.
    """

    node_version: str | None = Field(default=None, pattern=r"^1\.\d+\.\d+-gke\.\d+$")
    """Exact GKE version that a nodeSet begins with, such as 1.36.1-gke.1000000; None: the control
    plane's. A change needs a new nodeSet. `gcloud container get-server-config` lists them.
    """

    zones: tuple[str, ...] = Field(default=(), validate_default=True)
    """Three zones of the region, such as europe-west1-b; empty: the region's first three."""

    node_type: str = Field(
        default="e2-standard-4", pattern=r"^[a-z0-9]+-[a-z0-9-]+$", validate_default=True
    )
    """Compute Engine machine type; 4 vCPU and 16 GiB leave IRIS 10 GiB beside Longhorn. A change
    needs a new nodeSet.

    Arm: c4a, n4a or t2a, with an IRIS image for arm64.
    """

    node_image: str = "UBUNTU_CONTAINERD"
    """Image of the nodes. Only UBUNTU_CONTAINERD brings the iSCSI initiator that Longhorn needs."""

    node_prep_image: ContainerImage = NODE_PREP_IMAGE
    """Image with a shell, for the DaemonSet that keeps multipathd away from Longhorn's devices."""

    capacity_type: str = "on-demand"
    """How nodes are bought. Only on-demand."""

    disk_size_gib: Gib = Field(default=300, ge=100, le=65536)
    """Disk of each node: system, images and, for want of a second disk, Longhorn's copies.

    The database volume may be 20 percent of it, by default. A change needs a new nodeSet.
    """

    disk_type: str | None = Field(default=None, validate_default=True)
    """pd-ssd, pd-balanced or hyperdisk-balanced; None: hyperdisk-balanced where the machine type
    takes nothing else, pd-ssd otherwise. A change needs a new nodeSet."""

    secure_boot: bool = True
    """Nodes boot signed kernels and load signed kernel modules only.

    Turn it off for a machine type that cannot, which Google says when it refuses the node pool.
    A change needs a new nodeSet.
    """

    disk_kms_key: str | None = Field(default=None, pattern=KMS_KEY)
    """Cloud KMS key of the nodes' disks; None: Google's own keys. Disks are always encrypted.

    The project's Compute Engine service agent needs roles/cloudkms.cryptoKeyEncrypterDecrypter.
    """

    node_roles: tuple[NodeRole, ...] = ()
    """Further project roles of the nodes, such as roles/artifactregistry.reader for own images."""

    drain_timeout_minutes: int | None = Field(default=None, ge=60, le=1440)
    """Minutes for which GKE waits for Longhorn to let a node go; None: GKE's own, an hour.

    Google refuses node pools that name any, unless it has enabled drain timeouts for the project.
    """

    def node_architecture(self) -> Architecture:
        """Processor of the machine type's family."""
        return "arm64" if _family(self.node_type) in ARM_FAMILIES else "amd64"

    def node_capacity(self) -> NodeCapacity | None:
        """What a machine of this type has, if its name tells."""
        machine = machine_types.machine(self.node_type)
        return machine and NodeCapacity(
            (f"nodeType {self.node_type}", f"nodeType {self.node_type}"),
            *machine,
            gke_reserved(machine),
            GKE_PODS,
        )

    def copies_disk(self) -> CopiesDisk:
        """The one disk of each node."""
        return CopiesDisk("diskSizeGib", self.disk_size_gib, dedicated=False)

    def node_disk_type(self) -> str:
        """Disk type that is asked for, or that suits the machine type."""
        if self.disk_type:
            return self.disk_type
        hyperdisk = _family(self.node_type) in HYPERDISK_FAMILIES
        return "hyperdisk-balanced" if hyperdisk else "pd-ssd"

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

    @field_validator("node_roles")
    @classmethod
    def _are_small(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if large := [role for role in roles if role in ("roles/owner", "roles/editor")]:
            raise ValueError(
                f"with {large[0]} whoever breaks into a pod of a node has the project; "
                "name the roles that the nodes need"
            )
        return roles

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


def _family(node_type: str) -> str:
    return node_type.split("-")[0]
