"""Whether journals stay until a backup with them is outside the cluster, and are cut with the rest.

A journal that IRIS has purged before is in no backup, and nothing goes on from there.
"""

from collections.abc import Mapping
from math import ceil

import pulumi

from components.backup.settings import BackupSettings
from components.cron import longest_gap_days
from components.iris import IrisSettings
from components.iris.journal_fits import days_kept, purged_by_backups


def unfit(iris: IrisSettings, backup: BackupSettings, *, snapshots: bool) -> str | None:
    """Why journals and backups do not fit together, with reason and cure; None if they do.

    Args:
        iris: the database.
        backup: what leaves the cluster.
        snapshots: whether the cluster has volume snapshots.
    """
    if iris.storage_class:
        return None  # Whoever takes snapshots, it is not this program.
    if iris.journals.volume_gib and not (snapshots and backup.snapshots.enabled):
        why, cure = (
            ("snapshots.enabled is false", "drop snapshots.enabled")
            if snapshots
            else (
                "the cluster has no volume snapshots (ha-iris:cluster.volumeSnapshots)",
                "give it the snapshot controller",
            )
        )
        return (
            f"{why}, and ha-iris:iris.journals.volumeGib {iris.journals.volume_gib} puts journals "
            "and databases on two volumes, which Longhorn by itself cuts at different moments: "
            "only while IRIS is frozen do they fit together; "
            f"{cure}, or drop ha-iris:iris.journals.volumeGib"
        )
    chosen = "journals" in backup.model_fields_set and backup.journals.enabled
    if chosen and iris.journals.volume_gib is None:
        return (
            "journals is configured, and journals lie beside the databases, of which nothing is "
            "uploaded without them; set ha-iris:iris.journals.volumeGib, or drop journals"
        )
    if not backup.has_store():
        return None
    return purged_too_early(
        days_kept(iris.cpf, iris.parameters.journal.days_before_purge),
        _schedules(iris, backup, snapshots=snapshots),
        late_seconds=backup.snapshots.starting_deadline_seconds,
        upload_seconds=backup.snapshots.upload_seconds,
    )


def _schedules(iris: IrisSettings, backup: BackupSettings, *, snapshots: bool) -> dict[str, str]:
    """When a backup is cut from which journals go on, by the key of its schedule.

    With a volume of journals that is a frozen one alone: Longhorn cuts two volumes by itself at
    different moments, and uploads of journals are no beginning.
    """
    frozen = snapshots and backup.snapshots.enabled
    schedules = {"snapshots.schedule": backup.snapshots.schedule} if frozen else {}
    if backup.uploads.enabled and not iris.journals.volume_gib:
        schedules["uploads.schedule"] = backup.uploads.when(beside_consistent=frozen)
    return schedules


def purged_too_early(
    days: int, schedules: Mapping[str, str], *, late_seconds: int, upload_seconds: int
) -> str | None:
    """Why a journal is purged before a backup that holds it is outside the cluster, with the sum.

    Args:
        days: that a journal stays.
        schedules: when a backup is cut, by the key of it; the most frequent one counts.
        late_seconds: how late such a run may begin.
        upload_seconds: how long its upload may take.
    """
    if not schedules:
        return None
    gaps = {key: longest_gap_days(schedule) for key, schedule in schedules.items()}
    key = min(gaps, key=lambda key: gaps[key])
    late, upload = late_seconds / 3600, upload_seconds / 3600
    hours = gaps[key] * 24 + late + upload
    if hours <= days * 24:
        return None
    return (
        f"{key} is {schedules[key]}, with up to {gaps[key]} days between two runs, and IRIS purges "
        f"a journal after {days} (ha-iris:iris.parameters.journal.daysBeforePurge): {gaps[key]} x "
        f"24 h + {late:g} h that a run may begin late + {upload:g} h for the upload are {hours:g} "
        f"h, more than {days * 24}, so journals would be purged before a backup with them is "
        f"outside the cluster; set daysBeforePurge to {ceil(hours / 24)} or more, or upload more "
        "often"
    )


def tell(iris: IrisSettings, backup: BackupSettings, *, stored: bool) -> None:
    """What a preview says of journals; ``stored``: there is a store for backups."""
    if purged_by_backups(iris.cpf, iris.parameters.journal.days_before_purge):
        pulumi.log.warn(
            "daysBeforePurge is 0: journals go by the number of IRIS's own backups alone, of which "
            "this program makes none and knows no schedule. Nobody has checked that they stay "
            "until a backup with them is outside the cluster, nor that they ever go "
            "(docs/journals.md)."
        )
    if iris.journals.volume_gib is None:
        return
    where = (
        f"on disks of StorageClass {iris.journals.storage_class}"
        if iris.journals.storage_class
        else "on the same disks as the databases, with which they are lost together, so that it "
        "protects little"
    )
    pulumi.log.info(
        f"Journals have a volume of {iris.journals.volume_gib} GiB of their own, {where}. Only "
        "snapshots of a frozen IRIS hold both at one moment, and the uploads that Longhorn makes "
        "by itself do not (docs/journals.md)."
    )
    if stored and not backup.journals.enabled:
        pulumi.log.warn(
            "ha-iris:backup.journals.enabled is false: with the cluster goes what was committed "
            "since the last backup (docs/journals.md)."
        )
    if iris.storage_class:
        pulumi.log.warn(
            "This program takes no snapshots on StorageClass "
            f"{iris.storage_class}: whoever does must freeze IRIS, or databases and journals are "
            "of different moments."
        )
