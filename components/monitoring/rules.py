"""The alerts, as rule files of Prometheus, each about one subject."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("rules")


@dataclass(frozen=True)
class Watched:
    """What the rules are about."""

    namespace: str
    """Namespace of IRIS."""

    instances: int
    """How many databases there are to read."""

    hung_seconds: int
    """How long IRIS may report itself hung: longer than any freeze."""

    longhorn_namespace: str | None
    """Namespace of Longhorn; None where the volume is of another class."""

    kept_free_percent: int
    """Free share of a disk below which Longhorn puts no new copy there."""

    community_ends: date | None
    """Day about which this Community Edition starts no more; None for a licensed image."""

    backup_old_seconds: int | None
    """Age at which the newest backup of a frozen database is old; None where none is scheduled."""

    upload_old_seconds: int | None
    """Age at which the newest backup outside the cluster is old; None where none is scheduled."""

    guarded: bool
    """Whether the isolation guard runs beside IRIS."""

    certificates: Sequence[str]
    """Certificates of cert-manager that access or superserver need, by name; maybe none."""

    runbooks: str
    """Where the runbooks are read."""

    rehearsal_days: int | None = None
    """Days after which a restore should have been rehearsed again; None: nobody rehearses."""

    journals: Sequence[str] = ()
    """Claims of the volumes of journals that are uploaded by themselves; maybe none."""

    journals_old_seconds: int = 0
    """Age at which the newest upload of such a volume is old."""

    fenced: bool = False
    """Whether silent nodes are fenced."""


@dataclass(frozen=True)
class Subject:
    """A rule file, and the stacks that it is for."""

    name: str
    applies: Callable[[Watched], bool] = lambda _: True


SUBJECTS = (
    Subject("iris"),
    Subject("space"),
    Subject("licence", lambda watched: watched.community_ends is None),
    Subject("community", lambda watched: watched.community_ends is not None),
    Subject("rehearsal", lambda watched: watched.rehearsal_days is not None),
    Subject("longhorn", lambda watched: watched.longhorn_namespace is not None),
    Subject("backup", lambda watched: watched.backup_old_seconds is not None),
    Subject("uploads", lambda watched: watched.upload_old_seconds is not None),
    Subject("journals", lambda watched: bool(watched.journals)),
    Subject("guard", lambda watched: watched.guarded),
    Subject("fencing", lambda watched: watched.fenced),
    Subject("certificates", lambda watched: bool(watched.certificates)),
)
"""Every file of the folder rules/. One more needs a line here, its cases in tests/lab/alerts/ and
a heading for each alert in docs/runbooks.md."""


def rule_files(watched: Watched) -> dict[str, dict[str, Any]]:
    """Rule files by subject, as Prometheus reads them; what does not apply is left out."""
    return {
        subject.name: yaml.safe_load(_filled_in(subject, watched))
        for subject in SUBJECTS
        if subject.applies(watched)
    }


def _filled_in(subject: Subject, watched: Watched) -> str:
    text = (FOLDER / f"{subject.name}.yaml").read_text()
    for word, value in _words(watched).items():
        text = text.replace(word, value)
    return text


def _words(watched: Watched) -> Mapping[str, str]:
    """What stands for each word in capitals."""
    ends = datetime.combine(watched.community_ends or date.max, time(), UTC)
    return {
        "IRIS_NAMESPACE": watched.namespace,
        "LONGHORN_NAMESPACE": watched.longhorn_namespace or "",
        "INSTANCES": str(watched.instances),
        "HUNG_SECONDS": str(watched.hung_seconds),
        "KEPT_FREE_PERCENT": str(watched.kept_free_percent),
        "COMMUNITY_ENDS": f"{ends.timestamp():.0f}",
        "BACKUP_OLD_SECONDS": str(watched.backup_old_seconds),
        "UPLOAD_OLD_SECONDS": str(watched.upload_old_seconds),
        "JOURNAL_CLAIMS": "|".join(watched.journals),
        "JOURNALS_OLD_SECONDS": str(watched.journals_old_seconds),
        "CERTIFICATE_NAMES": "|".join(watched.certificates),
        "CERTIFICATE_COUNT": str(len(watched.certificates)),
        "REHEARSAL_SECONDS": str((watched.rehearsal_days or 0) * 86400),
        "RUNBOOKS": watched.runbooks,
    }
