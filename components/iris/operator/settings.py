"""What a stack may choose about InterSystems' Kubernetes Operator and the IrisCluster it runs."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from components.iris.image import moves
from components.iris.image_settings import RegistryLogin
from components.settings import ContainerImage, Gib, KubernetesName, Settings

WHERE_FROM = (
    "InterSystems publishes the operator's chart to its customers only: download the archive "
    "iris_operator from the WRC (Software Distribution, Components), unpack it, and set "
    "iris.operator.chart to its folder chart/iris-operator, or to the oci:// reference of your "
    "own registry to which you have pushed it"
)

COMPUTE_GIB = 10
"""Volume of a compute node, GiB: IRIS's own files, as the databases are on the data nodes."""

Zone = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63)]
"""Value of the label topology.kubernetes.io/zone."""

MirrorRole = Literal["primary", "backup", "drasync"]


class OperatorStorageSettings(Settings):
    """Volumes of each data node, beside that of iris.storageGib with databases and IRIS itself.

    None of them can change its size or class here later: docs/operator.md.
    """

    wij_gib: Gib = Field(default=10, le=16383)
    """Size of the volume of the write image journal, GiB (storageWIJ). More than the buffers."""

    journal1_gib: Gib = Field(default=20, le=16383)
    """Size of the volume of the journals, GiB (storageJournal1)."""

    journal2_gib: Gib = Field(default=20, le=16383)
    """Size of the volume that IRIS turns to when that of the journals is full, GiB
    (storageJournal2)."""

    journal_class: KubernetesName | None = None
    """Another StorageClass for both volumes of journals; None: that of the databases."""


class ComputeSettings(Settings):
    """Nodes that run code and keep no data of their own: application servers of the data nodes."""

    replicas: int = Field(default=0, ge=0, le=64)
    """How many; 0: the data nodes run the code."""

    image: ContainerImage | None = None
    """Image of these nodes; None: iris.image."""

    preferred_zones: tuple[Zone, ...] = ()
    """Zones to run in, where they have room."""

    @field_validator("image")
    @classmethod
    def _is_of_some_node(cls, image: str | None, info: ValidationInfo) -> str | None:
        if image and not info.data.get("replicas"):
            raise ValueError(
                "there is no compute node to run it; set operator.compute.replicas to 1 or more, "
                "or drop image"
            )
        if image and moves(image):
            raise ValueError("such a tag moves; name a release or a digest")
        return image


class Toleration(Settings):
    """A taint of nodes that the pods put up with (Kubernetes, "Taints and Tolerations")."""

    key: str = Field(min_length=1)
    """Key of the taint."""

    value: str | None = None
    """Its value; None: any."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Its effect; None: all three."""


