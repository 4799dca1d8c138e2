"""How long the database was away, as its clients saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from drills.attempts import Attempt

STEADY_SECONDS = 30.0
"""How long latency must have been normal again before the database counts as steady."""
STEADY_FACTOR = 2.0
"""What counts as normal: so many times the median before the fault at most."""
TICK_SECONDS = 0.05
"""Below this a latency is not told from none: a median of microseconds would make all unsteady."""


@dataclass(frozen=True)
class Recovery:
    """Seconds from the fault; None: not within the run."""

    first: float | None
    """To the end of the first success that was *begun* after the fault had taken hold.

    One begun before may have been carried out before: it proves nothing. Where nothing failed
    after the fault there was no outage, and this is the time of the first success.
    """
    steady: float | None
    """To the first moment from which on all went well and as quickly as before, for 30 s."""
    outage: float
    """Longest stretch between two successes around or after the fault."""


def recovery(attempts: Sequence[Attempt], fault: float) -> Recovery:
    """Measure.

    Args:
        attempts: of one client, in the order in which they were begun.
        fault: when the fault was begun, seconds of the Unix clock.
    """
    after = [attempt for attempt in attempts if attempt.begun >= fault]
    broken = next((at for at, attempt in enumerate(after) if not attempt.good), None)
    slow = _slow(attempts, fault)
    # What went well between the fault and the first failure was before the fault took hold.
    tail = after[broken:] if broken is not None else after
    first = next((attempt.ended - fault for attempt in tail if attempt.good), None)
    good = [attempt for attempt in attempts if attempt.good]
    times = [attempt.ended for attempt in good]
    gaps = [later - earlier for earlier, later in pairwise(times) if later >= fault]
    return Recovery(first, _steady(tail, slow, fault), max(gaps, default=0.0))


def _slow(attempts: Sequence[Attempt], fault: float) -> float:
    """Latency above which a success is not steady."""
    before = [attempt.seconds for attempt in attempts if attempt.good and attempt.ended < fault]
    return STEADY_FACTOR * max(median(before), TICK_SECONDS) if before else float("inf")


def _steady(attempts: Sequence[Attempt], slow: float, fault: float) -> float | None:
    since: float | None = None
    for attempt in attempts:
        if not attempt.good or attempt.seconds > slow:
            since = None
        else:
            since = attempt.begun if since is None else since
            if attempt.ended - since >= STEADY_SECONDS:
                return since - fault
    return None
