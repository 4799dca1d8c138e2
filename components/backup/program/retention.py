"""Which snapshots and backups have had their time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Taken:
    """All that one run took of one instance."""

    instance: str
    run: str
    moment: datetime
    good: bool
    """Consistent, all of it; of a backup, uploaded too."""
    busy: bool = False
    """Not finished, and nobody knows yet what becomes of it."""


def surplus(taken: Iterable[Taken], *, keep: int, days: int | None, now: datetime) -> list[Taken]:
    """What may go: beyond the newest ``keep`` good ones, or older than ``days``.

    The newest good one of an instance stays, however old. One that is not good counts for
    nothing and goes once there is a newer good one. What is busy stays. The API server keeps
    moments to the second: of two in one second, the name of the run says which is newer.
    """
    seen: dict[str, int] = {}
    going = []
    for one in sorted(taken, key=_age, reverse=True):
        newer = seen.get(one.instance, 0)
        if one.good:
            seen[one.instance] = newer + 1
        old = days is not None and one.moment < now - timedelta(days=days)
        if not one.busy and newer and (not one.good or newer >= keep or old):
            going.append(one)
    return going


def newest_good(taken: Iterable[Taken]) -> dict[str, Taken]:
    """The newest good one of each instance; one that is busy is none yet."""
    return {one.instance: one for one in sorted(taken, key=_age) if one.good and not one.busy}


def _age(one: Taken) -> tuple[datetime, str]:
    return one.moment, one.run
