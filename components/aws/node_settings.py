"""What a stack may choose about its EKS nodes, and what Longhorn cannot live with."""

import re

from pydantic import Field, ValidationInfo, field_validator

from components.aws import machine_types
from components.aws.iam import ARN
from components.capacity.disk import CopiesDisk
from components.capacity.node import NodeCapacity
from components.capacity.reserve import EKS_PODS, eks_reserved
from components.cluster import Architecture, ClusterSettings, NodesInThreeZones
from components.longhorn.node_changes import NodeChangeSettings
from components.settings import Gib

KMS_KEY = ARN + r"kms:[a-z0-9-]+:\d{12}:key/.+$"
SIZE = r"nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?"
NODE_TYPE = rf"^(?P<family>[a-z]+\d*)(?P<options>[a-z0-9-]*)\.(?P<size>{SIZE})$"
BEFORE_NITRO = re.compile(r"(c[134]|cc2|d2|g2|g3s?|h1|hs1|i[23]|m[1-4]|p[23]|r[34]|t[12]|x1e?)\.")
TOO_SMALL = ("nano", "micro", "small", "medium")


class EksNodeSettings(ClusterSettings):
    """Equally many machines in each of three zones, each with a disk of its own for Longhorn."""

    nodes: NodesInThreeZones = 3
    """Nodes in all, spread evenly over the three zones.

    With fewer than before AWS picks those that go: docs/eks.md says how to keep the copies.
    """

    node_changes: NodeChangeSettings = NodeChangeSettings()
    """How each zone's change waits for Longhorn."""

    node_type: str = Field(default="m7i.xlarge", validate_default=True)
    """EC2 instance type; 4 vCPU and 16 GiB leave IRIS 12 GiB beside Longhorn.

    Graviton types such as m7g.xlarge need an IRIS image for arm64.
    """

    node_image: str = "AL2023"
    """Node image. Only AL2023, on which the program installs Longhorn's iSCSI initiator."""

    capacity_type: str = "on-demand"
    """How nodes are bought. Only on-demand."""

    system_disk_gib: Gib = Field(default=50, ge=30)
    """Disk of each node for system, images and logs (gp3)."""

    data_disk_gib: Gib = Field(default=200, ge=50, le=16384)
    """Disk of each node for Longhorn's copies (gp3). A change replaces the nodes, one by one."""

    data_disk_sync: bool = True
    """Mount the data disk `sync`, so that a write that Longhorn acknowledges is on the disk.

    Without it the last 7 to 9 seconds of acknowledged writes are gone when all copies lose power
    at once, or the only healthy one does. It costs a flush for each write. A change replaces the
    nodes, one by one.
    """

    data_disk_iops: int = Field(default=3000, ge=3000, le=16000)
    """Operations per second of the data disk. gp3 includes 3000 and charges for more."""

    data_disk_mibps: int = Field(default=125, ge=125, le=1000, validate_default=True)
    """Throughput of the data disk, MiB/s. gp3 includes 125 and charges for more."""

    disk_kms_key: str | None = Field(default=None, pattern=KMS_KEY)
    """ARN of the KMS key of the nodes' disks; None: AWS's own. Disks are always encrypted.

    The key's policy must let AWSServiceRoleForAutoScaling use it and create grants.
    """

    def node_architecture(self) -> Architecture:
        """Processor of the instance type: Graviton types have a g among their options."""
        match = _node_type(self.node_type)
        graviton = "g" in match["options"].split("-")[0] or match["family"] == "a1"
        return "arm64" if graviton else "amd64"

    def node_capacity(self) -> NodeCapacity | None:
        """What an instance of this type has, if its name tells."""
        machine = machine_types.machine(self.node_type)
        return machine and NodeCapacity(
            (f"nodeType {self.node_type}", f"nodeType {self.node_type}"),
            *machine,
            eks_reserved(machine, max_pods=machine_types.max_pods(self.node_type)),
            EKS_PODS,
        )

    def copies_disk(self) -> CopiesDisk:
        """The data disk, which is Longhorn's alone."""
        return CopiesDisk("dataDiskGib", self.data_disk_gib, dedicated=True)

    @field_validator("node_type")
    @classmethod
    def _can_run_a_database(cls, node_type: str) -> str:
        match = re.match(NODE_TYPE, node_type)
        if not match:
            raise ValueError("this is no EC2 instance type; write it as in m7i.xlarge")
        if match["size"] in TOO_SMALL:
            raise ValueError(
                "such a machine starves Longhorn and IRIS; choose one with 4 vCPU, "
                "such as m7i.xlarge"
            )
        if BEFORE_NITRO.match(node_type):
            raise ValueError(
                "machines before Nitro do not say which disk is an EBS volume, so Longhorn's "
                "cannot be found; choose a newer type, such as m7i.xlarge"
            )
        return node_type

    @field_validator("node_image")
    @classmethod
    def _takes_an_iscsi_initiator(cls, node_image: str) -> str:
        if node_image != "AL2023":
            raise ValueError(
                "Longhorn attaches volumes with iSCSI, which Bottlerocket and Windows cannot get "
                "and other images are not prepared for; set it to AL2023"
            )
        return node_image

    @field_validator("capacity_type")
    @classmethod
    def _stays(cls, capacity_type: str) -> str:
        if capacity_type != "on-demand":
            raise ValueError(
                "AWS takes Spot nodes away at will, and all three at once with every copy of the "
                "data; set it to on-demand"
            )
        return capacity_type

    @field_validator("data_disk_mibps")
    @classmethod
    def _fits_the_operations(cls, throughput: int, info: ValidationInfo) -> int:
        iops = info.data.get("data_disk_iops")
        if iops is not None and 4 * throughput > iops:
            raise ValueError(
                f"gp3 gives at most a quarter of dataDiskIops ({iops}); "
                f"set it to {iops // 4} or less, or dataDiskIops to {4 * throughput} or more"
            )
        return throughput


def _node_type(node_type: str) -> re.Match[str]:
    match = re.match(NODE_TYPE, node_type)
    if match is None:
        raise ValueError(f"{node_type} is no EC2 instance type")
    return match
