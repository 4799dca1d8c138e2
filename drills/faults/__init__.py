"""What is broken. A fault is a context: it holds as long as that does, and is undone after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from drills import DrillError
from drills.api import Api
from drills.sites import Site
from drills.subject import Place, Subject


@dataclass(frozen=True)
class Case:
    """One run: what is broken, where, and for how long at most."""

    subject: Subject
    site: Site
    place: Place
    hold: int
    """Seconds after which a fault that ends by itself does so."""

    @property
    def api(self) -> Api:
        """The cluster."""
        return self.subject.api

    @property
    def pod(self) -> str:
        """Path of the database's pod."""
        return f"{self.subject.path}/pods/{self.place.pod}"


Fault = Callable[[Case], contextlib.AbstractContextManager[None]]


def execute(case: Case, script: str) -> str:
    """Run a script in the database's container.

    Raises:
        DrillError: nothing runs there.
    """
    if case.site.simulated:
        raise DrillError(
            case.place.pod,
            "no container runs on the lab's simulated nodes",
            "drill it on a cluster with real nodes",
        )
    command = ("/bin/sh", "-c", script)
    return case.api.execute(case.subject.namespace, case.place.pod, "iris", command)


def evict(case: Case, pod: str) -> None:
    """Ask for the end of a pod, as a drain does."""
    kind = {"apiVersion": "policy/v1", "kind": "Eviction"}
    eviction = {**kind, "metadata": {"name": pod, "namespace": case.subject.namespace}}
    case.api.request("POST", f"{case.subject.path}/pods/{pod}/eviction", eviction)


def scale(api: Api, path: str, replicas: int) -> None:
    """Have so many pods of a workload."""
    api.request("PATCH", f"{path}/scale", {"spec": {"replicas": replicas}})
