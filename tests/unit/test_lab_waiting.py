"""What a person is told while the lab's stand-in for the Kubernetes provider waits."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, cast

import grpc
import pytest
from google.protobuf import empty_pb2

from lab.plugins import install
from lab.plugins.kubernetes import objects
from lab.plugins.kubernetes.cluster import Cluster
from lab.plugins.kubernetes.objects import Objects
from lab.plugins.protocol import Engine, engine_pb2_grpc

JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "copy"}, "spec": {}}


class Told(engine_pb2_grpc.EngineServicer):
    """An engine that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def Log(self, request, context):
        self.lines.append(request)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[str, Told]]:
    """The address of an engine, and what it was told."""
    server, told = grpc.server(ThreadPoolExecutor(1)), Told()
    engine_pb2_grpc.add_EngineServicer_to_server(told, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", told
    server.stop(grace=None)


class Slow:
    """A cluster whose job completes when it is looked at for the third time."""

    def __init__(self) -> None:
        self.looks = 0

    def get(self, thing: dict[str, Any]) -> dict[str, Any]:
        """The job as it is now."""
        self.looks += 1
        done = [{"type": "Complete", "status": "True"}] if self.looks > 2 else []
        return {**JOB, "status": {"startTime": "now", "conditions": done}}


def test_the_engine_shows_in_passing_what_an_object_waits_for(engine, monkeypatch):
    address, told = engine
    monkeypatch.setattr(objects, "TELL_SECONDS", 0)
    monkeypatch.setattr(objects, "POLL_SECONDS", 0.01)
    told_by = Engine([address])
    waiter = Objects(cast(Cluster, Slow()), Event(), force=False)

    _, waits = waiter.await_ready(JOB, JOB, 60, lambda text: told_by.tell("urn:job", text))

    assert waits == []
    assert {line.message for line in told.lines} == {"the job has not completed"}
    assert all(line.ephemeral and line.urn == "urn:job" for line in told.lines)


def test_an_engine_that_has_ended_is_told_nothing(engine):
    Engine(["127.0.0.1:1"]).tell("urn:job", "anything")
    Engine([]).tell("urn:job", "anything")

    assert engine[1].lines == []


def test_a_wait_ends_with_the_time_that_an_annotation_gives(monkeypatch):
    monkeypatch.setattr(objects, "POLL_SECONDS", 0.01)
    hurried = {**JOB, "metadata": {"annotations": {"pulumi.com/timeoutSeconds": "0"}}}
    skipped = {**JOB, "metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
    waiter = Objects(cast(Cluster, Slow()), Event(), force=False)

    assert waiter.await_ready(hurried, JOB, 0, print)[1] == ["the job has not completed"]
    assert waiter.await_ready(skipped, JOB, 0, print)[1] == []


def test_a_stand_in_gets_the_address_of_the_engine_that_starts_it(tmp_path: Path):
    install(tmp_path, "kubernetes", "lab.plugins.kubernetes")

    assert '"$@"' in (tmp_path / "pulumi-resource-kubernetes").read_text()
    assert sys.executable in (tmp_path / "pulumi-resource-kubernetes").read_text()
