"""A cluster that is drilled: its API server and its machines are played, and write down what is
asked of them."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drills import evidence, undo
from drills.api import Refused, Told
from drills.faults import Case
from drills.subject import Place, Subject

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
POD = "/api/v1/namespaces/iris/pods/iris-1"


def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no fault be watched for long, and nothing be undone twice."""
    monkeypatch.setattr(evidence, "SILENT_SECONDS", 0)
    monkeypatch.setattr(evidence, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(undo, "UNDO_SECONDS", 0)
    monkeypatch.setattr(undo, "PAUSE_SECONDS", 0.01)


class Played:
    """An API server that writes down what is asked, and answers what it is told to."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[str] = []
        self.ran: list[str] = []
        self.runs: Callable[[str], Told] = lambda script: Told("", 0)
        """What a container does."""
        self._gone: set[str] = set()
        self._answers: dict[str, Any] = {"nodes": [node("a"), node("b"), node("c")], **answers}

    def items(self, path: str, **options: str) -> list[dict[str, Any]]:
        """The objects of this kind."""
        return self._answers.get(path.rpartition("/")[2], [])

    def get(self, path: str) -> Any:
        """One object; an answer that can be called is asked each time."""
        if path in self._gone:
            raise Refused(404, "gone")
        found = self._answers.get(path, {"metadata": {}, "spec": {}})
        if callable(found):
            found = found()
        return found

    def gone(self, path: str) -> None:
        """From now on there is no such object."""
        self._gone.add(path)

    def request(self, method: str, path: str, body: Any = None, **_: Any) -> dict[str, Any]:
        """Written down."""
        self.asked.append(f"{method} {path} {body}")
        return {}

    def execute(
        self, namespace: str, pod: str, container: str, command: Sequence[str], seconds: float = 0
    ) -> Told:
        """Written down, and done as `runs` does."""
        self.ran.append(command[-1])
        return self.runs(command[-1])


class Site:
    """Machines that write down what is done to them."""

    simulated = False

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.done: list[str] = []

    @contextmanager
    def power_off(self, nodes: Sequence[str]) -> Iterator[None]:
        """Written down."""
        self.done.append(f"off {','.join(nodes)}")
        yield
        self.done.append(f"on {','.join(nodes)}")

    @contextmanager
    def crash(self, nodes: Sequence[str], seconds: int) -> Iterator[None]:
        """Written down."""
        self.done.append(f"crash {','.join(nodes)}")
        yield

    @contextmanager
    def partition(self, node: str, what: str, seconds: int) -> Iterator[None]:
        """Written down."""
        self.done.append(f"partition {what}")
        yield


def node(name: str, zone: str = "", **annotations: str) -> dict[str, Any]:
    """A node of a zone."""
    labels = {"topology.kubernetes.io/zone": zone or name}
    return {"metadata": {"name": name, "labels": labels, "annotations": annotations}, "spec": {}}


def case(api: Any, site: Any = None, *, zone: str = "a") -> Case:
    """A run against the database on node a."""
    place = Place("iris-1", "u1", "a", zone, ("pvc-1",))
    played: Any = site or Site()
    return Case(Subject(api), played, place, hold=300)


def pod(*mounts: str, uid: str = "u1", restarts: int = 0) -> dict[str, Any]:
    """The database's pod with volumes of claims at these folders, and with one of no claim."""
    volumes = [{"name": mount, "persistentVolumeClaim": {"claimName": mount}} for mount in mounts]
    container = {
        "name": "iris",
        "image": "iris",
        "volumeMounts": [
            *({"name": mount, "mountPath": mount} for mount in mounts),
            {"name": "cpf", "mountPath": "/cpf", "readOnly": True},
        ],
    }
    status = {"name": "iris", "restartCount": restarts, "state": {"running": {}}}
    return {
        "metadata": {"name": "iris-1", "uid": uid},
        "spec": {"volumes": [*volumes, {"name": "cpf", "secret": {}}], "containers": [container]},
        "status": {"containerStatuses": [status]},
    }


def renewing() -> Callable[[], dict[str, Any]]:
    """The Lease of a node that goes on to speak."""
    moments = iter(range(10**9))
    return lambda: {"metadata": {}, "spec": {"renewTime": next(moments)}}


def shell(tmp_path: Path, script: str, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run a script with stand-ins for programs that the machine here does not have."""
    for name, body in programs.items():
        file = tmp_path / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/notes"\n{body}\n')
        file.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=False
    )
