"""The fencing agent's own program beside a lab, and a switch for the power of its machines.

No container runs in the lab. So the agents run as processes of this machine, with the files of the
ConfigMap that a stack has deployed, the rights of the agent's service account and its Lease. The
switch is a command as a stack file names one; a file for each simulated machine says that it is
off.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from lab.cluster import POWER_LABEL
from lab.cluster.api import Api, ApiError
from lab.cluster.control_plane import ControlPlane
from lab.laid_out import lay_out

NAMESPACE = "ha-iris-fencing"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
POWERED = f"/api/v1/nodes?labelSelector={POWER_LABEL}%3Don"
KUBELET_SECONDS = 0.5
"""How often the pods of the agents are looked at."""

SWITCH = """#!/bin/sh
# A simulated board's controller: $POWER/NODE.off is there while a machine has no power.
# It takes $OFF_SECONDS to switch one off, and for ever while $POWER/NODE.hangs is there.
verb=$1 node=$2
echo "$verb $node" >> "$POWER/log"
case $verb in
identify) echo "$node" ;;
off)
  [ -e "$POWER/$node.off" ] || [ -e "$POWER/$node.hangs" ] || {
    date +%s > "$POWER/$node.off"
    $KUBECTL label node "$node" lab.ha-iris/power- >&2
  } ;;
on)
  rm -f "$POWER/$node.off"
  $KUBECTL label --overwrite node "$node" lab.ha-iris/power=on >&2 ;;
status)
  if ! since=$(cat "$POWER/$node.off" 2>/dev/null); then echo on
  elif [ $(($(date +%s) - since)) -lt "$OFF_SECONDS" ]; then echo changing
  else echo off
  fi ;;
esac
"""


class Agents:
    """The agents of one lab, as processes of this machine."""

    def __init__(self, plane: ControlPlane, folder: Path, *, off_seconds: int = 0) -> None:
        """Take a lab.

        Args:
            plane: the lab, in which a stack with fencing is up.
            folder: where files of the agents and logs go.
            off_seconds: how long the switch takes to switch a machine off.
        """
        self.plane = plane
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        """The agents by the node that each believes to be on."""
        self._api = Api(plane.home)
        self._off_seconds = off_seconds
        self._pods: dict[str, str] = {}
        self._ended = threading.Event()

    def install(self, **changes: Any) -> None:
        """Write what the agent's pod mounts.

        Args:
            changes: to the agent's settings; the command and the kubelets' addresses, which
                nobody has here, are changed anyway.
        """
        agent = self._get("/apis/apps/v1", f"deployments/{NAMESPACE}")
        pod = agent["spec"]["template"]["spec"]
        self._command: list[str] = pod["containers"][0]["command"]
        volumes = {v["name"]: v for v in pod["volumes"] if "configMap" in v}
        maps = {name: volume["configMap"]["name"] for name, volume in volumes.items()}
        files = self._get("/api/v1", f"configmaps/{maps['program']}")["data"]
        fence = self.folder / "fence"
        command = self._get("/api/v1", f"configmaps/{maps['command']}")
        fence.write_text(command["data"]["fence"])
        fence.chmod(0o755)
        options = {"options": {"command": [str(fence)]}, "ask_kubelets": False}
        told = json.loads(files["settings.json"]) | options | changes
        files["settings.json"] = json.dumps(told)
        lay_out(volumes["program"], files, self.folder)
        authority = self.plane.home.cluster / "pki" / "ca.crt"
        (self.folder / "ca.crt").write_bytes(authority.read_bytes())
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAMESPACE}/token"
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        day = {**wanted, "spec": {"expirationSeconds": 86400}}
        token = self._api.request("POST", account, day)["status"]["token"]
        (self.folder / "token").write_text(token)

    def start(self, node: str) -> None:
        """Begin an agent on a node."""
        home = self.plane.home.kubeconfig
        kubectl = self.plane.toolchain.bin / "kubectl"
        with (self.folder / f"{node}.log").open("ab") as log:
            self.running[node] = subprocess.Popen(
                [sys.executable, *self._command[1:]],
                cwd=self.folder,
                env={
                    "HA_IRIS_API": self._api.url,
                    "HA_IRIS_ACCOUNT": str(self.folder),
                    "HA_IRIS_PORT": "0",
                    "HOSTNAME": f"agent-{node}-{time.monotonic_ns()}",
                    "NODE_NAME": node,
                    "POWER": str(self.folder),
                    "OFF_SECONDS": str(self._off_seconds),
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

    @contextlib.contextmanager
    def as_deployed(self) -> Iterator[None]:
        """Have an agent wherever the Deployment has a pod that runs, on a node with power."""
        kubelet = threading.Thread(target=self._follow, daemon=True)
        kubelet.start()
        try:
            yield
        finally:
            self._ended.set()
            kubelet.join()
            for node in [*self.running]:
                self.kill(node)

    def _follow(self) -> None:
        while not self._ended.wait(KUBELET_SECONDS):
            # The API server may be what a drill takes away: what runs then runs on.
            with contextlib.suppress(ApiError, urllib3.exceptions.HTTPError):
                self._turn()

    def _turn(self) -> None:
        on = {item["metadata"]["name"] for item in self._api.request("GET", POWERED)["items"]}
        wanted = {
            pod["spec"]["nodeName"]: pod["metadata"]["uid"]
            for pod in self._api.request("GET", PODS)["items"]
            if pod["spec"].get("nodeName") in on
            and pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        }
        for node, pod in self._pods.items():
            if wanted.get(node) != pod:
                self.kill(node)
        for node, pod in wanted.items():
            if self._pods.get(node) != pod:
                self.start(node)
        self._pods = wanted

    def leader(self) -> str:
        """Node of the agent that holds the Lease; empty where nobody does."""
        try:
            spec = self._get("/apis/coordination.k8s.io/v1", f"leases/{NAMESPACE}")["spec"]
        except ApiError:
            return ""
        holder = spec.get("holderIdentity") or ""
        return next((node for node in self.running if f"-{node}-" in holder), "")

    def phase(self, node: str) -> str | None:
        """How far the fence of a node is."""
        found = self._api.request("GET", f"/api/v1/nodes/{node}")
        record = found["metadata"]["annotations"].get("fencing.ha-iris/fence")
        return json.loads(record)["phase"] if record else None

    def said(self) -> str:
        """The logs of all agents."""
        return "\n".join(log.read_text() for log in self.folder.glob("*.log"))

    def _get(self, group: str, path: str) -> Any:
        """An object of the agents' namespace."""
        return self._api.request("GET", f"{group}/namespaces/{NAMESPACE}/{path}")
