"""Judges what clients were told against what the database holds. Knows nothing of either's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from drills.attempts import Attempt


@dataclass(frozen=True)
class Verdict:
    """What is left of the commits of one run."""

    acknowledged: int
    """How many commits the database said yes to."""
    missing: tuple[int, ...]
    """Acknowledged numbers that are not there: what was lost (RPO, in commits)."""
    appeared: tuple[int, ...]
    """Numbers of unknown outcome that are there: no fault, and an application must expect it."""
    absent: tuple[int, ...]
    """Numbers of unknown outcome that are not there."""
    ghosts: tuple[int, ...]
    """Numbers that are there though nobody asked to commit them."""
    duplicates: tuple[int, ...]
    """Numbers that are there more than once."""
    two_writers: tuple[tuple[str, str], ...]
    """Pairs of database starts that acknowledged at overlapping times."""

    @property
    def clean(self) -> bool:
        """Whether nothing acknowledged was lost and nothing is there that should not be."""
        return not (self.missing or self.ghosts or self.duplicates or self.two_writers)


def check(attempts: Iterable[Attempt], rows: Iterable[int]) -> Verdict:
    """Compare.

    Args:
        attempts: those of every client of the run, also of one on the far side of a partition.
        rows: the numbers in the table after recovery, as often as they are there.
    """
    tried = list(attempts)
    there = Counter(rows)
    by_outcome = {
        outcome: {a.number for a in tried if a.outcome == outcome}
        for outcome in ("acknowledged", "failed", "unknown")
    }
    acknowledged, unknown = by_outcome["acknowledged"], by_outcome["unknown"]
    return Verdict(
        acknowledged=len(acknowledged),
        missing=_sorted(acknowledged - there.keys()),
        appeared=_sorted((unknown - acknowledged) & there.keys()),
        absent=_sorted(unknown - acknowledged - there.keys()),
        ghosts=_sorted(there.keys() - acknowledged - unknown),
        duplicates=_sorted({number for number, times in there.items() if times > 1}),
        two_writers=_overlaps(tried),
    )


def _sorted(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(numbers))


def _overlaps(attempts: Iterable[Attempt]) -> tuple[tuple[str, str], ...]:
    """Writers of which one had not yet ended when the other had already begun to acknowledge.

    A commit that was acknowledged was carried out at some moment between its begin and its end: the
    first one of a writer surely by its end, the last one surely after its begin.
    """
    surely: dict[str, tuple[float, float]] = {}
    for attempt in attempts:
        if attempt.good and attempt.writer:
            first, last = surely.get(attempt.writer, (attempt.ended, attempt.begun))
            surely[attempt.writer] = (min(first, attempt.ended), max(last, attempt.begun))
    ordered = sorted(surely.items(), key=lambda item: item[1])
    return tuple(
        (one, other)
        for at, (one, (_, last)) in enumerate(ordered)
        for other, (first, _) in ordered[at + 1 :]
        if first < last
    )