class OperatorSettings(Settings):
    """The operator, and the IrisCluster that it runs; for iris.form operator alone."""

    chart: str | None = Field(default=None, validate_default=True)
    """Folder or archive of InterSystems' chart iris-operator, or its reference as in oci://..."""

    chart_version: str | None = Field(
        default=None, pattern=r"^\d+\.\d+\.\d+[\w.+-]*$", validate_default=True
    )
    """Version of the chart in its registry. A folder or an archive has its own."""

    namespace: KubernetesName = "iris-operator"
    """Kubernetes namespace of the operator, created by this program."""

    image: ContainerImage | None = None
    """Image of the operator, for the processor of the nodes; None: the chart's own.

    The chart puts it together from registry, repository and tag, so a digest does not fit in.
    """

    cleaner_image: ContainerImage | None = None
    """Image with kubectl that the chart runs before it is removed; None: the chart's own, of
    Docker Hub."""

    registry_login: RegistryLogin | None = None
    """Login for the operator's image; None: iris.registryLogin."""

    mirrored: bool = False
    """Whether every data node is a mirror of two: two licences, two volumes, an arbiter."""

    mirror_map: tuple[MirrorRole, ...] = Field(default=(), validate_default=True)
    """Roles of the members of a mirror; empty: primary and backup. More are drasync."""

    arbiter_image: ContainerImage | None = Field(default=None, validate_default=True)
    """InterSystems' image arbiter, which tells a mirror's members which of them is cut off."""

    shards: int = Field(default=0, ge=0, le=256)
    """Data nodes of a sharded cluster; 0: one data node that is not sharded.

    It may grow and never shrink: a shard's data is nowhere else.
    """

    compute: ComputeSettings = ComputeSettings()
    """Application servers."""

    web_gateway: bool = False
    """Whether the operator runs the web gateways (topology.webgateway), and not this program.

    Its gateways know the compute nodes. webGateway.cpu and webGateway.memoryMib do not reach them.
    """

    preferred_zones: tuple[Zone, ...] = ()
    """Zones for the data nodes, where they have room."""

    storage: OperatorStorageSettings = OperatorStorageSettings()
    """The other volumes of each data node."""

    update_strategy: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"
    """Whether a change starts the pods anew by itself, or a person deletes each of them."""

    tolerations: tuple[Toleration, ...] = ()
    """Taints of nodes that the pods of the IrisCluster put up with."""

    tls: dict[Literal["common", "mirror", "webgateway", "superserver", "ecp"], KubernetesName] = (
        Field(default={})
    )
    """Secret with certificates for each use, in IRIS's namespace; common is for all others."""

    @field_validator("chart")
    @classmethod
    def _can_be_had(cls, chart: str | None) -> str | None:
        if chart is None:
            raise ValueError(WHERE_FROM)
        if not chart.startswith("oci://") and not Path(chart).exists():
            raise ValueError(f"there is no such folder or archive. {WHERE_FROM}")
        return chart

    @field_validator("chart_version")
    @classmethod
    def _is_of_a_registry(cls, version: str | None, info: ValidationInfo) -> str | None:
        if "chart" not in info.data:
            return version
        chart: str = info.data["chart"]
        if version is None and chart.startswith("oci://"):
            raise ValueError(
                f"a registry has many versions of {chart}, and whatever is newest would change "
                "the operator in any `pulumi up`; set the one that you have tried"
            )
        if version and not chart.startswith("oci://"):
            raise ValueError(f"{chart} is a folder or archive of one version; drop chartVersion")
        return version

    @field_validator("image", "cleaner_image")
    @classmethod
    def _fits_the_chart(cls, image: str | None) -> str | None:
        if image and ("@" in image or not re.match(r"[^/]+[.:][^/]*/|localhost/", image)):
            raise ValueError(
                "the chart takes registry, repository and tag apart; write it as in "
                "containers.intersystems.com/intersystems/iris-operator:3.8.42.100"
            )
        if image and moves(image):
            raise ValueError("such a tag moves; name a release")
        return image

    @field_validator("mirror_map")
    @classmethod
    def _is_a_mirror(
        cls, roles: tuple[MirrorRole, ...], info: ValidationInfo
    ) -> tuple[MirrorRole, ...]:
        if roles and not info.data.get("mirrored"):
            raise ValueError("the data nodes are no mirrors; set operator.mirrored, or drop it")
        if roles and roles[:2] != ("primary", "backup"):
            raise ValueError(
                "a mirror has one primary and one backup, in this order; begin with both"
            )
        if {*roles[2:]} - {"drasync"}:
            raise ValueError("a mirror has one primary and one backup; the others are drasync")
        return roles

    @field_validator("arbiter_image")
    @classmethod
    def _goes_with_a_mirror(cls, image: str | None, info: ValidationInfo) -> str | None:
        mirrored = info.data.get("mirrored")
        if mirrored and image is None:
            raise ValueError(
                "without an arbiter the backup of a mirror does not take over when the node of "
                "the primary is gone; set it to InterSystems' image arbiter of the release of "
                "iris.image, or drop operator.mirrored"
            )
        if image and mirrored is False:
            raise ValueError(
                "an arbiter has something to say between members of a mirror only; set "
                "operator.mirrored, or drop arbiterImage"
            )
        if image and moves(image):
            raise ValueError("such a tag moves; name a release or a digest")
        return image

    @field_validator("preferred_zones")
    @classmethod
    def _are_named_once(cls, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
        if len({*zones}) < len(zones):
            raise ValueError("a zone stands there twice; keep it once")
        return zones

    def images(self) -> list[str]:
        """Images that the stack file names for the operator and its nodes, beside IRIS's."""
        named = (self.image, self.compute.image, self.arbiter_image)
        return [image for image in named if image]

    def members(self) -> int:
        """Instances that hold the data of one shard: a mirror's members, or one."""
        return (len(self.mirror_map) or 2) if self.mirrored else 1

    def data_nodes(self) -> int:
        """Instances that hold data."""
        return self.members() * (self.shards or 1)

    def sizes_gib(self, storage_gib: int) -> list[int]:
        """Size of each volume of all nodes, GiB."""
        storage = self.storage
        each = [storage_gib, storage.wij_gib, storage.journal1_gib, storage.journal2_gib]
        return each * self.data_nodes() + [COMPUTE_GIB] * self.compute.replicas
