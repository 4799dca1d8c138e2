"""What a stack may choose about Longhorn."""

from pydantic import Field, field_validator

from components.settings import Cidr, Settings

# Newer releases: https://github.com/longhorn/longhorn/releases
CHART_VERSION = "1.12.1"


class LonghornUiSettings(Settings):
    """Longhorn's web interface. It has no login of its own, so it is never exposed by default."""

    enabled: bool = True
    """Run the interface, reachable with kubectl port-forward."""

    load_balancer_source_ranges: tuple[Cidr, ...] = ()
    """Networks that may reach it through a LoadBalancer service; empty keeps it inside.

    On EKS, AKS and GKE its address is one of the nodes' network.
    """

    @field_validator("load_balancer_source_ranges")
    @classmethod
    def _never_open_to_all(cls, ranges: tuple[Cidr, ...]) -> tuple[Cidr, ...]:
        if any(network.prefixlen == 0 for network in ranges):
            raise ValueError(
                "Longhorn's interface has no login and can delete every volume; "
                "name the networks of the people who need it, or leave the list empty"
            )
        return ranges


class LonghornSettings(Settings):
    """Longhorn as this stack installs it; every other value follows from the cluster."""

    chart: str = "longhorn"
    """Name of the chart in the repository, or path of a folder or archive that holds it."""

    repository: str = Field(default="https://charts.longhorn.io", pattern=r"^https?://\S+$")
    """Helm repository of the chart; not used where ``chart`` is a path."""

    version: str = Field(default=CHART_VERSION, pattern=r"^1\.12\.\d+$")
    """Chart version. The values that this program sets are checked against 1.12.1."""

    image_registry: str | None = None
    """Registry that mirrors Longhorn's images, for clusters without access to Docker Hub."""

    replicas: int = Field(default=3, ge=1, le=10)
    """Copies of the database volume, each on a node of its own."""

    data_path: str = Field(default="/var/lib/longhorn/", pattern=r"^/.+/$")
    """Folder on each node that holds the copies; ends with a slash."""

    kubelet_root_dir: str | None = Field(default=None, pattern=r"^/.*[^/]$")
    """Folder that the nodes' kubelet keeps its files in; None: Longhorn finds it.

    microk8s hides its own, /var/snap/microk8s/common/var/lib/kubelet, and must name it.
    """

    over_provisioning_percentage: int = Field(default=100, ge=100, le=500)
    """How much may be promised on a disk, in percent of its size."""

    ui: LonghornUiSettings = LonghornUiSettings()
    """Longhorn's web interface."""
