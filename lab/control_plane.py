"""The lab's control plane: etcd, API server, controller manager, scheduler and kwok on loopback.

kwokctl makes certificates and starts the processes. What it knows about them (pid files) is not
trusted: a process is this lab's if its command line names this lab's folder. So a killed lab, a
rebooted machine and a second clone are all met by the same `start`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3
import yaml
from filelock import FileLock

from lab import LabError
from lab.cluster import POWER_LABEL, Timings, objects
from lab.cluster.api import Api, ApiError
from lab.cluster.ports import free_ports
from lab.home import LabHome
from lab.toolchain import TOOLS, Toolchain

CONTEXT = "ha-iris-lab"
"""Context of the lab's kubeconfig, the same in every lab."""
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok-controller",
)
_START_SECONDS = 90
_STORAGE = "storage"
_LAB = Path(__file__).parent
_STORAGE_CODE = [_LAB / "storage.py", *sorted((_LAB / "cluster").glob("*.py"))]


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
        report: Callable[[str], None] = print,
    ) -> None:
        self.home = home
        self.toolchain = toolchain
        self.timings = timings or Timings()
        self.report = report

    def start(self) -> None:
        """Bring the cluster up, or find it up (then within well under a second).

        Whatever state a killed run or a reboot left behind is repaired; etcd's data stays.

        Raises:
            LabError: a component does not start; says which one and what its log says.
        """
        self.home.prepare()
        with FileLock(self.home.root / "control-plane.lock"):
            running = self._processes()
            all_run = all(name in running for name in COMPONENTS)
            if not (all_run and self._is_current("stages", self._stages()) and self._serves()):
                _end(self._processes(every_binary=True))
                self._boot()
                running = self._processes()
            self._bring_objects(running)
            self._await_nodes()

    def stop(self, delete: bool = False) -> None:
        """End every process of this lab; with `delete`, also forget the cluster's data."""
        if not self.home.root.exists():
            return
        with FileLock(self.home.root / "control-plane.lock"):
            _end(self._processes(every_binary=True))
            if delete:
                self.home.kubeconfig.unlink(missing_ok=True)
                shutil.rmtree(self.home.kwok, ignore_errors=True)

    def restart_api_server(self) -> None:
        """Kill the API server and start it again, as an upgrade of the control plane does."""
        with FileLock(self.home.root / "control-plane.lock"):
            server = self._processes(every_binary=True).get("kube-apiserver", [])
            _end({"kube-apiserver": server})
            (self.home.cluster / "pids" / "kube-apiserver.pid").unlink(missing_ok=True)
            self._kwokctl("start", "cluster")

    def status(self) -> Status:
        """What runs and what the API server says; never raises for a lab that is down."""
        running = self._processes()
        components = {name: name in running for name in (*COMPONENTS, _STORAGE)}
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
            env=self._environment(),
        )
        if answer.returncode:
            lines = answer.stderr.strip().splitlines() or ["no output"]
            raise LabError(
                f"kubectl {' '.join(arguments[:3])}", lines[-1], "see the logs in .lab/kwok"
            )
        return answer.stdout

    # What runs

    def _processes(self, every_binary: bool = False) -> dict[str, list[psutil.Process]]:
        """This lab's processes by component; with `every_binary` also those of older builds."""
        found: dict[str, list[psutil.Process]] = {}
        folder = f"{self.home.cluster}/"
        for process in psutil.process_iter(["cmdline", "exe"]):
            command: list[str] = process.info["cmdline"] or [""]
            if command[0].startswith(f"{folder}bin/"):
                name = Path(command[0]).name
                ours = Path(process.info["exe"] or "").parent == self.toolchain.bin.resolve()
                if every_binary or ours:
                    found.setdefault(name, []).append(process)
            elif command[1:] == ["-m", "lab.storage", str(self.home.root)]:
                found.setdefault(_STORAGE, []).append(process)
            elif (
                every_binary
                and Path(command[0]).name in ("kwokctl", "kubectl")
                and any(self.home.name in argument for argument in command)
            ):
                found.setdefault(Path(command[0]).name, []).append(process)
        return found

    def _serves(self) -> bool:
        """Whether the API server at the kubeconfig's address is ready."""
        try:
            return Api(self.home).request("GET", "/readyz") == "ok"
        except (OSError, ApiError, urllib3.exceptions.HTTPError):
            return False

    # Starting

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
        config = self.home.kwok / "kwokctl.yaml"
        stages = self._stages()
        config.write_text(yaml.safe_dump_all([_kwokctl_config(self.toolchain, ports), *stages]))
        self._kwokctl("--config", str(config), "create", "cluster", "--kubeconfig", "")
        self._write_kubeconfig(f"https://127.0.0.1:{ports[0]}")
        deadline = time.monotonic() + _START_SECONDS
        while not self._serves():
            self._check_alive()
            if time.monotonic() > deadline:
                raise self._fault("kube-apiserver", f"is not ready after {_START_SECONDS} s")
            time.sleep(0.05)
        finished.touch()
        self._remember("stages", stages)

    def _kwokctl(self, *arguments: str) -> None:
        """Run kwokctl, and give up as soon as a component it started has died."""
        log = self.home.logs / "kwokctl.log"
        command = [str(self.toolchain.bin / "kwokctl"), *arguments, "--name", self.home.name]
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                env=self._environment(),
                stdout=output,
                stderr=output,
                umask=0o077,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        try:
            while process.poll() is None:
                self._check_alive()
                if time.monotonic() > deadline:
                    raise self._fault("kwokctl", f"has not ended after {_START_SECONDS} s", log)
                time.sleep(0.05)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the kubectl that it waits for
            process.wait()
        if process.returncode:
            raise self._fault("kwokctl", f"ended with status {process.returncode}", log)

    def _check_alive(self) -> None:
        """Raise LabError if a component that kwokctl has started is no more."""
        for name in COMPONENTS:
            try:
                pid = int((self.home.cluster / "pids" / f"{name}.pid").read_text())
            except (FileNotFoundError, ValueError):
                continue
            if not (psutil.pid_exists(pid) and _alive(psutil.Process(pid))):
                raise self._fault(name, "ended right after its start")

    def _fault(self, name: str, reason: str, log: Path | None = None) -> LabError:
        """What the user is told about a component that does not come up."""
        log = log or self.home.cluster / "logs" / f"{name}.log"
        said = _last_words(log)
        cure = f"read {log} and run again"
        if name == "etcd":
            cure += f"; if its data is beyond repair, delete {self.home.root} to begin anew"
        return LabError(name, f"{reason}: {said}", cure)

    def _write_kubeconfig(self, url: str) -> None:
        """Write the lab's own kubeconfig, for its owner only and whole or not at all."""
        pki = self.home.cluster / "pki"

        def embedded(name: str) -> str:
            return base64.b64encode((pki / name).read_bytes()).decode()

        cluster = {"server": url, "certificate-authority-data": embedded("ca.crt")}
        user = {
            "client-certificate-data": embedded("admin.crt"),
            "client-key-data": embedded("admin.key"),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": user}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
            "current-context": CONTEXT,
        }
        partial = self.home.kubeconfig.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            yaml.safe_dump(config, file, sort_keys=False)
        partial.replace(self.home.kubeconfig)

    def _stages(self) -> list[dict]:
        """The Stages that kwok reads when it starts."""
        return [o for o in self._objects() if o["kind"] == "Stage"]

    def _objects(self) -> list[dict]:
        return objects(f"v{TOOLS['kube-apiserver'].version}", self.timings)

    def _bring_objects(self, running: dict[str, list[psutil.Process]]) -> None:
        """Apply lab/cluster and run lab/storage.py, again if either has changed since."""
        wanted = [o for o in self._objects() if o["kind"] != "Stage"]
        if not self._is_current("objects", wanted):
            options = ("--server-side", "--force-conflicts", "--validate=false")
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": wanted})
            self.kubectl("apply", *options, "-f", "-", stdin=text)
            self._remember("objects", wanted)
        code = [path.read_text() for path in _STORAGE_CODE]
        if _STORAGE not in running or not self._is_current("storage", code):
            _end({_STORAGE: running.get(_STORAGE, [])})
            self._start_storage()
            self._remember("storage", code)

    def _is_current(self, name: str, content: object) -> bool:
        """Whether the cluster was last given this `content`."""
        mark = self.home.cluster / f"{name}.sha256"
        return mark.exists() and mark.read_text() == _digest(content)

    def _remember(self, name: str, content: object) -> None:
        (self.home.cluster / f"{name}.sha256").write_text(_digest(content))

    def _start_storage(self) -> None:
        """Start lab/storage.py, which goes to the background and lives on after this process."""
        with (self.home.logs / "storage.log").open("a") as log:
            subprocess.run(
                [sys.executable, "-m", "lab.storage", str(self.home.root)],
                cwd=_LAB.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )

    def _await_nodes(self) -> None:
        """Wait until every node that has power is Ready."""
        api = Api(self.home)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            nodes = [n for n in _items(api, "nodes") if POWER_LABEL in n["metadata"]["labels"]]
            if nodes and all(_readiness(node) == "Ready" for node in nodes):
                return
            if time.monotonic() > deadline:
                raise self._fault("kwok-controller", "does not make the nodes Ready")
            time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        """An environment in which nothing of the user's kwok or kubectl is read or written.

        kwokctl 0.8.0 cuts KWOK_WORKDIR at its first blank, but takes HOME as it is.
        """
        users = {k: v for k, v in os.environ.items() if not k.startswith(("KWOK_", "KUBE"))}
        return users | {
            "HOME": str(self.home.kwok),
            "KUBECONFIG": str(self.home.kubeconfig),
            "KUBECACHEDIR": str(self.home.kwok / "kubectl-cache"),
            "NO_PROXY": "127.0.0.1",
        }


