"""What Longhorn does by schedule: uploads, copies of its own objects, upkeep."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.backup.settings import BackupSettings
from components.longhorn.settings import LonghornMaintenanceSettings

EVERY_VOLUME = "default"
"""Group of the volumes that no label takes elsewhere: those of every claim, old ones too."""

JOURNALS = "ha-iris-journals"
"""Group of the volumes of journals, beside the one of every volume."""

LEFT_ALONE: Mapping[str, str] = {
    "recurring-job.longhorn.io/source": "enabled",
    "recurring-job-group.longhorn.io/none": "enabled",
}
"""Labels of a claim whose volume no recurring job touches, such as that of a rehearsal.

Without them a copy that lives for an hour may be uploaded, and stays in the store for ever: a
recurring job removes the backups of a volume only while that volume is there."""


@dataclass(frozen=True)
class RecurringJob:
    """One job, of which Longhorn makes a CronJob (longhorn.io/v1beta2, RecurringJob)."""

    role: str
    """Last part of its name."""

    task: str
    cron: str
    retain: int = 0
    """How many of its own results it keeps; 0 where it makes none."""

    group: str = EVERY_VOLUME
    """Of which volumes it takes care."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """What each of its snapshots and backups carries."""

    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in Kubernetes; Longhorn takes 40 characters."""
        return f"ha-iris-{self.role}"

    def spec(self) -> dict[str, Any]:
        """Every field: what is left out Longhorn's webhook adds, and each `up` would find it."""
        return {
            "name": self.name,
            "task": self.task,
            "cron": self.cron,
            "retain": self.retain,
            # One volume after the other: rebuilds and IRIS use the same disks.
            "concurrency": 1,
            "groups": [] if self.task == "system-backup" else [self.group],
            "labels": dict(self.labels),
            "parameters": dict(self.parameters),
        }


def recurring_jobs(
    maintenance: LonghornMaintenanceSettings,
    backup: BackupSettings | None,
    *,
    encrypted: bool = False,
    beside_consistent: bool = False,
    journals: bool = False,
) -> Iterator[RecurringJob]:
    """The jobs of a stack.

    None is of the task ``snapshot-delete``: it removes snapshots whoever made them, those from
    before an upgrade and those of other backups too.

    Args:
        maintenance: upkeep of the volumes.
        backup: what to upload; None: there is no store.
        encrypted: whether the volumes are, in which case they refuse to be trimmed.
        beside_consistent: whether a frozen database is uploaded by schedule too.
        journals: whether there are volumes of journals.
    """
    if backup and journals and backup.journals.enabled:
        yield RecurringJob(
            "journals",
            "backup",
            backup.journals.schedule,
            retain=backup.journals.retain,
            group=JOURNALS,
            labels={"consistency": "journals"},
        )
    if backup and backup.uploads.enabled:
        uploads = backup.uploads
        full = {"full-backup-interval": str(uploads.full_every)} if uploads.full_every else {}
        yield RecurringJob(
            "upload",
            "backup",
            uploads.when(beside_consistent=beside_consistent),
            retain=uploads.retain,
            labels={"consistency": "crash"},
            parameters=full,
        )
    if backup and backup.system_backup.enabled:
        yield RecurringJob(
            "system-backup",
            "system-backup",
            backup.system_backup.schedule,
            retain=backup.system_backup.retain,
            # The data has its own job: with another policy it would be uploaded here too.
            parameters={"volume-backup-policy": "disabled"},
        )
    if maintenance.trim_schedule and not encrypted:
        yield RecurringJob("trim", "filesystem-trim", maintenance.trim_schedule)
    if maintenance.snapshot_cleanup_schedule:
        yield RecurringJob(
            "snapshot-cleanup", "snapshot-cleanup", maintenance.snapshot_cleanup_schedule
        )
