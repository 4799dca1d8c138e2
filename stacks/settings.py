"""What every stack may choose, checked whole before anything is created."""

import re
from collections.abc import Iterable
from typing import Generic, Literal, TypeVar

import pulumi
from pydantic import Field, ValidationInfo, field_validator

from components.access.settings import AccessSettings
from components.backup.settings import BackupSettings
from components.cert_manager.settings import CertManagerSettings
from components.cluster import ClusterSettings
from components.fencing.settings import FencingSettings
from components.iris import IrisSettings
from components.iris.guard.timing import too_late
from components.iris.image import wrong_architecture
from components.longhorn import LonghornSettings
from components.monitoring import MonitoringSettings
from components.settings import Settings
from stacks.entrance import leads_to
from stacks.faults import refusal
from stacks.fits import too_large, too_much_kept
from stacks.journals import unfit

NAMESPACE = "ha-iris"

Cloud = Literal["existing", "aws", "azure", "gcp"]
AnyCluster = TypeVar("AnyCluster", bound=ClusterSettings)
AnyBackup = TypeVar("AnyBackup", bound=BackupSettings)


class StackSettings(Settings, Generic[AnyCluster, AnyBackup]):
    """What every stack may choose, whatever it runs on. A subclass adds cluster and store."""

    cloud: Cloud = "existing"
    """Who provides the cluster."""

    protect_data: bool = True
    """Refuse every plan that deletes or replaces what holds data or opens it.

    Where that is overridden (``--ignore-protect``) Pulumi forgets it and leaves it where it is.
    """

    cluster: AnyCluster
    """The Kubernetes cluster."""

    iris: IrisSettings = Field(default=IrisSettings(), validate_default=True)
    """The database."""

    longhorn: LonghornSettings = Field(default=LonghornSettings(), validate_default=True)
    """Storage. Not allowed together with iris.storageClass."""

    backup: AnyBackup
    """What leaves the cluster, and where it goes."""

    fencing: FencingSettings = Field(default=FencingSettings(), validate_default=True)
    """An agent that switches a silent node off."""

    monitoring: MonitoringSettings = Field(default=MonitoringSettings(), validate_default=True)
    """What a Prometheus that is there already needs to watch all this. Off by default."""

    cert_manager: CertManagerSettings = CertManagerSettings()
    """cert-manager, for certificates."""

    access: AccessSettings = Field(default=AccessSettings(), validate_default=True)
    """A host name with TLS for portal, REST and web applications."""

    @field_validator("access")
    @classmethod
    def _leads_to_iris(cls, access: AccessSettings, info: ValidationInfo) -> AccessSettings:
        iris = info.data.get("iris")
        if iris and access.hostname:
            leads_to(iris, access, cloud=info.data.get("cloud", "existing"))
        return access

    @field_validator("longhorn")
    @classmethod
    def _one_storage(cls, longhorn: LonghornSettings, info: ValidationInfo) -> LonghornSettings:
        iris = info.data.get("iris")
        if iris and iris.storage_class and longhorn.model_fields_set:
            raise ValueError(
                f"storageClass {iris.storage_class} replaces Longhorn, and Longhorn is configured "
                "too; drop ha-iris:iris.storageClass or ha-iris:longhorn"
            )
        return longhorn

    @field_validator("longhorn")
    @classmethod
    def _encrypts_all_volumes(
        cls, longhorn: LonghornSettings, info: ValidationInfo
    ) -> LonghornSettings:
        iris = info.data.get("iris")
        if iris and longhorn.encryption.enabled and iris.journals.storage_class:
            raise ValueError(
                "encryption.enabled is true, and journals go to StorageClass "
                f"{iris.journals.storage_class}, which nobody here makes or looks at: they would "
                "be as it says, perhaps plain; drop ha-iris:iris.journals.storageClass, or "
                "encryption"
            )
        return longhorn

    @field_validator("longhorn")
    @classmethod
    def _a_node_for_each_copy(
        cls, longhorn: LonghornSettings, info: ValidationInfo
    ) -> LonghornSettings:
        cluster, iris = info.data.get("cluster"), info.data.get("iris")
        installed = not (iris and iris.storage_class)
        if cluster and installed and longhorn.replicas > cluster.nodes:
            raise ValueError(
                f"replicas is {longhorn.replicas} and the cluster has {cluster.nodes} node(s), "
                f"each of which holds one copy; set replicas to {cluster.nodes} or less, or give "
                "the cluster more nodes"
            )
        return longhorn

    @field_validator("monitoring")
    @classmethod
    def _something_answers(
        cls, monitoring: MonitoringSettings, info: ValidationInfo
    ) -> MonitoringSettings:
        iris = info.data.get("iris")
        if iris and monitoring.enabled and not (iris.offers_portal() or iris.has_web_gateway()):
            raise ValueError(
                f"enabled is true, and nothing answers for the metrics of {iris.image}, which "
                "brings no web server; drop iris.webGateway.enabled, or drop enabled here"
            )
        return monitoring

    @field_validator("longhorn")
    @classmethod
    def _waits_for_the_guard(
        cls, longhorn: LonghornSettings, info: ValidationInfo
    ) -> LonghornSettings:
        iris = info.data.get("iris")
        if iris and _guarded(iris, longhorn):
            seconds, waits = iris.guard.isolated_seconds, longhorn.engine_timeout(guarded=True)
            if fault := too_late(seconds, engine_timeout=waits):
                raise ValueError(fault)
        return longhorn

    def guarded(self) -> bool:
        """Whether IRIS ends on a node that is cut off: where copies are left on others."""
        return _guarded(self.iris, self.longhorn)

    @field_validator("iris")
    @classmethod
    def _image_for_the_nodes(cls, iris: IrisSettings, info: ValidationInfo) -> IrisSettings:
        images = [iris.image, *([iris.web_gateway.image] if iris.has_web_gateway() else [])]
        images += iris.operator.images() if iris.operator else []
        if cluster := info.data.get("cluster"):
            for image in images:
                if fault := wrong_architecture(image, cluster.node_architecture()):
                    raise ValueError(fault)
        return iris

    @field_validator("iris")
    @classmethod
    def _fits_the_nodes(cls, iris: IrisSettings, info: ValidationInfo) -> IrisSettings:
        cluster = info.data.get("cluster")
        if cluster and (faults := too_large(iris, cluster)):
            raise ValueError("; and ".join(faults))
        return iris

    @field_validator("fencing")
    @classmethod
    def _has_somebody_to_switch(
        cls, fencing: FencingSettings, info: ValidationInfo
    ) -> FencingSettings:
        cloud, cluster = info.data.get("cloud"), info.data.get("cluster")
        if fault := fencing.fault(cloud == "existing", cluster.nodes if cluster else None):
            raise ValueError(fault)
        return fencing

    @field_validator("backup")
    @classmethod
    def _are_taken_by_longhorn(cls, backup: AnyBackup, info: ValidationInfo) -> AnyBackup:
        iris = info.data.get("iris")
        chosen = "snapshots" in backup.model_fields_set and backup.snapshots.enabled
        if chosen and iris and iris.storage_class:
            raise ValueError(
                "snapshots are taken by Longhorn's driver, and iris.storageClass "
                f"{iris.storage_class} replaces it; drop snapshots, or ha-iris:iris.storageClass"
            )
        return backup

    @field_validator("backup")
    @classmethod
    def _take_the_journals_along(cls, backup: AnyBackup, info: ValidationInfo) -> AnyBackup:
        iris, cluster = info.data.get("iris"), info.data.get("cluster")
        snapshots = getattr(cluster, "volume_snapshots", True)
        if iris and (fault := unfit(iris, backup, snapshots=snapshots)):
            raise ValueError(fault)
        return backup

    @field_validator("backup")
    @classmethod
    def _fit_beside_the_copies(cls, backup: AnyBackup, info: ValidationInfo) -> AnyBackup:
        iris, cluster = info.data.get("iris"), info.data.get("cluster")
        if iris and cluster and (fault := too_much_kept(iris, cluster, backup)):
            raise ValueError(fault)
        return backup

    @field_validator("backup")
    @classmethod
    def _end_before_iris_counts_as_hung(cls, backup: AnyBackup, info: ValidationInfo) -> AnyBackup:
        iris, snapshots = info.data.get("iris"), backup.snapshots
        if iris and snapshots.enabled and iris.hung_seconds <= snapshots.freeze_seconds:
            raise ValueError(
                f"snapshots.freezeSeconds is {snapshots.freeze_seconds}, and a frozen IRIS looks "
                f"like a hung one, which iris.hungSeconds {iris.hung_seconds} takes out of its "
                f"Service; set freezeSeconds to less, or hungSeconds to more"
            )
        return backup


