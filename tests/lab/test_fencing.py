"""The fencing agent as `up` deploys it, against a real API server and Kubernetes' controllers.

No container runs in the lab: the two agents run as processes of this machine, with the files of the
ConfigMap, the rights of the agent's service account and the Lease. The machines are the lab's
simulated nodes. Their power is a file for each, which the command of this test switches as a
board's controller would; a crash takes the kubelet away and leaves the power on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import POWER_LABEL
from lab.cluster.control_plane import ControlPlane
from lab.home import LabHome
from lab.plugins.provide import provide
from lab.toolchain import Toolchain
from tests.lab.stack import Stack
from tests.lab.waiting import eventually
from tests.laid_out import lay_out

NAMESPACE = "ha-iris-fencing"
NODES = ("node-a", "node-b", "node-c")

COMMAND = """#!/bin/sh
# A simulated board's controller: $POWER/NODE.off is there while a machine has no power.
verb=$1 node=$2
echo "$verb $node" >> "$POWER/log"
case $verb in
identify) echo "$node" ;;
off)
  [ -e "$POWER/$node.off" ] || [ -e "$POWER/$node.hangs" ] || {
    $KUBECTL label node "$node" lab.ha-iris/power- >&2
    date +%s.%N > "$POWER/$node.off"
  } ;;
on)
  rm -f "$POWER/$node.off"
  $KUBECTL label --overwrite node "$node" lab.ha-iris/power=on >&2 ;;
status) if [ -e "$POWER/$node.off" ]; then echo off; else echo on; fi ;;
esac
"""


class Agents:
    """Two agents on two nodes, as processes of this machine."""

    def __init__(self, stack: Stack, plane: ControlPlane, folder: Path) -> None:
        self.stack = stack
        self.plane = plane
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def install(self) -> None:
        """Write what the agent's pod mounts, with this machine's path of the command."""
        pod = self.stack.get("deployment", NAMESPACE, "-n", NAMESPACE)["spec"]["template"]["spec"]
        self.command = pod["containers"][0]["command"]
        volumes = {v["name"]: v for v in pod["volumes"] if "configMap" in v}
        maps = {name: v["configMap"]["name"] for name, v in volumes.items()}
        files = self.stack.get("configmap", maps["program"], "-n", NAMESPACE)["data"]
        fence = self.folder / "fence"
        fence.write_text(
            self.stack.get("configmap", maps["command"], "-n", NAMESPACE)["data"]["fence"]
        )
        fence.chmod(0o755)
        told = json.loads(files["settings.json"]) | {
            "options": {"command": [str(fence)]},
            "settle_seconds": 5,
            "ask_kubelets": False,
        }
        files["settings.json"] = json.dumps(told)
        lay_out(volumes["program"], files, self.folder)
        authority = self.plane.home.cluster / "pki" / "ca.crt"
        (self.folder / "ca.crt").write_bytes(authority.read_bytes())
        token = self.stack.kubectl("create", "token", NAMESPACE, "-n", NAMESPACE)
        (self.folder / "token").write_text(token)

    def start(self, node: str) -> None:
        """Begin an agent on a node."""
        home = self.plane.home.kubeconfig
        server = yaml.safe_load(home.read_text())["clusters"][0]["cluster"]["server"]
        kubectl = self.stack.toolchain.bin / "kubectl"
        with (self.folder / f"{node}.log").open("ab") as log:
            self.running[node] = subprocess.Popen(
                [sys.executable, *self.command[1:]],
                cwd=self.folder,
                env={
                    "HA_IRIS_API": server,
                    "HA_IRIS_ACCOUNT": str(self.folder),
                    "HA_IRIS_PORT": "0",
                    "HOSTNAME": f"agent-{node}-{time.monotonic_ns()}",
                    "NODE_NAME": node,
                    "POWER": str(self.folder),
                    "KUBECTL": f"{kubectl} --kubeconfig {home}",
                    "PATH": os.environ["PATH"],
                },
                stdout=log,
                stderr=log,
            )

    def kill(self, node: str) -> None:
        """End an agent without a word."""
        process = self.running.pop(node)
        process.kill()
        process.wait()

    def leader(self) -> str:
        """Node of the agent that holds the Lease; empty where nobody does."""
        try:
            spec = self.stack.get("lease", NAMESPACE, "-n", NAMESPACE)["spec"]
        except subprocess.CalledProcessError:
            return ""
        holder = spec.get("holderIdentity") or ""
        return next((node for node in NODES if f"-{node}-" in holder), "")

    def phase(self, node: str) -> str | None:
        """How far a fence is."""
        annotations = self.stack.get("node", node)["metadata"]["annotations"]
        record = annotations.get("fencing.ha-iris/fence")
        return json.loads(record)["phase"] if record else None

    def said(self) -> str:
        """The logs of all agents."""
        return "\n".join(log.read_text() for log in self.folder.glob("*.log"))

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
) -> Iterator[Agents]:
    """The agents of a stack that is up; IRIS is on none of their nodes."""
    provide(lab_home, toolchain, print)
    stack = Stack(lab_home, toolchain)
    folder = tmp_path_factory.mktemp("fencing")
    command = folder / "command"
    command.write_text(COMMAND)
    stack.groups = {"fencing": {"enabled": True, "command": {"program": str(command)}}}
    stack.run("up")
    agents = Agents(stack, control_plane, folder)
    agents.install()
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
    agents: Agents,
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


def test_an_agent_killed_in_mid_fence_leaves_the_rest_to_the_other(agents: Agents):
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


def test_the_rights_of_the_agent_end_at_what_it_does(agents: Agents):
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
