"""Faults of the database itself: its processes, its pod, its volume's file system."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from drills import DrillError
from drills.api import Refused
from drills.faults import Case, execute, scale

FREEZE = "##Class(Backup.General).ExternalFreeze()"
FILLER = "/dur/ha-iris-drill-filler"
STOP_SECONDS = 600


@contextlib.contextmanager
def clean_stop(case: Case) -> Iterator[None]:
    """Scale to none and back, as a planned stop does."""
    workload = case.subject.workload
    replicas = case.api.get(workload)["spec"].get("replicas", 1)
    try:
        scale(case.api, workload, 0)
        _await_gone(case)
    finally:
        scale(case.api, workload, replicas)
    yield


@contextlib.contextmanager
def iris_killed(case: Case) -> Iterator[None]:
    """SIGKILL to every process of the container but the first."""
    execute(case, "kill -9 -1")
    yield


@contextlib.contextmanager
def frozen_and_killed(case: Case) -> Iterator[None]:
    """The same in the middle of a freeze for a backup."""
    execute(case, f"iris session IRIS -U %SYS '{FREEZE}'; sleep 5; kill -9 -1")
    yield


@contextlib.contextmanager
def pod_deleted(case: Case) -> Iterator[None]:
    """kubectl delete pod."""
    case.api.request("DELETE", case.pod)
    yield


@contextlib.contextmanager
def volume_full(case: Case) -> Iterator[None]:
    """A file takes what is left of the volume."""
    try:
        execute(case, f"cat /dev/zero > {FILLER}; true")
        yield
    finally:
        execute(case, f"rm -f {FILLER}")


def _await_gone(case: Case) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            case.api.get(case.pod)
        except Refused as error:
            if error.status == 404:
                return
        time.sleep(0.2)
    raise DrillError(case.place.pod, "has not stopped within ten minutes", "see its log")
