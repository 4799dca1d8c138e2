"""What a stack may choose about Longhorn."""

import re
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from components.cron import Cron
from components.longhorn.encryption import EncryptionSettings
from components.settings import Cidr, Settings, open_to_all

# Newer releases: https://github.com/longhorn/longhorn/releases
CHART_VERSION = "1.12.1"


LEAST_ENGINE_TIMEOUT, MOST_ENGINE_TIMEOUT = 8, 30
"""Longhorn's engine-replica-timeout, seconds. The engine takes every other value for 8."""

GUARDED_ENGINE_TIMEOUT = 28
"""The same where IRIS is guarded.

TCP tries again about 3, 6.5, 13 and 26.6 s after a cut, so the copies outlive a cut of 26 s, and
twice as long, which Longhorn gives the last copy, is below the 60 s that its disks may take.
"""


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
    def _never_open_to_all(cls, ranges: tuple[Cidr, ...], info: ValidationInfo) -> tuple[Cidr, ...]:
        if ranges and info.data.get("enabled") is False:
            raise ValueError(
                "the interface is off, so nobody could be let in; drop the ranges, or drop enabled"
            )
        if open_to_all(ranges):
            raise ValueError(
                "Longhorn's interface has no login and can delete every volume; "
                "name the networks of the people who need it, or leave the list empty"
            )
        return ranges


class LonghornMaintenanceSettings(Settings):
    """What Longhorn does to all its volumes by schedule, in the time zone of the controllers."""

    trim_schedule: Cron | None = "23 3 * * 6"
    """When blocks that IRIS has freed are given back to the disks; None: never.

    It leaves the snapshots that somebody took alone. Not done with encryption: Longhorn opens such
    a volume so that it refuses to be trimmed.
    """

    snapshot_cleanup_schedule: Cron | None = None
    """When snapshots that Longhorn cut for itself are merged away; None: with each trim.

    Snapshots of people and of backups stay: it is no retention.
    """


class LonghornSettings(Settings):
    """Longhorn as this stack installs it; every other value follows from the cluster."""

    chart: str = "longhorn"
    """Name of the chart in the repository, or path of a folder or archive that holds it."""

    repository: str = Field(default="https://charts.longhorn.io", pattern=r"^https?://\S+$")
    """Helm repository of the chart; not used where ``chart`` is a path."""

    version: str = Field(default=CHART_VERSION, pattern=r"^1\.12\.\d+$")
    """Chart version. The values that this program sets are checked against 1.12.1."""

    image_registry: str | None = Field(
        default=None, pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*$"
    )
    """Registry that mirrors Longhorn's images, for clusters without access to Docker Hub."""

    replicas: int = Field(default=3, ge=1, le=10)
    """Copies of the database volume, each on a node of its own."""

    data_path: str = Field(default="/var/lib/longhorn/", pattern=r"^(/[\w.-]+)+/$")
    """Folder on each node that holds the copies; ends with a slash."""

    kubelet_root_dir: str | None = Field(default=None, pattern=r"^(/[\w.-]+)+$")
    """Folder that the nodes' kubelet keeps its files in; None: Longhorn finds it.

    microk8s hides its own, /var/snap/microk8s/common/var/lib/kubelet, and must name it.
    """

    over_provisioning_percentage: int = Field(default=100, ge=100, le=500)
    """How much may be promised on a disk, in percent of its size."""

    encryption: EncryptionSettings = EncryptionSettings()
    """Encryption of the volumes."""

    engine_replica_timeout_seconds: int | None = Field(
        default=None, ge=LEAST_ENGINE_TIMEOUT, le=MOST_ENGINE_TIMEOUT
    )
    """How long Longhorn waits for a copy that does not answer before it goes on without, s.

    Every write waits so long when the node of a copy vanishes; on a node that is cut off nothing
    is acknowledged before. None: 28 where IRIS is guarded, which must be over before
    (docs/isolation.md), and otherwise 8, Longhorn's own. Reaches a volume when it is next attached.
    """

    maintenance: LonghornMaintenanceSettings = LonghornMaintenanceSettings()
    """Work of its own that comes back."""

    ui: LonghornUiSettings = LonghornUiSettings()
    """Longhorn's web interface."""

    def engine_timeout(self, *, guarded: bool) -> int:
        """Longhorn's engine-replica-timeout, seconds."""
        by_itself = GUARDED_ENGINE_TIMEOUT if guarded else LEAST_ENGINE_TIMEOUT
        return self.engine_replica_timeout_seconds or by_itself

    @field_validator("chart")
    @classmethod
    def _exists(cls, chart: str) -> str:
        if "/" in chart and not chart.startswith("oci://") and not Path(chart).exists():
            raise ValueError(
                "there is no such folder or archive; name one, seen from the project's folder, or "
                "drop chart for the one in the repository"
            )
        return chart

    @field_validator("data_path")
    @classmethod
    def _is_a_folder_for_data(cls, path: str) -> str:
        if ".." in path.split("/") or re.match(r"^/(bin|boot|dev|etc|lib|proc|run|sys|usr)/", path):
            raise ValueError(
                "the system keeps its own files there, or nothing that stays; name a folder for "
                "data, such as /var/lib/longhorn/"
            )
        return path
