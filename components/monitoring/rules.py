"""The alerts, as rule files of Prometheus, each about one subject."""

from collections.abc import Callable, Mapping
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

    hung_seconds: int
    """How long IRIS may report itself hung: longer than any freeze."""

    longhorn_namespace: str | None
    """Namespace of Longhorn; None where the volume is of another class."""

    kept_free_percent: int
    """Free share of a disk below which Longhorn puts no new copy there."""

    community_ends: date | None
    """Day about which this Community Edition starts no more; None for a licensed image."""

    runbooks: str
    """Where the runbooks are read."""


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
    Subject("longhorn", lambda watched: watched.longhorn_namespace is not None),
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
        "HUNG_SECONDS": str(watched.hung_seconds),
        "KEPT_FREE_PERCENT": str(watched.kept_free_percent),
        "COMMUNITY_ENDS": f"{ends.timestamp():.0f}",
        "RUNBOOKS": watched.runbooks,
    }
