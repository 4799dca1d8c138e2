"""The fencing agent as `up` deploys it, against a real API server and Kubernetes' controllers.

The two agents run as processes of this machine (lab/fencing.py). A crash takes the kubelet away and
leaves the power on.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import POWER_LABEL
from lab.cluster.control_plane import ControlPlane
from lab.fencing import NAMESPACE, SWITCH, Agents
from lab.home import LabHome
from lab.plugins.provide import provide
from lab.toolchain import Toolchain
from tests.lab.stack import Stack
from tests.lab.waiting import eventually

NODES = ("node-a", "node-b", "node-c")


class Stacked(Agents):
    """The agents of a stack that is up, and its database."""

    def __init__(self, stack: Stack, plane: ControlPlane, folder: Path) -> None:
        super().__init__(plane, folder)
        self.stack = stack

    def crash(self, node: str) -> float:
        """The kubelet is gone; the machine has power still."""
        self.stack.kubectl("label", "node", node, f"{POWER_LABEL}-")
        return time.monotonic()

    def database(self) -> dict[str, Any] | None:
        """The pod of IRIS that is ready."""
        for pod in self.stack.get("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris")[
            "items"
        ]:
            conditions = pod["status"].get("conditions", [])
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
            if ready and "deletionTimestamp" not in pod["metadata"]:
                return pod
        return None

    def moved_from(self, node: str) -> bool:
        """Whether IRIS is ready on another node."""
        pod = self.database()
        return pod is not None and pod["spec"]["nodeName"] != node


@pytest.fixture(scope="module")
def agents(
    control_plane: ControlPlane,
    lab_home: LabHome,
    toolchain: Toolchain,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stacked]:
    """The agents of a stack that is up; IRIS is on none of their nodes."""
    provide(lab_home, toolchain, print)
    stack = Stack(lab_home, toolchain)
    folder = tmp_path_factory.mktemp("fencing")
    command = folder / "command"
    command.write_text(SWITCH)
    stack.groups = {"fencing": {"enabled": True, "command": {"program": str(command)}}}
    stack.run("up")
    agents = Stacked(stack, control_plane, folder)
    agents.install(settle_seconds=5)
    pod = agents.database()
    assert pod
    for node in NODES:
        if node != pod["spec"]["nodeName"]:
            agents.start(node)
    eventually(lambda: agents.leader() != "", seconds=30)
    yield agents
    for node in [*agents.running]:
        agents.kill(node)
    print(agents.said())


def test_a_crashed_node_is_fenced_and_iris_is_ready_elsewhere_before_kubernetes_gives_it_up(
    agents: Stacked,
):
    pod = agents.database()
    assert pod
    node = pod["spec"]["nodeName"]

    crashed = agents.crash(node)
    eventually(lambda: agents.moved_from(node), seconds=120)
    took = time.monotonic() - crashed

    print(f"ready on another node {took:.1f} s after the crash")
    assert took < 60, agents.said()
    log = (agents.folder / "log").read_text().splitlines()
    assert log[:2] == [f"identify {node}", f"off {node}"]
    events = agents.stack.get("events", "-n", "default", "--sort-by=.metadata.name")["items"]
    ours = [e for e in events if e["source"].get("component") == NAMESPACE]
    steps = ["FenceBegins", "Fenced", "DatabaseReleased"]
    assert [e["reason"] for e in ours if e["reason"] in steps] == steps
    eventually(lambda: agents.phase(node) is None, seconds=120)
    assert not agents.stack.get("node", node)["spec"].get("taints")


def test_an_agent_killed_in_mid_fence_leaves_the_rest_to_the_other(agents: Stacked):
    pod = agents.database()
    assert pod
    node = pod["spec"]["nodeName"]
    others = [other for other in NODES if other != node]
    for one in [*agents.running]:
        if one not in others:
            agents.kill(one)
    for one in others:
        if one not in agents.running:
            agents.start(one)
    eventually(lambda: agents.leader() in others, seconds=60)
    hangs = agents.folder / f"{node}.hangs"
    hangs.touch()

    agents.crash(node)
    eventually(lambda: agents.phase(node) == "accepted", seconds=90)
    leading = agents.leader()
    agents.kill(leading)
    time.sleep(2)
    assert not agents.moved_from(node)
    hangs.unlink()
    eventually(lambda: agents.moved_from(node), seconds=120)

    assert agents.leader() not in ("", leading)
    eventually(lambda: agents.phase(node) is None, seconds=120)


def test_the_rights_of_the_agent_end_at_what_it_does(agents: Stacked):
    def may(*what: str) -> bool:
        account = f"--as=system:serviceaccount:{NAMESPACE}:{NAMESPACE}"
        try:
            return "yes" in agents.stack.kubectl("auth", "can-i", account, *what)
        except subprocess.CalledProcessError:  # it ends with 1 where the answer is no
            return False

    assert may("patch", "nodes")
    assert may("delete", "pods", "-n", "iris")
    assert not may("delete", "nodes")
    assert not may("delete", "pods", "-n", "longhorn-system")
    assert not may("get", "secrets", "-n", "iris")
    assert not may("create", "pods", "-n", NAMESPACE)
    assert not may("delete", "persistentvolumeclaims", "-n", "iris")
