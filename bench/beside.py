"""Wall times, each beside its floor: what the same machine takes at the same time for the least.

A busy machine slows both alike, so the ratio says more than the seconds. Whoever measures several
runs them in turn, never one after the other, for the same reason.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Measure = Callable[[], float]
"""Does something once and gives its seconds."""


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, and its floor in the same run."""

    group: str
    what: str
    seconds: list[float]
    floor: str
    """What the floor is, in words."""
    floor_seconds: list[float]
    facts: Mapping[str, object] = field(default_factory=dict)
    """Such as how many resources were planned."""

    @property
    def median(self) -> float:
        """The middle of its times, seconds."""
        return statistics.median(self.seconds)

    @property
    def floor_median(self) -> float:
        """The middle of the floor's times, seconds."""
        return statistics.median(self.floor_seconds)

    @property
    def ratio(self) -> float:
        """How many times its floor it takes."""
        return self.median / self.floor_median

    def summary(self) -> dict[str, object]:
        """As data, to be written."""
        return {
            "group": self.group,
            "what": self.what,
            "median": round(self.median, 3),
            "floor": self.floor,
            "floorMedian": round(self.floor_median, 3),
            "ratio": round(self.ratio, 3),
            "seconds": [round(value, 3) for value in self.seconds],
            "floorSeconds": [round(value, 3) for value in self.floor_seconds],
            **self.facts,
        }


def in_turn(
    group: str,
    measures: Mapping[str, Measure],
    *,
    floor: str,
    runs: int,
    facts: Mapping[str, Mapping[str, object]] | None = None,
) -> list[Figure]:
    """Measure everything ``runs`` times in turn, after one of each that fills caches.

    Args:
        group: heading of these figures.
        measures: by name; that of the floor is among them.
        floor: which of them is the floor of the others.
        runs: how often.
        facts: more to tell of each, by name.
    """
    for measure in measures.values():
        measure()
    seconds: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(runs):
        for name, measure in measures.items():
            seconds[name].append(measure())
    return [
        Figure(group, name, found, floor, seconds[floor], (facts or {}).get(name, {}))
        for name, found in seconds.items()
        if name != floor
    ]


def command(*arguments: str) -> Measure:
    """Seconds of a whole command of this Python, from its start to its end.

    Raises:
        subprocess.CalledProcessError: it failed; its output is in the error.
    """

    def run() -> float:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
        )
        return time.perf_counter() - begun

    return run