def _kwokctl_config(toolchain: Toolchain, ports: list[int]) -> dict[str, object]:
    """kwokctl's configuration: our binaries, loopback only, timings of a managed cluster."""
    api_server, etcd, etcd_peer, controller_manager, scheduler, kwok = ports
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "kubeVersion": f"v{TOOLS['kube-apiserver'].version}",
            "etcdBinary": str(toolchain.bin / "etcd"),
            "kubeApiserverBinary": str(toolchain.bin / "kube-apiserver"),
            "kubeControllerManagerBinary": str(toolchain.bin / "kube-controller-manager"),
            "kubeSchedulerBinary": str(toolchain.bin / "kube-scheduler"),
            "kwokControllerBinary": str(toolchain.bin / "kwok"),
            "kubectlBinary": str(toolchain.bin / "kubectl"),
            "kubeApiserverPort": api_server,
            "etcdPort": etcd,
            "etcdPeerPort": etcd_peer,
            "kubeControllerManagerPort": controller_manager,
            "kubeSchedulerPort": scheduler,
            "kwokControllerPort": kwok,
            "disableQPSLimits": True,
            "heartbeatFactor": 1,
        },
        "componentsPatches": [
            {
                "name": "kube-controller-manager",
                "extraArgs": [{"key": "node-monitor-grace-period", "value": "50s"}],
            },
            {
                "name": "kwok-controller",
                "extraArgs": [
                    {"key": "manage-all-nodes", "value": "false"},
                    {"key": "manage-nodes-with-label-selector", "value": f"{POWER_LABEL}=on"},
                ],
            },
        ],
    }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _items(api: Api, plural: str) -> list[dict]:
    return api.request("GET", f"/api/v1/{plural}")["items"]


