"""Changes of nodes wait for Longhorn: real engine, real hooks, real objects, and no real nodes.

The node groups are Secrets, one for each zone of the lab. What the hooks read are volumes, engines
and replicas in the lab's API server, which the tests write as Longhorn would.
"""

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import REPOSITORY
from lab.engine import EngineError
from tests.lab.stack import Stack, changes, exists
from tests.lab.waiting import eventually

ZONES = ("lab-a", "lab-b", "lab-c")
DEFINITIONS = REPOSITORY / "lab" / "charts" / "longhorn" / "templates" / "crds.yaml"


class Cluster:
    """Node groups of version 1 in three zones, and a volume with a copy in each."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.situation: dict[str, Any] = {
            "kubeconfig": str(stack.home.kubeconfig),
            "kubeconfig_of_hooks": str(stack.home.kubeconfig),
            "groups": dict.fromkeys(ZONES, 1),
            "retiring": [],
            "wait": True,
            "timeout": 60,
        }

    def run(self, operation: Any, *flags: str, **situation: Any) -> dict[str, str]:
        """Run an operation; gives what it did to which group."""
        self.start_from(**situation)
        return changes(self.stack.run(operation, *flags))

    def start_from(self, **situation: Any) -> None:
        """Write down what the program is asked for from now on."""
        self.situation |= situation
        (self.folder / "situation.json").write_text(json.dumps(self.situation))

    def refused(self, operation: Any, *flags: str, **situation: Any) -> str:
        """Run an operation that fails; gives what it said."""
        self.start_from(**situation)
        with pytest.raises(EngineError) as error:
            self.stack.run(operation, *flags)
        return "\n".join(error.value.result.errors)

    def versions(self) -> list[str]:
        """Version of each zone's group, as the cluster has it."""
        found = [s for s in self.stack.get("secrets")["items"] if s["type"] in ZONES]
        groups = {s["type"]: s["metadata"]["annotations"]["version"] for s in found}
        return [groups[zone] for zone in ZONES if zone in groups]

    def copies(self, *zones: str, rebuilt: int | None = None, wanted: int = 3) -> None:
        """Let the volume have whole copies in these zones, and rebuild one if it says how far."""
        modes = {f"pvc-1-{zone}": "RW" if zone in zones else "WO" for zone in ZONES}
        if rebuilt is None:
            modes = {name: mode for name, mode in modes.items() if mode == "RW"}
        rebuild = {"isRebuilding": True, "progress": rebuilt, "state": "in_progress"}
        self._apply(
            *(_replica(zone, whole=zone in zones or rebuilt is not None) for zone in ZONES),
            _object(
                "Engine",
                "pvc-1-e-0",
                {"volumeName": "pvc-1", "active": True, "nodeID": f"node-{zones[0][-1]}"},
                {
                    "currentState": "running",
                    "replicaModeMap": modes,
                    "rebuildStatus": {} if rebuilt is None else {"tcp://10.0.9.9:10000": rebuild},
                },
            ),
            _object(
                "Volume",
                "pvc-1",
                {"numberOfReplicas": wanted, "size": "10737418240"},
                {
                    "state": "attached",
                    "robustness": "healthy" if len(zones) == wanted else "degraded",
                },
            ),
        )

    def nodes(self) -> None:
        """Let Longhorn have a disk on each node."""
        ready = [{"type": "Ready", "status": "True"}]
        for zone in ZONES:
            disk = {"diskUUID": f"disk-{zone}", "conditions": ready}
            status = {"conditions": ready, "diskStatus": {"default": disk}, "zone": zone}
            self._apply(_object("Node", f"node-{zone[-1]}", {"allowScheduling": True}, status))

    def _apply(self, *objects: dict[str, Any]) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        for part in ((), ("--subresource", "status")):
            self.stack.kubectl(
                "apply", "--server-side", "--force-conflicts", *part, "-f", write(self.folder, text)
            )


def write(folder: Path, text: str) -> str:
    """Path of a file with this text, for kubectl."""
    file = folder / "objects.json"
    file.write_text(text)
    return str(file)


