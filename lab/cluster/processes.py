"""Finding and ending the processes of one lab.

A process is a lab's if its command line names the lab's folder. No pid file is trusted: after a
reboot its number belongs to some other program.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

from lab.home import LabHome

COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok-controller",
)
"""What kwokctl starts."""
CONTROLLERS = COMPONENTS[2:]
"""Those of them that end when they wait for the API server in vain."""
STORAGE = "storage"
"""The name of lab/cluster/storage.py among the components."""

Processes = dict[str, list[psutil.Process]]
"""Processes by the name of their component."""


def find(home: LabHome, binaries: Path | None = None) -> Processes:
    """This lab's processes; with `binaries`, only components that run from that folder."""
    found: Processes = {}
    for process in psutil.process_iter(["cmdline", "exe"]):
        command: list[str] = process.info["cmdline"] or [""]
        name = Path(command[0]).name
        if command[0].startswith(f"{home.cluster}/bin/"):
            if binaries is None or Path(process.info["exe"] or "").parent == binaries.resolve():
                found.setdefault(name, []).append(process)
        elif command[1:4] == ["-m", "lab.cluster.storage", str(home.root)]:
            found.setdefault(STORAGE, []).append(process)
        elif name in ("kwokctl", "kubectl") and any(home.name in part for part in command):
            found.setdefault(name, []).append(process)
    return found


def end_all(home: LabHome) -> None:
    """End all of this lab's processes and wait until they are gone."""
    # First what starts others: one that it starts while we look would not be found.
    end({"kwokctl": find(home).get("kwokctl", [])})
    end(find(home))


def end(processes: Processes) -> None:
    """End these processes, etcd last and gently, and wait until they are gone."""
    etcd = processes.get("etcd", [])
    rest = [p for name, found in processes.items() if name != "etcd" for p in found]
    for process in rest:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    await_end(rest, 10)
    for process in etcd:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    stubborn = await_end(etcd, 5)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    await_end(stubborn, 5)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and whose parent does not care does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the end of these processes; those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := [p for p in processes if alive(p)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left
