"""One run of one scenario, from a healthy database to a healthy database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drills import DrillError
from drills.attempts import Attempt
from drills.checker import Verdict, check
from drills.clients import Client
from drills.faults import Case
from drills.phases import phases
from drills.scenarios import Scenario
from drills.sites import Site
from drills.subject import Subject
from drills.times import STEADY_SECONDS, Recovery, recovery
from drills.watch import Observer

BASELINE_SECONDS = 10
QUIET_SECONDS = 150
"""After this a fault that no client has noticed will not be noticed: evictions begin within 65."""
SHORTEST_LIMIT = int(2 * STEADY_SECONDS)
"""Below this no run could ever be steady."""


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    scenario: str
    began: float
    """When the fault was begun, or, where it ends in the middle of the run, when it had ended:
    seconds of the Unix clock, from which all times count."""
    node: str
    zone: str
    recovery: Recovery
    phases: dict[str, float]
    """Seconds from the fault to the end of each."""
    verdict: Verdict | None
    """None: no commits were made."""
    back_on: str
    """Node on which the database was when the run ended; empty: on none."""
    attempts: list[Attempt] = field(repr=False, default_factory=list)
    ended: tuple[str, ...] = ()
    """What of a lab ended of itself, as controllers on a machine that is too busy do: then the run
    shows nothing."""


def run(
    scenario: Scenario,
    subject: Subject,
    site: Site,
    *,
    client: Callable[[Observer], Client],
    rows: Callable[[], list[int]] | None,
    limit: int,
    say: Callable[[str], None],
    baseline: float | None = None,
    heal: Callable[[], tuple[str, ...]] = tuple,
) -> Run:
    """Break it, wait until it is steady again or the limit is over, and undo what was done.

    Args:
        scenario: what is broken.
        subject: the database.
        site: the machines.
        client: makes the client of this run.
        rows: reads what is in the database; None: nothing is committed.
        limit: seconds from the fault to giving up.
        say: takes one line for the person who waits.
        baseline: seconds of the client's look before the fault; None: the usual ones.
        heal: starts again what has ended of itself; gives its names.

    Raises:
        DrillError: the database was not up or served no client, or the fault cannot be done here or
            has not happened.
    """
    subject.settle()
    place = subject.place()
    say(f"  {place.pod} on {place.node} ({place.zone or 'no zone'})")
    observer = Observer(
        subject.api, namespace=subject.namespace, pods=subject.pods, service=subject.service
    )
    tries = client(observer)
    tries.begin()
    try:
        time.sleep(BASELINE_SECONDS if baseline is None else baseline)
        _was_served(tries.attempts())
        case = Case(subject, site, place, hold=limit)
        fault = time.time()
        with scenario.fault(case) as over:
            began = fault if over is None else over
            hit = frozenset({place.node, *site.down})
            _await_steady(tries, fault, began, limit)
            measured = time.time()
        attempts = [a for a in tries.end() if a.begun <= measured]
    finally:
        tries.end()
        observer.end()
    ended = heal()
    subject.settle(longer=max(0.0, fault + limit - time.time()))
    seen = [change for change in observer.changes() if change.at <= measured]
    return Run(
        scenario=scenario.name,
        began=began,
        node=place.node,
        zone=place.zone,
        recovery=recovery(attempts, began),
        phases=phases(seen, fault=began, pod=place.uid, nodes=hit),
        verdict=check(attempts, rows()) if rows else None,
        back_on=subject.place().node,
        attempts=attempts,
        ended=ended,
    )


def _was_served(attempts: Sequence[Attempt]) -> None:
    """Raises DrillError where no client was served before the fault: no run can show anything."""
    if not any(attempt.good for attempt in attempts):
        reason = attempts[-1].reason if attempts else "none has ended"
        raise DrillError(
            "the drill's client",
            f"was not served once before the fault: {reason}",
            "see to that first; nothing was broken",
        )


def _await_steady(tries: Client, fault: float, began: float, limit: int) -> None:
    """Wait until clients are served as before; a fault that they do not notice is waited out too.

    A fault takes hold some time after it has begun: only what is steady for longer than a failover
    takes to begin, or has broken and come back, has been measured. One that took the whole limit to
    make is looked at for as long as a run takes to be steady.
    """
    made = time.time()
    end = max(began + limit, made + SHORTEST_LIMIT)
    while time.time() < end:
        attempts = tries.attempts()
        broke = any(not a.good for a in attempts if a.begun >= fault)
        found = recovery(attempts, began)
        quiet = time.time() - made > QUIET_SECONDS and not broke
        if (broke and found.steady is not None) or quiet:
            return
        time.sleep(0.5)
