"""The image on the nodes, a clean stop and a snapshot come before another image of IRIS.

The API server, the kubelets and the snapshot controller are played; the steps are the real ones.
"""

import asyncio
from typing import Any

import pytest

from components.iris.upgrade.hook import plan, run
from components.iris.upgrade.settings import PrePullSettings, UpgradeSettings
from components.iris.upgrade.steps import CLOSED, CLOSED_LINES, Change, Cluster, Refused
from components.kubernetes_api import Unreachable

OLD, NEW = "registry.example.com/iris:2026.1", "registry.example.com/iris:2026.2"
LABELS = {"app.kubernetes.io/name": "iris"}
WORKLOAD = "/apis/apps/v1/namespaces/iris/deployments/iris"
CHANGE = Change("iris", WORKLOAD, LABELS, OLD, NEW, grace_seconds=30)
NODES = ("node-a", "node-b", "node-c")


class Played:
    """A cluster whose database, nodes and snapshots do what a test says."""

    def __init__(self, **ways: Any) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.scaled: list[int] = []
        self.snapshots: dict[str, Any] = {}
        self.ready: bool = ways.get("ready", True)
        self.stop_seconds: float = ways.get("stop_seconds", 8)
        self.exit_code: int | None = ways.get("exit_code", 0)
        self.messages: str = ways.get("messages", "")
        self.pulled: dict[str, float] = ways.get("pulled", dict.fromkeys(NODES, 20))
        self.snapshot_error: str | None = ways.get("snapshot_error")
        self.replicas: int = ways.get("replicas", 1)
        self.generation = 7
        self.never_ran: bool = ways.get("never_ran", False)
        self.annotations: dict[str, str] = ways.get("annotations", {})
        self.stopped_at = None if self.replicas else -1000.0

    def get(self, path: str) -> Any:
        if path == WORKLOAD:
            return {
                "metadata": {
                    "name": "iris",
                    "generation": self.generation,
                    "annotations": self.annotations,
                },
                "spec": {
                    "replicas": self.replicas,
                    "template": {
                        "spec": {
                            "volumes": [
                                {"persistentVolumeClaim": {"claimName": "iris-data"}},
                                {"secret": {"secretName": "iris-cpf"}},
                            ]
                        }
                    },
                },
            }
        if path.endswith("/daemonsets/iris-images"):
            return {"status": {"desiredNumberScheduled": len(NODES)}}
        if "labelSelector=app.kubernetes.io/name=iris-images," in path:
            return {"items": [self.holder(node) for node in NODES]}
        if path.endswith("labelSelector=app.kubernetes.io/name=iris"):
            return {"items": self.pods()}
        if "/volumesnapshots/" in path:
            if self.snapshot_error:
                return {"status": {"error": {"message": self.snapshot_error}}}
            return {"status": {"readyToUse": True}}
        raise AssertionError(path)

    def holder(self, node: str) -> Any:
        """The pod that holds the images on a node."""
        there = self.now >= self.pulled.get(node, float("inf"))
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
        return {
            "metadata": {"name": node},
            "spec": {"nodeName": node, "containers": [{"name": "iris", "image": NEW}]},
            "status": {
                "containerStatuses": [
                    {"name": "iris", "state": {"running": {}} if there else waiting}
                ]
            },
        }

    def pods(self) -> list[Any]:
        """The database's pods."""
        gone = self.stopped_at is not None and self.now >= self.stopped_at + self.stop_seconds
        if gone and self.replicas == 0:
            return []
        ended = self.stopped_at is not None and self.now >= self.stopped_at + self.stop_seconds - 2
        state = (
            {"terminated": {"exitCode": self.exit_code}}
            if ended and self.exit_code is not None
            else {"running": {}}
        )
        if self.never_ran:
            state = {"waiting": {"reason": "ImagePullBackOff"}}
        condition = {"type": "Ready", "status": "True" if self.ready else "False"}
        return [
            {
                "metadata": {"name": "iris-1"},
                "status": {
                    "conditions": [condition],
                    "containerStatuses": [{"name": "iris", "state": state}],
                },
            }
        ]

    def patch(self, path: str, body: Any) -> Any:
        assert path == WORKLOAD
        if "spec" in body:
            self.replicas = body["spec"]["replicas"]
            self.scaled.append(self.replicas)
            self.generation += 1
            self.stopped_at = self.now if self.replicas == 0 else None
        self.annotations |= body.get("metadata", {}).get("annotations", {})
        return {}

    def post(self, path: str, body: Any) -> Any:
        assert path.endswith("/namespaces/iris/volumesnapshots")
        self.snapshots[body["metadata"]["name"]] = body
        return body

    def log(self, path: str) -> str:
        assert path.startswith("/api/v1/namespaces/iris/pods/iris-1/log?container=iris&")
        return self.messages

    async def ask(self, call: Any) -> Any:
        return call(self)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def change(self, *, snapshot_class: str | None = "longhorn-iris-snapshot", **settings: Any):
        """Run the steps as an update would."""
        pre_pull = PrePullSettings(enabled=settings.pop("pre_pull", True))
        cluster = Cluster(self.ask, self.told.append, clock=lambda: self.now, sleep=self.sleep)
        # asyncio.run would leave the other tests without the loop that they share.
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(
                run(cluster, CHANGE, UpgradeSettings(**settings), pre_pull, snapshot_class)
            )
        finally:
            loop.close()


