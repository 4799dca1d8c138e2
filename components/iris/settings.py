"""What a stack may choose about its IRIS instance."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from components.iris.cpf import CpfActions, CpfParameters, CpfSections
from components.iris.cpf.fits import actions_fit, parameters_fit
from components.iris.cpf.predefined import not_predefined
from components.iris.form_settings import FormSettings
from components.iris.gateway.account import USER as GATEWAY_USER
from components.iris.gateway.settings import WebGatewaySettings
from components.iris.guard.settings import GuardSettings
from components.iris.image import Image
from components.iris.image_settings import ImageSettings, brings_web_server, told_image
from components.iris.journal_fits import journals_fit
from components.iris.journal_settings import JournalSettings
from components.iris.memory import shared_memory, too_large_for_memory
from components.iris.moving_settings import MovingSettings
from components.iris.network_settings import NetworkPolicySettings
from components.iris.operator.fits import operator_fits
from components.iris.operator.settings import OperatorSettings
from components.iris.restore.settings import VolumeSettings, class_for_a_restore
from components.iris.service import IrisServiceSettings
from components.iris.tls_settings import CONFIGURATION, TlsSettings
from components.iris.upgrade.settings import PrePullSettings, UpgradeSettings
from components.settings import Gib, KubernetesName

TAKEN_NAMESPACES = (
    *("default", "kube-system", "kube-public", "kube-node-lease"),
    *("longhorn-system", "ha-iris-fencing"),
)


class IrisSettings(VolumeSettings, FormSettings, MovingSettings, ImageSettings):
    """IRIS: its form, image, size, volume, credentials and the time it takes to move."""

    namespace: KubernetesName = "iris"
    """Kubernetes namespace of the database, created by this program."""

    storage_gib: Gib = Field(default=40, le=16383)
    """Size of the database volume, GiB. It can grow later and never shrink.

    Databases, two days of journals and the write image journal are on it. IRIS hangs when it is
    full, until a person makes room.
    """

    storage_class: KubernetesName | None = None
    """Another StorageClass than Longhorn's. Longhorn is then not installed."""

    fs_type: Literal["ext4", "xfs"] = "ext4"
    """File system of the volume; takes effect where the volume is new.

    InterSystems advises XFS for databases and ext4 for journals and the write image journal. One
    volume holds them all here; the reports of damaged file systems on Longhorn were of XFS.
    """

    cpu: float = Field(default=2, ge=0.5, le=128)
    """Processors, requested and limited."""

    memory_gib: int = Field(default=4, ge=2, le=2048)
    """Memory, GiB, requested and limited. Half of it becomes the global buffer cache."""

    globals_mib: int | None = Field(default=None, ge=100)
    """Global buffer cache, MiB (CPF parameter globals, 8 KB blocks)."""

    routines_mib: int | None = Field(default=None, ge=80)
    """Routine cache, MiB (CPF parameter routines)."""

    gmheap_kib: int | None = Field(default=None, ge=16384, le=1073741760)
    """Shared memory heap, KiB (CPF parameter gmheap).

    Without it, 3 percent of the globals, at least 307200: what IRIS itself would take.
    """

    synch_commit: bool = True
    """Whether a commit waits until the journal is on the volume (CPF parameter SynchCommit).

    True: what IRIS has confirmed survives a crash; each commit waits for a write that reaches
    every copy. False, IRIS's own default: commits are quicker, and a crash loses those of up to
    the last two seconds. Writes outside a transaction do not wait in either case.
    """

    cpf: CpfSections = Field(default={})
    """More lines for the CPF merge file, a list for each section, as in SQL: [LockTimeout=20].

    They come last in their section. Actions too, as in Actions: ["DeleteUser:Name=clerk"]. What
    parameters and actions can say is checked there. A line that is dropped later stays as it
    was merged: IRIS remembers it.
    """

    username: Annotated[
        str,
        Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=32),
        AfterValidator(not_predefined),
    ] = "dba"
    """User with all rights that the program creates, once, and that the password output is for."""

    password: SecretStr | None = Field(default=None, min_length=8)
    """First password of that user and of the predefined ones; generated if absent.

    IRIS applies it once, when the database is new. Change it later in IRIS itself. The predefined
    users (_SYSTEM, SuperUser, ...) must change theirs at their first login.
    """

    parameters: Annotated[CpfParameters, AfterValidator(parameters_fit)] = CpfParameters()
    """Parameters of the CPF by name. One that is dropped later stays as it was merged."""

    actions: Annotated[CpfActions, AfterValidator(actions_fit)] = CpfActions()
    """Databases, namespaces, users and more that IRIS is to have: docs/cpf.md."""

    journals: Annotated[JournalSettings, AfterValidator(journals_fit)] = Field(
        default=JournalSettings(), validate_default=True
    )
    """Journals: where they lie, and for how long there is room."""

    service: IrisServiceSettings = IrisServiceSettings()
    """How clients reach the database."""

    pre_pull: PrePullSettings = PrePullSettings()
    """The images on the nodes, before they are needed."""

    upgrade: UpgradeSettings = UpgradeSettings()
    """What comes between one image of IRIS and the next."""

    web_gateway: WebGatewaySettings = Field(default=WebGatewaySettings(), validate_default=True)
    """The web server in front of an image that brings none."""

    tls: TlsSettings = Field(default=TlsSettings(), validate_default=True)
    """TLS on the superserver."""

    @field_validator("namespace")
    @classmethod
    def _is_its_own(cls, namespace: str) -> str:
        if namespace in TAKEN_NAMESPACES:
            raise ValueError(
                "that namespace is others' already, and this program makes one and takes it away; "
                "name another, such as iris"
            )
        return namespace

    network_policy: NetworkPolicySettings = NetworkPolicySettings()
    """Who may reach the database inside the cluster, and what it may reach."""

    guard: GuardSettings = GuardSettings()
    """What ends IRIS on a node that is cut off."""

    @field_validator("guard")
    @classmethod
    def _guards_against_longhorn(cls, guard: GuardSettings, info: ValidationInfo) -> GuardSettings:
        storage_class = info.data.get("storage_class")
        if storage_class and guard.enabled and guard.model_fields_set:
            raise ValueError(
                "the guard knows how Longhorn's engine behaves on a node that is cut off, and "
                f"storageClass is {storage_class}; drop guard"
            )
        return guard

    @field_validator("storage_class")
    @classmethod
    def _can_be_restored(cls, storage_class: str | None, info: ValidationInfo) -> str | None:
        return class_for_a_restore(storage_class, info.data.get("restore"))

    operator: Annotated[OperatorSettings | None, AfterValidator(operator_fits)] = Field(
        default=None, validate_default=True
    )
    """InterSystems' Kubernetes Operator, for form operator alone."""

    @field_validator("fs_type")
    @classmethod
    def _is_of_a_class_that_we_make(cls, fs_type: str, info: ValidationInfo) -> str:
        storage_class = info.data.get("storage_class")
        if storage_class:
            raise ValueError(
                f"the file system is a matter of the StorageClass, and {storage_class} is not "
                "made here; drop fsType"
            )
        return fs_type

    @model_validator(mode="after")
    def _leaves_memory_for_processes(self) -> "IrisSettings":
        taken = shared_memory(
            memory_gib=self.memory_gib,
            globals_mib=self.globals_mib,
            routines_mib=self.routines_mib,
            gmheap_kib=self.gmheap_kib,
        )
        if fault := too_large_for_memory(taken, self.memory_gib):
            raise ValueError(fault)
        return self

    @field_validator("web_gateway")
    @classmethod
    def _goes_with_the_database(
        cls, gateway: WebGatewaySettings, info: ValidationInfo
    ) -> WebGatewaySettings:
        image, username = told_image(info.data), info.data.get("username")
        if not image or not gateway.is_on(
            built_in=brings_web_server(image, info.data.get("web_server"))
        ):
            return gateway
        if Image(gateway.image).older(than=image):
            raise ValueError(
                f"image is {gateway.image}, and InterSystems supports no web gateway older than "
                f"IRIS, which iris.image {image.name} is; set webGateway.image to its release or a "
                "later one"
            )
        if username and username.lower() == GATEWAY_USER:
            raise ValueError(
                f"the gateway logs in to IRIS as {GATEWAY_USER}, a user without rights; choose "
                "another iris.username"
            )
        return gateway

    @field_validator("service")
    @classmethod
    def _has_a_name_for_each(
        cls, service: IrisServiceSettings, info: ValidationInfo
    ) -> IrisServiceSettings:
        if service.hostname and info.data.get("instances", 1) > 1:
            raise ValueError(
                f"hostname is {service.hostname}, and each of {info.data['instances']} instances "
                "has a load balancer of its own; drop hostname"
            )
        return service

    @field_validator("tls")
    @classmethod
    def _leaves_the_web_in(cls, tls: TlsSettings, info: ValidationInfo) -> TlsSettings:
        actions, image = info.data.get("actions"), told_image(info.data)
        if tls.superserver and info.data.get("form") == "operator":
            raise ValueError(
                "superserver is for the forms that this program runs itself, and the operator "
                "takes the certificate of an IrisCluster by operator.tls; drop tls"
            )
        named = [config.name.lower() for config in actions.ssl_configs] if actions else []
        if tls.superserver and CONFIGURATION.lower() in named:
            raise ValueError(
                f"actions.sslConfigs has {CONFIGURATION}, which tls makes; drop it there, or drop "
                "tls.superserver"
            )
        if (
            tls.superserver == "required"
            and image
            and brings_web_server(image, info.data.get("web_server"))
        ):
            raise ValueError(
                "superserver is required, and the web server in this image reaches IRIS through "
                "the superserver without TLS: portal and REST would be gone; set tls.superserver "
                "to optional, or take an image without a web server, which gets a web gateway"
            )
        return tls

    @field_validator("network_policy")
    @classmethod
    def _tells_clients_apart(
        cls, policy: NetworkPolicySettings, info: ValidationInfo
    ) -> NetworkPolicySettings:
        service, gateway = info.data.get("service"), info.data.get("web_gateway")
        if service and gateway and (image := told_image(info.data)):
            built_in = brings_web_server(image, info.data.get("web_server"))
            policy.told_apart(superserver=service, web=service if built_in else gateway.service)
        return policy

    def wants_guard(self) -> bool:
        """Whether IRIS is to end on a node that is cut off, if there are other nodes.

        The operator makes the probes of its pods, and takes no others.
        """
        return self.guard.enabled and self.storage_class is None and self.form != "operator"

    def has_web_gateway(self) -> bool:
        """Whether a web gateway stands in front of the database."""
        return self.web_gateway.is_on(built_in=self.offers_portal())

    def pods(self) -> int:
        """How many pods run IRIS."""
        if self.operator is None:
            return self.instances
        return self.operator.data_nodes() + self.operator.compute.replicas
