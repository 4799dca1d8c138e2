"""What a stack may choose about cert-manager."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.settings import AnnotationKey, KubernetesName, Settings

# Newer releases: https://github.com/cert-manager/cert-manager/releases. tests/crds pins the Go
# module of the same release, whose schemas our objects are checked against: move both.
VERSION = "v1.21.2"


class IssuerSettings(Settings):
    """An Issuer of cert-manager that exists."""

    name: KubernetesName
    """Its name."""

    kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """An Issuer is one of IRIS's namespace, a ClusterIssuer one of the whole cluster."""


class CertManagerSettings(Settings):
    """cert-manager: taken as it is where the cluster has one, or installed by this program."""

    install: bool = False
    """Install it from its chart. A cluster has one at most: leave it off where there is one."""

    namespace: KubernetesName = "cert-manager"
    """Where it is, or is to be. A namespace that is installed into is created by this program."""

    chart: str = Field(default="cert-manager", validate_default=True)
    """Name of the chart in the repository, or path of a folder or archive that holds it."""

    repository: str = Field(default="https://charts.jetstack.io", pattern=r"^https?://\S+$")
    """Helm repository of the chart; not used where ``chart`` is a path."""

    version: str = Field(default=VERSION, pattern=r"^v1\.21\.\d+$")
    """Chart version. The values that this program sets are checked against v1.21.2."""

    image_registry: str | None = Field(
        default=None, pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*$"
    )
    """Registry that mirrors quay.io, for clusters without access to it."""

    service_account_annotations: dict[AnnotationKey, str] = Field(default={}, validate_default=True)
    """Annotations of its ServiceAccount, which bind it to an identity of the cloud (DNS01)."""

    pod_labels: dict[AnnotationKey, str] = Field(default={}, validate_default=True)
    """Labels of its pods; Azure's workload identity wants azure.workload.identity/use."""

    @field_validator("chart")
    @classmethod
    def _exists(cls, chart: str) -> str:
        if "/" in chart and not chart.startswith("oci://") and not Path(chart).exists():
            raise ValueError(
                "there is no such folder or archive; name one, seen from the project's folder, or "
                "drop chart for the one in the repository"
            )
        return chart

    @field_validator("service_account_annotations", "pod_labels")
    @classmethod
    def _is_installed_here(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if value and info.data.get("install") is False:
            raise ValueError(
                "a cert-manager that somebody else installed is theirs to annotate; set install "
                "to true, or do it there"
            )
        return value
