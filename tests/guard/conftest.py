"""Runs the cases of all chosen tests at the same time: each of them mostly waits."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.guard.machine import Machine

NEEDED = ("ip", "unshare", "nsenter", "setpriv", "fsfreeze", "mkfs.ext4", "mount")


def missing() -> str:
    """Why a node cannot be made on this machine, or nothing."""
    if os.geteuid() != 0:
        return "namespaces, loop devices and a frozen file system take root"
    if absent := [program for program in NEEDED if not shutil.which(program)]:
        return f"{', '.join(absent)} missing (iproute2, util-linux, e2fsprogs)"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "no /dev/net/tun"
    for command in (["unshare", "--net", "--pid", "--mount", "--fork", "true"], ["losetup", "-f"]):
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            return f"{' '.join(command)}: {tried.stderr.strip()}"
    return ""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "during(case): what the test saw, once the case has run")


@pytest.fixture(scope="session")
def _running(request: pytest.FixtureRequest) -> Iterator[dict[Callable, Future]]:
    if why := missing():
        pytest.skip(f"the guard's nodes cannot be made here: {why}")
    marks = [item.get_closest_marker("during") for item in request.session.items]
    cases = list(dict.fromkeys(mark.args[0] for mark in marks if mark))
    numbers = count()

    def run(case: Callable[..., Any], root: Path) -> Any:
        machines: list[Machine] = []

        def machine(**told: Any) -> Machine:
            name = f"guard-{os.getpid()}-{next(numbers)}"
            made = Machine(root / name, name, **told)
            machines.append(made)
            made.wait_until_running()
            return made

        try:
            return case(machine)
        finally:
            for made in machines:
                made.close()

    with _memory() as root, ThreadPoolExecutor(max_workers=max(1, len(cases))) as pool:
        yield {case: pool.submit(run, case, root) for case in cases}


@contextmanager
def _memory() -> Iterator[Path]:
    """A folder in memory: no disk of this machine takes part, or makes a freeze late."""
    with tempfile.TemporaryDirectory(prefix="ha-iris-guard-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "guard", folder], check=True)
        try:
            yield Path(folder)
        finally:
            # A loop device lets go of its file a moment after its file system is gone.
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def seen(request: pytest.FixtureRequest, _running: dict[Callable, Future]) -> Any:
    """What the case of this test observed."""
    case = request.node.get_closest_marker("during").args[0]
    found = _running[case].result()
    print(f"{case.__name__}: {found}")
    return found
