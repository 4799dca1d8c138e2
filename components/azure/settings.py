"""What a stack may choose about its AKS cluster, and what Longhorn cannot live with."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from components.azure import machine_types
from components.azure.access_settings import AksAccessSettings
from components.azure.keys import KeyVersionId
from components.capacity.disk import CopiesDisk
from components.capacity.node import NodeCapacity
from components.capacity.reserve import AKS_PODS, aks_reserved
from components.cluster import Architecture, NodesInThreeZones
from components.kubernetes_version import TESTED, minor
from components.node_sets import NodeSetSettings
from components.settings import ContainerImage, Gib, Settings

OLDEST_KUBERNETES = 34
"""Oldest minor that AKS supports without a long-term support plan (AKS release calendar)."""

# The image that AKS documents for a shell on a node ("Connect to AKS cluster nodes"). Newer tags:
# https://mcr.microsoft.com/artifact/mar/azurelinux/busybox/tags
NODE_PREP_IMAGE = "mcr.microsoft.com/azurelinux/busybox:1.36"

CLUSTER_NAME = r"^[a-z]([a-z0-9-]{0,52}[a-z0-9])?$"
"""As long as a DNS prefix of AKS may be, and in lower case, as Kubernetes names are."""

DISK_ENCRYPTION_SET_ID = (
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute"
    r"/diskEncryptionSets/[^/]+$"
)

MAX_PODS = 110
"""Pods of a node. AKS keeps memory for each, and its own default in an overlay network is 250."""

_VM_SIZE = re.compile(r"^Standard_(?P<family>[A-Z]+)(?P<cpus>\d+)(-\d+)?(?P<features>[a-z]*)_v\d+$")


class AksMaintenanceSettings(Settings):
    """When AKS may patch the control plane and its add-ons. Nodes are never part of it."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] = (
        "Sunday"
    )
    """Day of the week, in UTC."""

    start_hour: int = Field(default=1, ge=0, le=23)
    """Hour of the day, in UTC, at which the window opens."""

    hours: int = Field(default=4, ge=4, le=24)
    """Length of the window; it may end on the next day."""


