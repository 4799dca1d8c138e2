"""Things that look again from time to time, and not whenever something has changed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable


class Rhythm:
    """One beat in each period for every name, each at a phase of its own, as daemons have."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        seed: int | None = None,
    ) -> None:
        """Beat every so many seconds; 0: whenever it is asked."""
        self._seconds = seconds
        self._clock = clock
        self._phase = random.Random(seed)
        self._next: dict[str, float] = {}

    def beats(self, names: Iterable[str]) -> set[str]:
        """Those of these names whose moment has come since they were last asked for.

        A name that is not among them is forgotten: it begins anew when it is.
        """
        asked = set(names)
        if not self._seconds:
            return asked
        now = self._clock()
        due = {name: self._next.get(name) for name in asked}
        self._next = {
            name: now + self._phase.uniform(0, self._seconds) if moment is None else moment
            for name, moment in sorted(due.items())
        }
        passed = {name for name, moment in self._next.items() if moment <= now}
        for name in passed:
            late = (now - self._next[name]) // self._seconds
            self._next[name] += self._seconds * (1 + late)
        return passed

    def rest(self) -> float | None:
        """Seconds until the next beat of any name; None: there is none to wait for."""
        return max(0.0, min(self._next.values()) - self._clock()) if self._next else None
