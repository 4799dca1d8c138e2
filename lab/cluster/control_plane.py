"""The lab's control plane: etcd, API server, controller manager, scheduler and kwok on loopback.

kwokctl makes certificates and starts the processes. What it knows about them (pid files) is not
trusted: a process is this lab's if its command line names this lab's folder. So a killed lab, a
rebooted machine and a second clone are all met by the same `start`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import urllib3
from filelock import FileLock

from lab import REPOSITORY, LabError
from lab.cluster import FOLDER, POWER_LABEL, Timings, commands, kubeconfig, objects, processes
from lab.cluster.api import Api, ApiError
from lab.cluster.kwokctl import START_SECONDS, Kwokctl
from lab.cluster.ports import free_ports
from lab.cluster.processes import COMPONENTS, CONTROLLERS, Processes
from lab.home import LabHome
from lab.toolchain import TOOLS, Toolchain

_STORAGE_CODE = sorted(FOLDER.glob("*.py"))


@dataclass(frozen=True)
class Status:
    """How a lab is at one moment."""

    components: dict[str, bool]
    """Which of the lab's processes run: kwokctl's five and `storage`."""
    nodes: dict[str, str]
    """Node names and whether each is Ready, NotReady or Unknown."""
    version: str | None
    """Version of the API server, such as v1.35.4; None if it does not answer."""
    url: str | None
    """Address of the API server."""

    @property
    def running(self) -> bool:
        """Whether everything runs and the API server answers."""
        return self.version is not None and all(self.components.values())


class ControlPlane:
    """One lab's cluster of three simulated nodes in three zones."""

    def __init__(
        self,
        home: LabHome,
        toolchain: Toolchain,
        *,
        timings: Timings | None = None,
        commands_in: Mapping[str, str] | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        self.home = home
        self.toolchain = toolchain
        self.timings = timings or Timings()
        self.commands_in = commands_in
        """Environment of the commands that `kubectl exec` runs, on this machine and as this user;
        None: it runs none. No container is around them."""
        self.report = report
        self._kwokctl = Kwokctl(home, toolchain.bin)

    def start(self) -> None:
        """Bring the cluster up, or find it up (then within well under a second).

        Whatever state a killed run or a reboot left behind is repaired; etcd's data stays.

        Raises:
            LabError: a component does not start; says which one and what its log says.
        """
        self.home.prepare()
        with FileLock(self.home.root / "control-plane.lock"):
            running = processes.find(self.home, self.toolchain.bin)
            all_run = all(name in running for name in COMPONENTS)
            if not (all_run and self._is_current("stages", self._stages()) and self._serves()):
                processes.end_all(self.home)
                try:
                    self._boot()
                except LabError:
                    processes.end_all(self.home)
                    raise
                running = processes.find(self.home, self.toolchain.bin)
            self._bring_objects(running)
            self._await_nodes()

    def stop(self, delete: bool = False) -> None:
        """End every process of this lab; with `delete`, also forget the cluster's data."""
        if not self.home.root.exists():
            return
        with FileLock(self.home.root / "control-plane.lock"):
            processes.end_all(self.home)
            if delete:
                self.home.kubeconfig.unlink(missing_ok=True)
                shutil.rmtree(self.home.kwok, ignore_errors=True)

    def stop_api_server(self) -> None:
        """Kill the API server; `restart_api_server` brings it back."""
        server = processes.find(self.home).get("kube-apiserver", [])
        processes.end({"kube-apiserver": server})

    def restart_api_server(self) -> None:
        """Kill the API server and start it again, as an upgrade of the control plane does."""
        with FileLock(self.home.root / "control-plane.lock"):
            self.stop_api_server()
            self._insist(self._start_again)

    def _insist(self, begin: Callable[[], None]) -> None:
        """Start components, and those again that end meanwhile.

        A controller that waits ten seconds for the API server, or for its own lease, in vain
        ends, as it should: on a busy machine one after the other.

        Raises:
            LabError: one that is no controller does not start, or a controller ends again.
        """
        for _ in COMPONENTS:
            try:
                return begin()
            except LabError as error:
                if error.key not in CONTROLLERS:
                    raise
                begin = self._start_again
        begin()

    def _start_again(self) -> None:
        """Start the components that have ended."""
        running = processes.find(self.home)
        for name in COMPONENTS:
            if name not in running:
                (self.home.cluster / "pids" / f"{name}.pid").unlink(missing_ok=True)
        self._kwokctl.start()

    def status(self) -> Status:
        """What runs and what the API server says; never raises for a lab that is down."""
        running = processes.find(self.home)
        components = {name: name in running for name in (*COMPONENTS, processes.STORAGE)}
        try:
            api = Api(self.home)
            version = str(api.request("GET", "/version")["gitVersion"])
            nodes = {n["metadata"]["name"]: _readiness(n) for n in _items(api, "nodes")}
        except (OSError, ApiError, urllib3.exceptions.HTTPError):
            return Status(components, {}, None, None)
        return Status(components, nodes, version, api.url)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl against this lab and return what it prints.

        Raises:
            LabError: kubectl fails; carries its last line.
        """
        answer = subprocess.run(
            [str(self.toolchain.bin / "kubectl"), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._kwokctl.environment(),
        )
        if answer.returncode:
            lines = answer.stderr.strip().splitlines() or ["no output"]
            raise LabError(
                f"kubectl {' '.join(arguments[:3])}", lines[-1], "see the logs in .lab/kwok"
            )
        return answer.stdout

    def _serves(self) -> bool:
        """Whether the API server at the kubeconfig's address is ready."""
        try:
            return Api(self.home).request("GET", "/readyz") == "ok"
        except (OSError, ApiError, urllib3.exceptions.HTTPError):
            return False

    def _boot(self) -> None:
        """Start all components on what etcd has, or on nothing if no boot was ever finished."""
        cluster = self.home.cluster
        finished = cluster / "finished"
        if not finished.exists():
            shutil.rmtree(cluster, ignore_errors=True)
        for stale in ("kwok.yaml", "kubeconfig.yaml"):
            (cluster / stale).unlink(missing_ok=True)
        for stale in ("pids", "bin"):
            shutil.rmtree(cluster / stale, ignore_errors=True)
        ports = free_ports(self.home.name, 6)
        stages = self._stages()
        self._insist(lambda: self._kwokctl.create(ports, stages))
        kubeconfig.write(self.home, f"https://127.0.0.1:{ports[0]}")
        deadline = time.monotonic() + START_SECONDS
        while not self._serves():
            self._insist(self._kwokctl.check_alive)
            if time.monotonic() > deadline:
                raise self._kwokctl.fault("kube-apiserver", f"is not ready after {START_SECONDS} s")
            time.sleep(0.05)
        self._free_leases()
        finished.touch()
        self._remember("stages", stages)

    def _free_leases(self) -> None:
        """Let go of what processes that have ended held: their heirs would wait up to 40 s."""
        api = Api(self.home)
        for namespace in ("kube-node-lease", "kube-system"):
            api.request("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")

    def _stages(self) -> list[dict]:
        """The Stages, and what else kwok reads when it starts."""
        stages = [o for o in self._objects() if o["kind"] == "Stage"]
        return stages if self.commands_in is None else [*stages, commands(self.commands_in)]

    def _objects(self) -> list[dict]:
        return objects(f"v{TOOLS['kube-apiserver'].version}", self.timings)

    def _bring_objects(self, running: Processes) -> None:
        """Apply lab/cluster and run its storage.py, again if either has changed since."""
        wanted = [o for o in self._objects() if o["kind"] != "Stage"]
        if not self._is_current("objects", wanted):
            options = ("--server-side", "--force-conflicts", "--validate=false")
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": wanted})
            self.kubectl("apply", *options, "-f", "-", stdin=text)
            self._remember("objects", wanted)
        code = [path.read_text() for path in _STORAGE_CODE]
        code.append(str(self.timings.kubelet_status))
        if processes.STORAGE not in running or not self._is_current("storage", code):
            processes.end({processes.STORAGE: running.get(processes.STORAGE, [])})
            self._start_storage()
            self._remember("storage", code)

    def _is_current(self, name: str, content: object) -> bool:
        """Whether the cluster was last given this `content`."""
        mark = self.home.cluster / f"{name}.sha256"
        return mark.exists() and mark.read_text() == _digest(content)

    def _remember(self, name: str, content: object) -> None:
        (self.home.cluster / f"{name}.sha256").write_text(_digest(content))

    def _start_storage(self) -> None:
        """Start storage.py, which goes to the background and lives on after this process."""
        with (self.home.logs / "storage.log").open("a") as log:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "lab.cluster.storage",
                    str(self.home.root),
                    str(self.timings.kubelet_status),
                ],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )

    def _await_nodes(self) -> None:
        """Wait until every node that has power is Ready."""
        api = Api(self.home)
        deadline = time.monotonic() + START_SECONDS
        while True:
            nodes = [n for n in _items(api, "nodes") if POWER_LABEL in n["metadata"]["labels"]]
            if nodes and all(_readiness(node) == "Ready" for node in nodes):
                return
            if time.monotonic() > deadline:
                raise self._kwokctl.fault("kwok-controller", "does not make the nodes Ready")
            time.sleep(0.05)


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _items(api: Api, plural: str) -> list[dict]:
    return api.request("GET", f"/api/v1/{plural}")["items"]


def _readiness(node: dict) -> str:
    """Ready, NotReady or Unknown, as kubectl shows it."""
    conditions = node.get("status", {}).get("conditions", [])
    said = next((c["status"] for c in conditions if c["type"] == "Ready"), "Unknown")
    return {"True": "Ready", "False": "NotReady"}.get(said, "Unknown")
