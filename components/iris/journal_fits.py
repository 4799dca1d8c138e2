"""Whether what a stack file says of journals fits the rest of what it says of the database."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from pydantic import ValidationInfo

from components.iris.journal_settings import JournalSettings
from components.iris.restore.instances import journals_fault
from components.iris.restore.settings import RestoreSettings
from components.iris.restore.source_settings import SourceSettings, claim_name

FILE_MB = 1024
"""Size at which IRIS begins a new journal, unless told otherwise (CPF, FileSizeLimit)."""

DAYS = 2
"""Days that a journal stays, unless told otherwise (CPF, DaysBeforePurge)."""

FULL_PERCENT = 80
"""How far journals may fill what holds them: there the first alert is sent (IrisVolumeFills)."""

PURGED_BY_THE_ARCHIVE = ("purgearchived", "purgearchive")
"""What IRIS's own file says, and what the CPF reference calls it."""

DIRECTORIES = ("currentdirectory", "alternatedirectory")


def journals_fit(journals: JournalSettings, info: ValidationInfo) -> JournalSettings:
    """A check of ``journals`` after form, volumes, restore, lines of ``cpf`` and ``parameters``.

    Raises:
        ValueError: with reason and cure.
    """
    data = info.data
    if data.get("form") == "operator" and journals != JournalSettings():
        raise ValueError(
            "the operator makes volumes of its own for journals; set "
            "operator.storage.journal1Gib and journal2Gib, and drop journals"
        )
    if journals.volume_gib and journals.since_volume > (last := data.get("volume", 99)):
        raise ValueError(
            f"sinceVolume is {journals.since_volume}, and the volume in use is {last}; set it to "
            f"{last} or less"
        )
    parameters = data.get("parameters")
    kept = parameters and parameters.journal
    if kept and kept.days_before_purge == 0 and not kept.backups_before_purge:
        raise ValueError(
            "parameters.journal.daysBeforePurge is 0, so that journals go by the number of IRIS's "
            "own backups alone: this program makes none and tells IRIS of none "
            "(ExternalSetHistory), so unless you do, no journal goes and they fill the volume; set "
            "it to 1 or more, or backupsBeforePurge to the number of your own backups"
        )
    for name in journal_lines(data.get("cpf") or {}):
        if name in DIRECTORIES and journals.volume_gib:
            raise ValueError(
                f"volumeGib is {journals.volume_gib}, and iris.cpf says {name} too; drop the "
                "line there"
            )
        if name in PURGED_BY_THE_ARCHIVE:
            raise ValueError(
                f"iris.cpf says {name}, by which IRIS purges what it has archived, whatever "
                "daysBeforePurge says and before a backup has it; drop the line there"
            )
    _filled_together(journals, data.get("restore"), data.get("volume", 1))
    _hold_what_stays(journals, data)
    return journals


def _filled_together(
    journals: JournalSettings, restore: RestoreSettings | None, volume: int
) -> None:
    if restore is None:
        return
    if restore.replay_gib and restore.replay is None:
        raise ValueError(
            f"restore.replayGib is {restore.replay_gib}, and there is nothing to replay; name "
            "restore.replay, or drop it"
        )
    if fault := journals_fault(
        restore.instances,
        volume_gib=journals.volume_gib,
        storage_class=journals.storage_class,
    ):
        raise ValueError(fault)
    source = restore.journals
    if source and not journals.volume_gib:
        raise ValueError(
            "restore.journals fills a volume of journals, and they have none here; set volumeGib "
            "to its size, or drop restore.journals"
        )
    if not journals.volume_gib or source == "empty" or restore.data is None:
        return
    if source is None:
        raise ValueError(
            f"volumeGib is {journals.volume_gib}, and restore fills the volume of the databases "
            "alone, which IRIS cannot recover without its journals; name restore.journals, the "
            "other part of the same run, or set it to empty where restore.data is from a time "
            "before the journals had a volume"
        )
    kinds = [_kind(one) for one in (restore.data, source)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"restore.data is a {kinds[0]} and restore.journals a {kinds[1]}, which nobody cuts at "
            "once; name two of a kind, of one run"
        )
    if source.claim == claim_name("iris-journals", volume):
        raise ValueError(
            f"restore.journals.claim is {source.claim}, which is the volume that is to be filled; "
            f"set iris.volume to {volume + 1}"
        )
    if source.backup and journals.storage_class:
        raise ValueError(
            "a backup is restored through a StorageClass like that of this program's own Longhorn, "
            f"and journals.storageClass {journals.storage_class} is another; name "
            "restore.journals.snapshot, or drop journals.storageClass"
        )


def _kind(source: SourceSettings) -> str:
    return source.told().split()[0]


def _hold_what_stays(journals: JournalSettings, data: Mapping[str, Any]) -> None:
    """Whether there is room for the journals of a busy day as long as they stay."""
    storage_gib, parameters = data.get("storage_gib"), data.get("parameters")
    if parameters is None or storage_gib is None:
        return
    mb = parameters.journal.file_size_limit or FILE_MB
    if journals.volume_gib and journals.volume_gib * 1024 < 3 * mb:
        raise ValueError(
            f"volumeGib is {journals.volume_gib}, and a journal grows to {mb} MB "
            "(parameters.journal.fileSizeLimit): the one that IRIS writes, the one before that it "
            f"compresses, and the result want {3 * mb}; set volumeGib to {ceil(3 * mb / 1024)} or "
            "more, or lower fileSizeLimit"
        )
    if journals.daily_gib is None:
        return
    gib = journals.volume_gib or storage_gib
    key = "volumeGib" if journals.volume_gib else "iris.storageGib"
    days = days_kept(data.get("cpf") or {}, parameters.journal.days_before_purge)
    # IRIS also keeps the last file of the day before the limit ("Configuring Journaling").
    needed = journals.daily_gib * (days + 1) + 2 * mb / 1024
    if needed > gib * FULL_PERCENT / 100:
        raise ValueError(
            f"dailyGib is {journals.daily_gib:g}, and journals stay {days} days "
            f"(parameters.journal.daysBeforePurge): {journals.daily_gib:g} x ({days} + 1 for today)"
            f" + 2 files of {mb} MB are {needed:g} GiB, and of {key} {gib} they may fill "
            f"{gib * FULL_PERCENT / 100:g} ({FULL_PERCENT} %"
            f"{'' if journals.volume_gib else ', if there were no databases'}); set {key} to "
            f"{ceil(needed * 100 / FULL_PERCENT)} or more, or lower daysBeforePurge"
        )


def journal_lines(cpf: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Parameters of [Journal] that a stack file writes as lines, in lower case."""
    pairs = [line.partition("=") for line in cpf.get("Journal", ())]
    for line in cpf.get("Actions", ()):
        kind, _, properties = line.partition(":")
        if kind.lower() == "modifyjournal":
            pairs += [part.partition("=") for part in properties.split(",")]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def days_kept(cpf: Mapping[str, tuple[str, ...]], chosen: int | None) -> int:
    """After how many days a journal goes at the latest; 100 stands for no number of days."""
    return _days(cpf, chosen) or 100


def purged_by_backups(cpf: Mapping[str, tuple[str, ...]], chosen: int | None) -> bool:
    """Whether no number of days makes a journal go."""
    return _days(cpf, chosen) == 0


def _days(cpf: Mapping[str, tuple[str, ...]], chosen: int | None) -> int:
    if chosen is not None:
        return chosen
    line = journal_lines(cpf).get("daysbeforepurge", "")
    return int(line) if line.isdigit() else DAYS