def _object(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "longhorn.io/v1beta2",
        "kind": kind,
        "metadata": {"name": name, "namespace": "longhorn-system"},
        "spec": spec,
        "status": status,
    }


def _replica(zone: str, *, whole: bool) -> dict[str, Any]:
    spec = {
        "volumeName": "pvc-1",
        "active": True,
        "nodeID": f"node-{zone[-1]}",
        "diskID": f"disk-{zone}",
        "healthyAt": "2026-11-21T10:00:00Z",
        "failedAt": "" if whole else "2026-11-21T11:00:00Z",
    }
    return _object(
        "Replica", f"pvc-1-{zone}", spec, {"currentState": "running" if whole else "stopped"}
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the program whose node groups are Secrets."""
    folder = tmp_path_factory.mktemp("node-changes")
    shutil.copy(Path(__file__).parent / "node_changes" / "program.py", folder / "__main__.py")
    shutil.copy(REPOSITORY / "Pulumi.yaml", folder)
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    (folder / "components").symlink_to(REPOSITORY / "components")
    return folder


@pytest.fixture
def no_longhorn(shared_stack: Stack, project: Path) -> Cluster:
    """A cluster without groups and without Longhorn."""
    shared_stack.project = project
    return Cluster(shared_stack, project)


@pytest.fixture
def cluster(no_longhorn: Cluster) -> Cluster:
    """Three groups of version 1 and a volume whose three copies are whole."""
    cluster, stack = no_longhorn, no_longhorn.stack
    stack.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(DEFINITIONS))
    for kind in ("volumes", "engines", "replicas", "nodes"):
        stack.kubectl("wait", "--for=condition=Established", f"crd/{kind}.longhorn.io")
    if not exists(stack, "namespace", "longhorn-system"):
        stack.kubectl("create", "namespace", "longhorn-system")
    cluster.nodes()
    cluster.copies(*ZONES)
    cluster.run("up", wait=False)
    cluster.start_from(wait=True)
    return cluster


def to(version: int) -> dict[str, int]:
    """Groups of this version in every zone."""
    return dict.fromkeys(ZONES, version)


def test_without_longhorn_groups_are_made_and_changed_at_once(no_longhorn: Cluster):
    no_longhorn.run("up")
    assert no_longhorn.versions() == ["1", "1", "1"]

    no_longhorn.run("up", groups=to(2), timeout=0)

    assert no_longhorn.versions() == ["2", "2", "2"]


def test_healthy_copies_let_one_zone_after_the_other_change(cluster: Cluster, capfd):
    cluster.run("up", groups=to(2))

    assert cluster.versions() == ["2", "2", "2"]
    waits = r"The update of group-(\S+) waits: every copy is there, for 2 s to be sure"
    assert list(dict.fromkeys(re.findall(waits, capfd.readouterr().out))) == [*ZONES]


def test_copies_that_are_being_rebuilt_hold_the_change_until_they_are_whole(
    cluster: Cluster, capfd
):
    cluster.copies("lab-a", "lab-b", rebuilt=41)
    cluster.start_from(groups=to(2))
    said: list[str] = []

    def has_said(text: str) -> bool:
        said.append(capfd.readouterr().out)
        return text in "".join(said)

    process = cluster.stack.start("up")
    eventually(lambda: has_said("the next one 41 % rebuilt"))
    cluster.copies("lab-a", "lab-b", rebuilt=97)
    eventually(lambda: has_said("the next one 97 % rebuilt"))
    assert cluster.versions() == ["1", "1", "1"]
    cluster.copies(*ZONES)
    assert process.wait(timeout=60) == 0

    assert cluster.versions() == ["2", "2", "2"]


def test_copies_that_stay_away_end_the_update_before_the_next_zone_changes(cluster: Cluster):
    # The copy that the first zone's change has cost, and that nobody rebuilds.
    cluster.copies("lab-b", "lab-c")

    said = cluster.refused("up", groups=to(2), timeout=6)

    assert cluster.versions() == ["2", "1", "1"]
    assert "group-lab-b stays as it is: pvc-1: 2 of 3 copies whole" in said
    assert "1 of them on nodes that stay, none being rebuilt" in said
    assert "ha-iris:cluster.nodeChanges.waitForCopies" in said

    cluster.copies(*ZONES)
    cluster.run("up", timeout=60)
    assert cluster.versions() == ["2", "2", "2"]


def test_a_cluster_that_does_not_answer_ends_the_update_before_any_zone_changes(
    cluster: Cluster, tmp_path: Path
):
    said = cluster.refused("up", groups=to(2), kubeconfig_of_hooks=unreachable(cluster, tmp_path))

    assert cluster.versions() == ["1", "1", "1"]
    assert "group-lab-a stays as it is: the cluster does not answer" in said
    assert "client-key-data" not in said


def unreachable(cluster: Cluster, folder: Path) -> str:
    """The cluster's kubeconfig with an address where nobody answers."""
    document = yaml.safe_load(cluster.stack.home.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return str(file)


def test_a_longhorn_of_another_version_ends_the_update_before_any_zone_changes(cluster: Cluster):
    later = json.loads(cluster.stack.kubectl("get", "crd", "volumes.longhorn.io", "-o", "json"))
    version = later["spec"]["versions"][0]
    later["spec"]["versions"] = [
        {**version, "name": "v1beta3"},
        {**version, "served": False, "storage": False},
    ]
    cluster.stack.kubectl("replace", "-f", write(cluster.folder, json.dumps(later)))
    try:
        said = cluster.refused("up", groups=to(2))
    finally:
        cluster.stack.kubectl("delete", "crd", "volumes.longhorn.io")

    assert cluster.versions() == ["1", "1", "1"]
    assert "Longhorn serves its volumes as v1beta3, and this program reads v1beta2" in said


def test_a_preview_says_that_the_update_will_wait_and_asks_nobody(
    cluster: Cluster, tmp_path: Path, capfd
):
    nobody = unreachable(cluster, tmp_path)
    cluster.run("preview", groups={**to(1), "lab-b": 2}, kubeconfig_of_hooks=nobody)

    said = capfd.readouterr().out
    assert "The update of group-lab-b will wait until Longhorn has its copies elsewhere" in said
    assert "group-lab-a will wait" not in said


def test_a_setting_lets_nodes_change_without_the_wait_and_says_so(cluster: Cluster, capfd):
    cluster.copies("lab-b")

    cluster.run("up", groups=to(2), wait=False)

    assert cluster.versions() == ["2", "2", "2"]
    assert "The update of group-lab-c does not wait for Longhorn" in capfd.readouterr().out


def test_nodes_that_hold_a_copy_do_not_retire(cluster: Cluster):
    cluster.run("up", retiring=["lab-c"])
    two = {zone: 1 for zone in ZONES if zone != "lab-c"}

    said = cluster.refused("up", groups=two, retiring=[], timeout=4)

    assert cluster.versions() == ["1", "1", "1"]
    assert "group-lab-c stays as it is: pvc-1: 3 of 3 copies whole, 2 of them on nodes" in said

    # Longhorn has moved what was there.
    cluster.copies("lab-a", "lab-b", wanted=2)
    cluster.run("up", timeout=60)
    assert cluster.versions() == ["1", "1"]


def test_a_plain_destroy_asks_nothing(cluster: Cluster):
    cluster.copies("lab-a")

    cluster.run("destroy")

    assert cluster.versions() == []


def test_a_plain_destroy_is_refused_while_nodes_retire_and_possible_after(cluster: Cluster):
    cluster.run("up", retiring=["lab-c"])

    said = cluster.refused("destroy")
    assert "has delete hooks registered, but the program is not running" in said
    assert cluster.versions() == ["1", "1", "1"]

    cluster.run("up", retiring=[])
    cluster.run("destroy")
    assert cluster.versions() == []


def test_an_interrupted_update_waits_to_its_end_and_still_changes_nothing(cluster: Cluster, capfd):
    cluster.copies("lab-a", "lab-b")
    cluster.start_from(groups=to(2), timeout=10)
    process = cluster.stack.start("up")
    eventually(lambda: "waits: pvc-1" in capfd.readouterr().out)

    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(timeout=60) != 0
    assert cluster.versions() == ["1", "1", "1"]
