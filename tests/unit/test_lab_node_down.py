"""What the lab's stand-in for Longhorn does for the pods of a dead node, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.cluster import DRIVER
from lab.cluster.node_down import SETTING, NodeDown
from lab.cluster.rhythm import Rhythm
from lab.cluster.world import KINDS, Request, World

BOTH = "delete-both-statefulset-and-deployment-pod"


class Time:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def at(seconds: float) -> str:
    """A moment so many seconds from now, as Kubernetes writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def crashed(
    *, owner: str = "ReplicaSet", policy: str = BOTH, ends: float = -1, attached: bool = False
) -> World:
    """A cluster in which node-a is down under a pod that is being deleted."""
    claim = {
        "metadata": {"name": "iris-data", "namespace": "iris"},
        "spec": {"volumeName": "pvc-1"},
        "status": {"phase": "Bound"},
    }
    pod = {
        "metadata": {
            "name": "iris-1",
            "namespace": "iris",
            "uid": "u1",
            "resourceVersion": "7",
            "deletionTimestamp": at(ends),
            "ownerReferences": [{"kind": owner}],
        },
        "spec": {
            "nodeName": "node-a",
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "iris-data"}}],
        },
    }
    attachment: dict[str, Any] = {
        "metadata": {"name": "csi-1"},
        "spec": {"nodeName": "node-a", "source": {"persistentVolumeName": "pvc-1"}},
    }
    found: dict[str, list[dict[str, Any]]] = {
        "nodes": [node("node-a", "Unknown"), node("node-b", "True")],
        "pods": [pod],
        "claims": [claim],
        "volumes": [{"metadata": {"name": "pvc-1"}, "spec": {"csi": {"driver": DRIVER}}}],
        "attachments": [attachment] if attached else [],
        "settings": [{"metadata": {"name": SETTING}, "value": policy}],
    }
    return {name: found.get(name, []) for name in KINDS}


def node(name: str, ready: str) -> dict[str, Any]:
    """A node whose condition Ready has this status."""
    return {
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def asked(world: World, managers: NodeDown | None = None) -> list[str]:
    """What is deleted, by the last part of its path."""
    requests: list[Request] = list((managers or NodeDown()).free(world))
    assert all(request.method == "DELETE" for request in requests)
    return [request.path.rpartition("/")[2] for request in requests]


def test_the_volume_of_a_pod_that_is_being_deleted_is_freed_before_its_grace_has_passed():
    assert asked(crashed(attached=True, ends=20)) == ["csi-1"]


def test_the_pod_itself_goes_after_its_grace_and_after_its_volume():
    assert asked(crashed(attached=True)) == ["csi-1"]
    assert asked(crashed(ends=20)) == []
    assert asked(crashed()) == ["iris-1"]


@pytest.mark.parametrize(
    ("policy", "freed"),
    [
        ("do-nothing", []),
        ("delete-statefulset-pod", ["StatefulSet"]),
        ("delete-deployment-pod", ["ReplicaSet"]),
        (BOTH, ["StatefulSet", "ReplicaSet"]),
    ],
)
def test_the_policy_says_whose_pods_are_removed(policy: str, freed: list[str]):
    for owner in ("StatefulSet", "ReplicaSet", "Job"):
        found = asked(crashed(policy=policy, owner=owner))

        assert found == (["iris-1"] if owner in freed else []), owner


def test_without_the_setting_nothing_is_removed():
    assert asked(crashed() | {"settings": []}) == []


def test_a_pod_whose_node_is_ready_is_left_to_its_kubelet():
    world = crashed(attached=True) | {"nodes": [node("node-a", "True")]}

    assert asked(world) == []


def test_a_pod_that_does_not_change_is_looked_at_again_every_thirty_seconds():
    clock = Time()
    managers = NodeDown(Rhythm(30, clock=clock, seed=1))
    waiting = crashed(ends=20)
    assert asked(waiting, managers) == []

    past = crashed()
    assert asked(past, managers) == [], "its grace is over, and nothing has told the manager"
    clock.now += 30
    assert asked(past, managers) == ["iris-1"]


def test_every_name_beats_once_in_each_period_and_at_a_phase_of_its_own():
    clock = Time()
    rhythm = Rhythm(10, clock=clock, seed=1)
    assert rhythm.rest() is None

    beats: dict[str, list[float]] = {"a": [], "b": []}
    for _ in range(400):
        for name in rhythm.beats(beats):
            beats[name].append(clock.now)
        clock.now += 0.1

    assert len(beats["a"]) == len(beats["b"]) == 4
    assert beats["a"][0] != beats["b"][0]
    assert 0 <= (rhythm.rest() or 0) <= 10


def test_a_period_of_nothing_is_always():
    rhythm = Rhythm(0)

    assert rhythm.beats("a") == rhythm.beats("a") == {"a"}
    assert rhythm.rest() is None


def test_a_name_that_is_gone_is_waited_for_no_longer():
    clock = Time()
    rhythm = Rhythm(10, clock=clock, seed=1)
    rhythm.beats("ab")
    clock.now += 25
    assert rhythm.beats("a") == {"a"}

    clock.now += 0.1
    rhythm.beats("a")
    assert (rhythm.rest() or 0) > 0, "the moment of b has long passed, and nobody asks for b"
