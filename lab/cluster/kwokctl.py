"""kwokctl 0.8.0: its configuration, running it, and what to say when it fails."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import yaml

from lab import LabError
from lab.cluster import POWER_LABEL
from lab.cluster.processes import COMPONENTS, alive
from lab.home import LabHome
from lab.toolchain import TOOLS

START_SECONDS = 90
"""How long a component may take before the lab gives up on it."""

GIVEN = {
    "listen-client-urls",
    "advertise-client-urls",
    "listen-peer-urls",
    "initial-advertise-peer-urls",
    "initial-cluster",
    "etcd-servers",
}
"""Flags that kwokctl gives by itself: another value replaces them; all others are added."""

KUBELETS = {"kubelet-preferred-address-types": "InternalDNS"}
"""Where the API server finds them: the nodes' addresses of this type are this machine's."""


class Kwokctl:
    """kwokctl for one lab's cluster."""

    def __init__(self, home: LabHome, binaries: Path) -> None:
        self._home = home
        self._binaries = binaries

    def create(self, ports: list[int], stages: Iterable[dict]) -> None:
        """Start every component on these six ports, on the data that etcd has.

        Raises:
            LabError: a component does not start; says which one and what its log says.
        """
        config = self._home.kwok / "kwokctl.yaml"
        config.write_text(yaml.safe_dump_all([self._configuration(ports), *stages]))
        self._run("--config", str(config), "create", "cluster", "--kubeconfig", "")

    def start(self) -> None:
        """Start the components that are down and whose pid files are gone."""
        self._run("start", "cluster")

    def check_alive(self) -> None:
        """Raise LabError if a component that kwokctl has started is no more."""
        for name in COMPONENTS:
            try:
                pid = int((self._home.cluster / "pids" / f"{name}.pid").read_text())
            except (FileNotFoundError, ValueError):
                continue
            if not (psutil.pid_exists(pid) and alive(psutil.Process(pid))):
                raise self.fault(name, "ended right after its start")

    def fault(self, name: str, reason: str, log: Path | None = None) -> LabError:
        """What the user is told about a component that does not come up."""
        log = log or self._home.cluster / "logs" / f"{name}.log"
        cure = f"read {log} and run again"
        if name == "etcd":
            cure += f"; if its data is beyond repair, delete {self._home.root} to begin anew"
        return LabError(name, f"{reason}: {_last_words(log)}", cure)

    def environment(self) -> dict[str, str]:
        """An environment in which nothing of the user's kwok or kubectl is read or written.

        kwokctl cuts KWOK_WORKDIR at its first blank, but takes HOME as it is.
        """
        users = {k: v for k, v in os.environ.items() if not k.startswith(("KWOK_", "KUBE"))}
        return users | {
            "HOME": str(self._home.kwok),
            "KUBECONFIG": str(self._home.kubeconfig),
            "KUBECACHEDIR": str(self._home.kwok / "kubectl-cache"),
            "NO_PROXY": "127.0.0.1",
        }

    def _run(self, *arguments: str) -> None:
        """Run kwokctl, and give up as soon as a component it started has died."""
        log = self._home.logs / "kwokctl.log"
        command = [str(self._binaries / "kwokctl"), *arguments, "--name", self._home.name]
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                env=self.environment(),
                stdout=output,
                stderr=output,
                umask=0o077,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        try:
            while process.poll() is None:
                self.check_alive()
                if time.monotonic() > deadline:
                    raise self.fault("kwokctl", f"has not ended after {START_SECONDS} s", log)
                time.sleep(0.05)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the kubectl that it waits for
            process.wait()
        if process.returncode:
            raise self.fault("kwokctl", f"ended with status {process.returncode}", log)

    def _configuration(self, ports: list[int]) -> dict[str, object]:
        """Our binaries, loopback only, the node timings of a managed cluster."""
        api_server, etcd, etcd_peer, controller_manager, scheduler, kwok = ports
        return {
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": {
                "runtime": "binary",
                "bindAddress": "127.0.0.1",
                "kubeVersion": f"v{TOOLS['kube-apiserver'].version}",
                "etcdBinary": str(self._binaries / "etcd"),
                "kubeApiserverBinary": str(self._binaries / "kube-apiserver"),
                "kubeControllerManagerBinary": str(self._binaries / "kube-controller-manager"),
                "kubeSchedulerBinary": str(self._binaries / "kube-scheduler"),
                "kwokControllerBinary": str(self._binaries / "kwok"),
                "kubectlBinary": str(self._binaries / "kubectl"),
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
                _extra("etcd", self._etcd_over_tls(etcd, etcd_peer)),
                _extra("kube-apiserver", self._client_of_etcd(etcd) | KUBELETS),
                _extra("kube-controller-manager", {"node-monitor-grace-period": "50s"}),
                _extra(
                    "kwok-controller",
                    {
                        "manage-all-nodes": "false",
                        "manage-nodes-with-label-selector": f"{POWER_LABEL}=on",
                    },
                ),
            ],
        }

    def _etcd_over_tls(self, client_port: int, peer_port: int) -> dict[str, str]:
        """etcd holds the cluster's secrets: no other user of this machine may talk to it."""
        pki = self._home.cluster / "pki"
        client, peer = f"https://127.0.0.1:{client_port}", f"https://127.0.0.1:{peer_port}"
        return {
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "cert-file": str(pki / "admin.crt"),
            "key-file": str(pki / "admin.key"),
            "trusted-ca-file": str(pki / "ca.crt"),
            "client-cert-auth": "true",
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"node0={peer}",
            "peer-cert-file": str(pki / "admin.crt"),
            "peer-key-file": str(pki / "admin.key"),
            "peer-trusted-ca-file": str(pki / "ca.crt"),
            "peer-client-cert-auth": "true",
        }

    def _client_of_etcd(self, port: int) -> dict[str, str]:
        pki = self._home.cluster / "pki"
        return {
            "etcd-servers": f"https://127.0.0.1:{port}",
            "etcd-cafile": str(pki / "ca.crt"),
            "etcd-certfile": str(pki / "admin.crt"),
            "etcd-keyfile": str(pki / "admin.key"),
        }


def _extra(component: str, flags: dict[str, str]) -> dict[str, object]:
    """Flags in the place of those that kwokctl would give, or besides them."""
    arguments = [
        {"key": key, "value": value, "override": key in GIVEN} for key, value in flags.items()
    ]
    return {"name": component, "extraArgs": arguments}


def _last_words(log: Path) -> str:
    """The line of `log` that most likely tells why: the last one that speaks of a fault."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return "it left no log"
    bad = ("panic", "fatal", "error", "fail", "in use", "denied", "no space")
    telling = [line for line in lines[-60:] if any(word in line.lower() for word in bad)]
    return (telling or lines or ["its log is empty"])[-1][:400]
