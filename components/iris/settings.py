"""What a stack may choose about its IRIS instance."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

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
from components.iris.gateway.account import USER as GATEWAY_USER
from components.iris.gateway.settings import WebGatewaySettings
from components.iris.image import IMAGE, has_web_server, is_community, moves, older
from components.iris.memory import shared_memory, too_large_for_memory
from components.iris.network_settings import NetworkPolicySettings
from components.iris.service import IrisServiceSettings
from components.settings import ContainerImage, Gib, KubernetesName, Settings

TAKEN_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "longhorn-system")


class RegistryLogin(Settings):
    """Login to the registry of the IRIS image, for images that are not public."""

    server: str = Field(
        default="containers.intersystems.com", pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._/-]+)?$"
    )
    """Host of the registry."""

    username: str = Field(min_length=1)
    """User, for InterSystems' registry the WRC user name."""

    password: SecretStr
    """Token or password; set it with ``pulumi config set --secret --path``."""


class IrisSettings(Settings):
    """One IRIS instance: its image, size, volume, credentials and the time it takes to move."""

    namespace: KubernetesName = "iris"
    """Kubernetes namespace of the database, created by this program."""

    image: ContainerImage = IMAGE
    """Image with a tag or digest. The default is Community Edition, for both processors."""

    allow_older_image: bool = False
    """Let an update go to an older release than the one that wrote the volume.

    For one `pulumi up`, after the volume was put back to a snapshot from before an upgrade: an
    older IRIS does not open what a newer one has written.
    """

    web_server: bool | None = None
    """Whether the image brings a web server that offers the portal on 52773.

    Without it, what its name says: Community Edition does, licensed images since 2023.2 do not.
    Where there is none, the portal is behind ``webGateway``.
    """

    registry_login: RegistryLogin | None = None
    """Login for an image that is not public."""

    license_key: SecretStr | None = None
    """Content of iris.key; Community Edition needs none. Keep it secret."""

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

    time_zone: str = "UTC"
    """Time zone of the instance, as in Europe/Berlin."""

    hostname: KubernetesName = "iris"
    """Host name that IRIS sees, the same on every node: its lock files carry it."""

    toleration_seconds: int = Field(default=10, ge=0, le=3600)
    """How long a pod stays on a node that is unreachable or not ready before it is evicted.

    Ten seconds come on top of the 40 to 54 that Kubernetes takes to notice. Shorter saves little
    and moves the database at every hiccup of the network; the default of Kubernetes, 300, is five
    minutes of outage.
    """

    termination_grace_period_seconds: int = Field(default=30, ge=10, le=3600)
    """How long IRIS may take for a clean stop.

    It also counts in a failover: the volume of a dead node is released only when the grace of the
    pod that ran there has passed. Give a big cache more, and know that a failover takes it too.
    """

    startup_seconds: int = Field(default=1800, ge=60, le=86400)
    """How long a start may take, recovery from the journals included, before it is restarted."""

    hung_seconds: int = Field(default=660, ge=30)
    """How long IRIS may report itself hung before its pod counts as not ready.

    A freeze for a backup looks the same, and IRIS lets one last 600 seconds. Not ready takes the
    pod out of its Service and shows; it restarts nothing, as a restart mends no full volume.
    """

    parameters: Annotated[CpfParameters, AfterValidator(parameters_fit)] = CpfParameters()
    """Parameters of the CPF by name. One that is dropped later stays as it was merged."""

    actions: Annotated[CpfActions, AfterValidator(actions_fit)] = CpfActions()
    """Databases, namespaces, users and more that IRIS is to have: docs/cpf.md."""

    service: IrisServiceSettings = IrisServiceSettings()
    """How clients reach the database."""

    web_gateway: WebGatewaySettings = Field(default=WebGatewaySettings(), validate_default=True)
    """The web server in front of an image that brings none."""

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

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, time_zone: str) -> str:
        if time_zone not in available_timezones():
            raise ValueError("no such time zone; use a name as in Europe/Berlin or UTC")
        return time_zone

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

    @field_validator("image")
    @classmethod
    def _never_moves(cls, image: str) -> str:
        if moves(image):
            raise ValueError(
                "such a tag moves, and IRIS refuses to start a newer build on a volume that was "
                "not closed cleanly, which is every failover; name a release or a digest"
            )
        return image

    @field_validator("license_key")
    @classmethod
    def _belongs_to_the_image(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        image = info.data.get("image")
        if key and image and is_community(image):
            raise ValueError(
                "Community Edition takes no licence key; set iris.image to the licensed image, "
                "or drop licenseKey"
            )
        return key

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
        image, username = info.data.get("image"), info.data.get("username")
        if not image or not gateway.is_on(
            built_in=_brings_web_server(image, info.data.get("web_server"))
        ):
            return gateway
        if older(gateway.image, than=image):
            raise ValueError(
                f"image is {gateway.image}, and InterSystems supports no web gateway older than "
                f"IRIS, which iris.image {image} is; set webGateway.image to its release or a "
                "later one"
            )
        if username and username.lower() == GATEWAY_USER:
            raise ValueError(
                f"the gateway logs in to IRIS as {GATEWAY_USER}, a user without rights; choose "
                "another iris.username"
            )
        return gateway

    @field_validator("network_policy")
    @classmethod
    def _tells_clients_apart(
        cls, policy: NetworkPolicySettings, info: ValidationInfo
    ) -> NetworkPolicySettings:
        service, gateway = info.data.get("service"), info.data.get("web_gateway")
        if service and gateway and (image := info.data.get("image")):
            built_in = _brings_web_server(image, info.data.get("web_server"))
            policy.told_apart(superserver=service, web=service if built_in else gateway.service)
        return policy

    def offers_portal(self) -> bool:
        """Whether a web server answers beside the superserver, in the database's own pod."""
        return _brings_web_server(self.image, self.web_server)

    def has_web_gateway(self) -> bool:
        """Whether a web gateway stands in front of the database."""
        return self.web_gateway.is_on(built_in=self.offers_portal())


def _brings_web_server(image: str, told: bool | None) -> bool:
    return has_web_server(image) if told is None else told
