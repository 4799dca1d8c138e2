"""What a stack may choose about its backups, whoever keeps them."""

from pydantic import Field, model_validator

from components.backup.rehearsal_settings import RehearsalSettings
from components.backup.snapshot_settings import ConsistentSnapshotSettings
from components.cron import Cron
from components.settings import Settings


class UploadSettings(Settings):
    """Backups that Longhorn uploads by itself, of every volume it has.

    They hold what a power failure would have left: IRIS recovers from one as from a crash.
    """

    enabled: bool = True
    """Upload by schedule. Without it nothing leaves the cluster by Longhorn's own doing."""

    schedule: Cron | None = None
    """When, in the time zone of the cluster's controllers, which is UTC on EKS, AKS and GKE.

    None: at 1:17, daily, and on Sundays alone where a frozen database is uploaded too.
    """

    retain: int = Field(default=14, ge=2, le=100)
    """How many of these backups to keep; Longhorn's own limit is 100. Others are not counted."""

    full_every: int | None = Field(default=None, ge=1, le=365)
    """Of how many uploads one sends every block anew; None: only what has changed, after the first.

    A full one takes as long as the whole volume and cures a block that was damaged in the store.
    """

    def when(self, *, beside_consistent: bool) -> str:
        """The schedule. Never none at all: an upload that freezes nothing fails for fewer reasons.

        It must not end with the others either, as these backups are removed by their own job.

        Args:
            beside_consistent: whether a frozen database is uploaded by schedule too.
        """
        return self.schedule or ("17 1 * * 0" if beside_consistent else "17 1 * * *")


class SystemBackupSettings(Settings):
    """Copies of Longhorn's own objects (volumes, classes, recurring jobs), without any data."""

    enabled: bool = True
    """Write one by schedule, wherever there is a store."""

    schedule: Cron = "47 1 * * 0"
    """When, as for uploads."""

    retain: int = Field(default=4, ge=1, le=100)
    """How many to keep."""


class JournalUploadSettings(Settings):
    """Uploads of the volume of journals alone, between the backups of everything.

    Made where journals have a volume of their own and there is a store (docs/journals.md). They
    carry the last backup on: journals are only ever added to, so no freeze is needed.
    """

    enabled: bool = True
    """Upload them by schedule. Without it the loss of the cluster loses what was committed since
    the last backup."""

    schedule: Cron = "*/15 * * * *"
    """When, as for uploads: what lies between two of them is lost with the cluster."""

    retain: int = Field(default=8, ge=2, le=100)
    """How many to keep. Each holds all journals that were there at its moment."""


class BackupSettings(Settings):
    """What every stack may choose; each kind of store adds its own."""

    enabled: bool = True
    """Keep backups outside the cluster, where there is a store for them."""

    uploads: UploadSettings = UploadSettings()
    """Backups that Longhorn uploads by itself."""

    system_backup: SystemBackupSettings = SystemBackupSettings()
    """Copies of Longhorn's own objects in the store."""

    journals: JournalUploadSettings = JournalUploadSettings()
    """Uploads of the volume of journals."""

    snapshots: ConsistentSnapshotSettings = ConsistentSnapshotSettings()
    """Snapshots of a frozen database, uploaded where there is a store."""

    rehearsal: RehearsalSettings = RehearsalSettings()
    """Rehearsals of the restore, from the store where there is one."""

    def has_store(self) -> bool:
        """Whether there is anything outside the cluster that backups could go to."""
        return self.enabled

    @model_validator(mode="after")
    def _uploads_have_a_store(self) -> "BackupSettings":
        for name in ("uploads", "system_backup", "journals"):
            group = getattr(self, name)
            if name in self.model_fields_set and group.enabled and not self.has_store():
                key = type(self).model_fields[name].alias
                raise ValueError(
                    f"{key} is configured and there is no store that it could write to; "
                    f"name one in this group, or drop {key}"
                )
        return self