def _readiness(node: dict) -> str:
    """Ready, NotReady or Unknown, as kubectl shows it."""
    conditions = node.get("status", {}).get("conditions", [])
    said = next((c["status"] for c in conditions if c["type"] == "Ready"), "Unknown")
    return {"True": "Ready", "False": "NotReady"}.get(said, "Unknown")


def _last_words(log: Path) -> str:
    """The line of `log` that most likely tells why: the last one that speaks of a fault."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return "it left no log"
    bad = ("panic", "fatal", "error", "fail", "in use", "denied", "no space")
    telling = [line for line in lines[-60:] if any(word in line.lower() for word in bad)]
    return (telling or lines or ["its log is empty"])[-1][:400]


def _end(processes: dict[str, list[psutil.Process]]) -> None:
    """End these processes, etcd last and gently, and wait until they are gone."""
    etcd = processes.get("etcd", [])
    rest = [p for name, found in processes.items() if name != "etcd" for p in found]
    for process in rest:
        _signal(process.kill)
    _await_end(rest, 10)
    for process in etcd:
        _signal(process.terminate)
    for process in _await_end(etcd, 5):
        _signal(process.kill)
    _await_end(etcd, 5)


def _await_end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the end of these processes; those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := [p for p in processes if _alive(p)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and whose parent does not care does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
