"""What a stack may choose about snapshots of a frozen database."""

from zoneinfo import available_timezones

from pydantic import Field, ValidationInfo, field_validator

from components.capacity.disk import KeptSnapshots
from components.cron import Cron, longest_gap_days, runs_a_day
from components.settings import ContainerImage, Settings

# Newer tags: https://hub.docker.com/_/python (a Docker Official Image).
PYTHON_IMAGE = "docker.io/library/python:3.14.4-slim-trixie"

PATIENCE = 15
"""Seconds without a sign of life of the job, after which IRIS is thawed in its pod."""

BESIDE_THE_SNAPSHOT = 30
"""Seconds that a freeze may take beside its snapshot: two questions to IRIS, of which each is
given up after 15."""


class ConsistentSnapshotSettings(Settings):
    """Snapshots that are cut while IRIS is frozen, of all its volumes at once, by schedule.

    Made where Longhorn is installed and the cluster has volume snapshots. docs/backup.md.
    """

    enabled: bool = True
    """Take them. Without it every snapshot and backup is what a power failure would have left."""

    schedule: Cron = "43 0 * * *"
    """When. A run that finds another one still at work is left out."""

    time_zone: str | None = None
    """Time zone of the schedule, as in Europe/Berlin; None: iris.timeZone."""

    keep: int = Field(default=2, ge=1, le=100)
    """How many good ones to keep inside Longhorn; each holds what was overwritten since.

    The newest good one always stays. One during which the freeze did not hold counts for nothing.
    """

    keep_days: int | None = Field(default=None, ge=1, le=3650)
    """Days after which one goes even if fewer are there; None: only their number counts."""

    changed_percent: int = Field(default=10, ge=0, le=100)
    """How much of a volume is written anew in a day, percent, for the sum of the nodes' disks.

    An estimate until you measure yours: docs/sizing.md.
    """

    keep_uploads: int = Field(default=14, ge=1, le=1000)
    """How many of them to keep outside the cluster, where there is a store."""

    keep_uploads_days: int | None = Field(default=None, ge=1, le=3650)
    """Days after which one goes from the store; None: only their number counts."""

    snapshot_seconds: int = Field(default=60, ge=10, le=480)
    """How long Longhorn may take to cut all snapshots of one IRIS, while it is frozen."""

    freeze_seconds: int = Field(default=120, le=540)
    """After how many seconds IRIS ends a freeze by itself (WDSuspendLimit of ExternalFreeze).

    The last of all ways to thaw, for when nobody is left to do it. Users are blocked after 600.
    """

    upload_seconds: int = Field(default=6 * 3600, ge=60, le=48 * 3600)
    """How long the upload of one IRIS may take before the run counts as failed."""

    starting_deadline_seconds: int = Field(default=3600, ge=10, le=86400)
    """How late a run may begin, as after an outage of the control plane, before it is left out."""

    image: ContainerImage = PYTHON_IMAGE
    """Image with Python 3.11 or newer for the job; its program is this project's."""

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, time_zone: str | None) -> str | None:
        if time_zone is not None and time_zone not in available_timezones():
            raise ValueError("no such time zone; use a name as in Europe/Berlin or UTC")
        return time_zone

    @field_validator("freeze_seconds")
    @classmethod
    def _outlasts_the_snapshot(cls, freeze: int, info: ValidationInfo) -> int:
        snapshot = info.data.get("snapshot_seconds")
        if snapshot is not None and freeze < snapshot + BESIDE_THE_SNAPSHOT:
            least = snapshot + BESIDE_THE_SNAPSHOT
            raise ValueError(
                f"snapshotSeconds {snapshot} and up to {BESIDE_THE_SNAPSHOT} for the freeze and "
                "the check may pass before the job thaws IRIS, and a snapshot during which IRIS "
                f"resumed by itself is worth no more than one without a freeze; set it to {least} "
                f"or more, or snapshotSeconds to less"
            )
        return freeze

    def kept(self) -> KeptSnapshots:
        """What of them stays inside Longhorn."""
        days = longest_gap_days(self.schedule) / runs_a_day(self.schedule)
        return KeptSnapshots(self.keep if self.enabled else 0, days, self.changed_percent)