class AksClusterSettings(AksAccessSettings, NodeSetSettings):
    """A cluster with Azure CNI overlay and Cilium, one agent pool in each of three zones."""

    name: str | None = Field(default=None, pattern=CLUSTER_NAME)
    """Name of the cluster, at most 54 characters; None: ha-iris-STACK. A new name, a new cluster.
    """

    mode: str = "standard"
    """How AKS runs the nodes. Only standard."""

    kubernetes_version: str = Field(default="1.36", pattern=r"^1\.\d{2}(\.\d+)?$")
    """Version of the control plane and of new nodes; a minor means its newest patch.

    Longhorn 1.12 is tested on 1.33 to 1.36. Raising it upgrades the control plane alone: nodes
    follow with a new nodeSet, as AKS would otherwise reimage them and with them their copies.
    """

    nodes: Annotated[NodesInThreeZones, Field(le=27)] = 3
    """Nodes in all, spread evenly over the three zones, each a pool of its own; at most 27.

    Fewer than before need a new nodeSet, and retiringNodes for the old one.
    """

    node_type: str = Field(default="Standard_D4s_v5", validate_default=True)
    """VM size; 4 vCPU and 16 GiB leave IRIS 11 GiB beside Longhorn. A change needs a new nodeSet.

    Arm: the sizes with a p, such as Standard_D4ps_v6, with an IRIS image for arm64.
    """

    disk_size_gib: Gib = Field(default=512, ge=128, le=2048)
    """Disk of each node: system, images and Longhorn's copies, as agent pools have no second disk.

    The database volume may be 20 percent of it, by default. A change needs a new nodeSet. AKS
    advises 512 or more.
    """

    disk_type: str = "Managed"
    """Kind of that disk. Only Managed keeps its content when Azure moves the machine."""

    node_image: str = "Ubuntu"
    """Node image (osSKU). Only Ubuntu brings the iSCSI initiator that Longhorn needs."""

    capacity_type: str = "on-demand"
    """How nodes are bought. Only on-demand."""

    encryption_at_host: bool = False
    """Encrypt caches and temporary disks on the host as well. Managed disks always are encrypted.

    The subscription needs the feature Microsoft.Compute/EncryptionAtHost. Needs a new nodeSet.
    """

    disk_encryption_set_id: str | None = Field(default=None, pattern=DISK_ENCRYPTION_SET_ID)
    """Disk encryption set (resource ID) with a key of your own for the nodes' disks.

    To be chosen before the first `pulumi up`: Azure does not change it in a cluster.
    """

    secrets_kms_key: KeyVersionId | None = None
    """Key of your own for Kubernetes Secrets: .../vaults/NAME/keys/NAME/versions/VERSION.

    In a vault with public access, roles for permissions and purge protection. Without the key the
    API server does not start.
    """

    system_node_type: str = Field(default="Standard_D2s_v5", validate_default=True)
    """VM size of the one node that AKS makes together with the cluster; it carries no data."""

    node_prep_image: ContainerImage = NODE_PREP_IMAGE
    """Image with a shell, for the DaemonSet that keeps multipathd away from Longhorn's devices."""

    tier: Literal["Free", "Standard"] = "Standard"
    """Pricing tier of the control plane. Standard has an SLA of 99.95 percent; Free has none."""

    node_os_upgrade_channel: Literal["None", "Unmanaged"] = "None"
    """How nodes get fixes of their system beside new sets: not at all, or nightly from Ubuntu.

    Unmanaged installs them where the nodes are and restarts none. To be chosen before the first
    `pulumi up`: every change of it reimages all nodes, so it counts as another cluster.
    """

    ssh_access: Literal["Disabled", "LocalUser"] = "Disabled"
    """Whether the nodes run an SSH server. A change needs a new nodeSet.

    Disabled may need the feature Microsoft.ContainerService/DisableSSHPreview; LocalUser leaves
    the server on, with a key that nobody has.
    """

    maintenance: AksMaintenanceSettings = AksMaintenanceSettings()
    """When AKS may patch the control plane and its add-ons."""

    drain_timeout_minutes: int = Field(default=1440, ge=30, le=1440)
    """How long an upgrade that somebody starts by hand waits for Longhorn to let a node go."""

    control_plane_logs: bool = True
    """Send API server, audit, scheduler and controller logs to Log Analytics, which charges."""

    log_retention_days: int = Field(default=30, ge=30, le=730)
    """Days for which these logs are kept."""

    def node_architecture(self) -> Architecture:
        """Processor of the VM size: a p among its letters means Arm."""
        size = _VM_SIZE.match(self.node_type)
        return "arm64" if size and "p" in size["features"] else "amd64"

    def node_capacity(self) -> NodeCapacity | None:
        """What a machine of this size has, if its name tells."""
        machine = machine_types.machine(self.node_type)
        return machine and NodeCapacity(
            (f"nodeType {self.node_type}", f"nodeType {self.node_type}"),
            *machine,
            aks_reserved(machine, max_pods=MAX_PODS),
            AKS_PODS,
        )

    def copies_disk(self) -> CopiesDisk:
        """The one disk of each node."""
        return CopiesDisk("diskSizeGib", self.disk_size_gib, dedicated=False)

    @field_validator("mode")
    @classmethod
    def _leaves_nodes_alone(cls, mode: str) -> str:
        if mode != "standard":
            raise ValueError(
                "AKS Automatic makes, moves and reimages nodes at will, each with a copy of the "
                "data; set it to standard"
            )
        return mode

    @field_validator("kubernetes_version")
    @classmethod
    def _is_supported(cls, version: str) -> str:
        if minor(version) < OLDEST_KUBERNETES:
            raise ValueError(
                f"AKS supports it no longer; set it to 1.{OLDEST_KUBERNETES} to {TESTED[1]}"
            )
        return version

    @field_validator("node_type", "system_node_type")
    @classmethod
    def _has_disks_that_are_fast_enough(cls, node_type: str) -> str:
        size = _VM_SIZE.match(node_type)
        if size is None:
            raise ValueError("this is no VM size; write it as in Standard_D4s_v5")
        if "s" not in size["features"]:
            raise ValueError(
                "a size without an s takes no Premium SSD, and a database on a standard disk "
                f"crawls; choose one with it, such as Standard_D{size['cpus']}s_v5"
            )
        return node_type

    @field_validator("node_type")
    @classmethod
    def _can_run_a_database(cls, node_type: str) -> str:
        size = _VM_SIZE.match(node_type)
        if size and (size["family"] == "B" or int(size["cpus"]) < 2):
            raise ValueError(
                "a burstable or one-core machine starves Longhorn and IRIS; choose one with "
                "4 vCPU, such as Standard_D4s_v5"
            )
        return node_type

    @field_validator("disk_type")
    @classmethod
    def _survives_a_move(cls, disk_type: str) -> str:
        if disk_type != "Managed":
            raise ValueError(
                "an ephemeral disk is empty again whenever Azure redeploys the machine, and the "
                "copies of the data with it; set it to Managed"
            )
        return disk_type

    @field_validator("node_image")
    @classmethod
    def _has_an_iscsi_initiator(cls, node_image: str) -> str:
        if node_image != "Ubuntu":
            raise ValueError(
                "Longhorn is verified on Ubuntu and attaches volumes with iSCSI, which Azure "
                "Linux, Flatcar and Windows do not bring; set it to Ubuntu"
            )
        return node_image

    @field_validator("capacity_type")
    @classmethod
    def _stays(cls, capacity_type: str) -> str:
        if capacity_type != "on-demand":
            raise ValueError(
                "Azure evicts Spot nodes at will, and all three at once with every copy of the "
                "data; set it to on-demand"
            )
        return capacity_type