def test_iris_stops_once_every_node_has_the_image_and_a_snapshot_is_left_behind():
    cluster = Played(pulled={"node-a": 0, "node-b": 40, "node-c": 100})

    cluster.change()

    assert cluster.scaled == [0]
    assert cluster.now >= 100
    (taken,) = cluster.snapshots.values()
    assert taken["spec"] == {
        "volumeSnapshotClassName": "longhorn-iris-snapshot",
        "source": {"persistentVolumeClaimName": "iris-data"},
    }
    assert taken["metadata"]["annotations"] == {
        "ha-iris/image-before": OLD,
        "ha-iris/image-after": NEW,
    }


def test_an_image_that_no_node_can_pull_does_not_stop_iris():
    cluster = Played(pulled={})

    with pytest.raises(Refused, match="node-b: ImagePullBackOff not found"):
        cluster.change()

    assert cluster.scaled == []
    assert 60 <= cluster.now < 120  # a misspelt tag is told soon, not after the whole wait


def test_one_broken_node_holds_an_upgrade_up_only_for_so_long():
    cluster = Played(pulled={"node-a": 5, "node-b": 5})

    cluster.change()

    assert 900 <= cluster.now < 960
    assert f"2 of 3 nodes have {NEW}, going on" in " ".join(cluster.told)
    assert cluster.scaled == [0]


def test_an_instance_that_is_not_ready_keeps_its_image_which_recovers_it():
    cluster = Played(ready=False)

    with pytest.raises(Refused, match="let the old image recover it first"):
        cluster.change()

    assert cluster.scaled == []
    assert cluster.snapshots == {}


@pytest.mark.parametrize("ways", [{"exit_code": 137}, {"exit_code": None, "stop_seconds": 32}])
def test_after_a_killed_stop_the_old_image_starts_again_and_the_new_one_does_not_come(ways):
    cluster = Played(**ways)

    with pytest.raises(Refused, match="did not stop cleanly within 30 s"):
        cluster.change()

    assert cluster.scaled == [0, 1]
    assert cluster.snapshots == {}
    assert CLOSED not in cluster.annotations


def test_what_iris_itself_says_of_its_stop_counts_more_than_how_its_container_ended():
    said = "\n".join(f"11/21/26-18:00:00:000 (99) 0 {line}" for line in CLOSED_LINES)
    cluster = Played(exit_code=137, messages=said)

    cluster.change()

    assert cluster.scaled == [0]


def test_a_stop_that_nobody_saw_end_counts_as_clean_within_its_grace():
    cluster = Played(exit_code=None, stop_seconds=12)

    cluster.change()

    assert cluster.scaled == [0]


def test_without_a_snapshot_iris_runs_on_in_its_old_image():
    cluster = Played(snapshot_error="no space left on any disk")

    with pytest.raises(Refused, match="no space left on any disk"):
        cluster.change()

    assert cluster.scaled == [0, 1]


def test_an_update_that_was_cut_off_after_the_stop_goes_on_from_there():
    cluster = Played(replicas=0, annotations={CLOSED: "7 1"})

    cluster.change()

    assert cluster.scaled == []
    assert len(cluster.snapshots) == 1


def test_after_an_image_that_never_ran_the_next_one_finds_the_volume_closed():
    cluster = Played(ready=False, never_ran=True, annotations={CLOSED: "6 1"})

    cluster.change()

    assert cluster.scaled == []
    assert cluster.snapshots == {}  # the one from before is still the way back


@pytest.mark.parametrize("ways", [{"never_ran": False}, {"annotations": {CLOSED: "5 1"}}])
def test_an_image_that_may_have_written_to_the_volume_is_not_passed_over(ways):
    cluster = Played(**{"ready": False, "never_ran": True, "annotations": {CLOSED: "6 1"}} | ways)

    with pytest.raises(Refused, match="let the old image recover it first"):
        cluster.change()


@pytest.mark.parametrize("annotations", [{}, {CLOSED: "5 1"}])
def test_an_instance_that_somebody_else_stopped_is_not_taken_for_clean(annotations):
    cluster = Played(replicas=0, annotations=annotations)

    with pytest.raises(Refused, match="scale` it to 1"):
        cluster.change()

    assert cluster.scaled == []


def test_a_person_may_say_that_the_old_image_does_not_start_any_more():
    cluster = Played(ready=False)

    cluster.change(stop_first=False)

    assert cluster.scaled == []


def test_where_the_cluster_has_no_snapshots_none_is_taken_and_the_preview_says_so():
    cluster = Played()

    cluster.change(snapshot_class=None)

    assert cluster.scaled == [0]
    assert cluster.snapshots == {}
    told = plan(UpgradeSettings(), PrePullSettings(), None)
    assert "No snapshot is taken: make a backup first." in told
    assert "take a snapshot." in plan(UpgradeSettings(), PrePullSettings(), "a-class")


def test_a_cluster_that_answers_nothing_keeps_the_image():
    cluster = Played()

    async def silent(call: Any) -> Any:
        raise Unreachable("no route")

    cluster.ask = silent

    with pytest.raises(Refused, match="does not answer: no route"):
        cluster.change()