def _guarded(iris: IrisSettings, longhorn: LonghornSettings) -> bool:
    return iris.wants_guard() and longhorn.replicas > 1


def not_twice(names: Iterable[str]) -> None:
    """Refuses names of tags that a cloud takes for one, as capitals make no difference to it.

    Raises:
        ValueError: there are such names.
    """
    seen: dict[str, str] = {}
    for name in names:
        if other := seen.get(name.lower()):
            raise ValueError(
                f"{other} and {name} are one tag to the cloud, which looks at no capitals; "
                "keep one of them"
            )
        seen[name.lower()] = name


def cluster_name(chosen: str | None, *, pattern: str, rule: str) -> str:
    """The name that a stack file gives to its cluster, or one made from the stack's.

    Args:
        chosen: name in the stack file, checked.
        pattern: what the cloud accepts.
        rule: the same in words, such as ``EKS cluster name (letters and digits)``.

    Raises:
        pulumi.RunError: the stack's name makes none that the cloud accepts.
    """
    name = chosen or f"{NAMESPACE}-{pulumi.get_stack()}"
    if not re.match(pattern, name):
        raise refusal(
            f"{NAMESPACE}:cluster.name is missing: {name}, which the stack's name gives, is no "
            f"{rule}; set it"
        )
    return name
