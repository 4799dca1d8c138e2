"""What is broken. A fault is a context: it holds as long as that does, and is undone after it.

A fault that has not happened is a DrillError: each one looks whether it has. One that ends before
its context does gives the moment from which on clients can be served again; None: its beginning.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from drills import DrillError
from drills.api import Api, Refused, Told
from drills.evidence import await_leaving
from drills.sites import Site
from drills.subject import Place, Subject


@dataclass(frozen=True)
class Case:
    """One run: what is broken, where, and for how long at most."""

    subject: Subject
    site: Site
    place: Place
    hold: int
    """Seconds after which a lost machine or connection comes back by itself: the end of the run, as
    it is the others that the database has to come back on."""

    @property
    def api(self) -> Api:
        """The cluster."""
        return self.subject.api

    @property
    def pod(self) -> str:
        """Path of the database's pod."""
        return f"{self.subject.path}/pods/{self.place.pod}"


EVICT_SECONDS = 120

Fault = Callable[[Case], AbstractContextManager[float | None]]


def execute(case: Case, script: str, *, pod: str | None = None, seconds: float = 60) -> Told:
    """Run a script in the database's container, as long as it may take.

    Raises:
        DrillError: nothing runs there, or it has not ended in time.
    """
    if case.site.simulated:
        raise DrillError(
            case.place.pod,
            "no container runs on the lab's simulated nodes",
            "drill it on a cluster with real nodes",
        )
    command = ("/bin/sh", "-c", script)
    chosen = pod or case.place.pod
    try:
        return case.api.execute(case.subject.namespace, chosen, "iris", command, seconds)
    except TimeoutError as error:
        raise DrillError(chosen, str(error), "see what keeps it") from None


def delete(case: Case) -> None:
    """Delete the database's pod.

    Raises:
        DrillError: it stays.
    """
    case.api.request("DELETE", case.pod)
    await_leaving(case.api, case.pod, case.place.uid)


def evict(case: Case) -> None:
    """Ask for the end of the database's pod, as a drain does: again while a budget forbids it.

    Raises:
        DrillError: it stays.
    """
    kind = {"apiVersion": "policy/v1", "kind": "Eviction"}
    eviction = {**kind, "metadata": {"name": case.place.pod, "namespace": case.subject.namespace}}
    deadline = time.monotonic() + EVICT_SECONDS
    while True:
        try:
            case.api.request("POST", f"{case.pod}/eviction", eviction)
            break
        except Refused as error:
            if error.status != 429:
                raise
            if time.monotonic() > deadline:
                raise DrillError(
                    case.place.pod,
                    f"its eviction was refused for {EVICT_SECONDS} s ({error})",
                    "see the PodDisruptionBudgets of its namespace",
                ) from None
        time.sleep(2)
    await_leaving(case.api, case.pod, case.place.uid)
