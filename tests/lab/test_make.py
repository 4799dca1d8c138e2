"""What a person meets at `make up`, `make status` and `make down`, each in a clone of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from lab import REPOSITORY
from lab.engine.checkpoint import Checkpoint
from lab.home import LabHome
from lab.toolchain import Toolchain
from tests.lab.copies import copy_working_tree
from tests.lab.waiting import eventually

STAND_INS = {"HA_IRIS_LAB_PLUGINS": "stand-in", "HA_IRIS_LAB_CHART": "stand-in"}


@dataclass(frozen=True)
class Clone:
    """A copy of the working tree with a lab of its own."""

    root: Path

    @property
    def home(self) -> LabHome:
        """Its lab."""
        return LabHome(self.root / ".lab")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Run a command of the lab without waiting for its end."""
        return subprocess.Popen(
            [sys.executable, "-m", "lab", *command],
            cwd=self.root,
            env=os.environ | STAND_INS | {"PYTHONPATH": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command of the lab to its end: its output, and its errors after that."""
        process = self.start(*command)
        out, err = process.communicate(timeout=480)
        assert process.returncode == code, out + err
        assert "Traceback" not in out + err
        return out + err

    def processes(self) -> list[psutil.Process]:
        """Every process that has to do with this clone, the lab's and the engine's."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                told = [*process.cmdline(), process.cwd(), *process.environ().values()]
                if any(str(self.root) in text for text in told) and process.pid != os.getpid():
                    found.append(process)
        return found

    def addresses(self) -> set[str]:
        """Addresses that any process of this clone listens on."""
        return {
            connection.laddr.ip
            for process in self.processes()
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }

    def kubectl(self, *arguments: str) -> str:
        """What kubectl says of this lab's cluster."""
        command = [".lab/bin/kubectl", "--kubeconfig", ".lab/kubeconfig", *arguments]
        return subprocess.run(
            command, cwd=self.root, check=True, capture_output=True, text=True
        ).stdout


def clone_into(root: Path) -> Clone:
    """A copy with the virtual environment of these tests."""
    copy_working_tree(root)
    (root / ".venv").symlink_to(REPOSITORY / ".venv")
    return Clone(root)


@pytest.fixture
def clone(tmp_path: Path, toolchain: Toolchain) -> Iterator[Clone]:
    """A fresh clone; whatever a test leaves of its lab is removed."""
    clone = clone_into(tmp_path / "clone")
    yield clone
    process = clone.start("down", "--force")
    process.communicate(timeout=120)
    for process in clone.processes():
        process.kill()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Clone]:
    """A clone whose lab is up, for tests that leave it so."""
    clone = clone_into(tmp_path_factory.mktemp("up") / "clone")
    try:
        clone.run("up")
        yield clone
    finally:
        clone.start("down", "--force").communicate(timeout=120)


def kill(processes: list[psutil.Process]) -> None:
    """Kill processes, of which some may have ended."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def exists(clone: Clone, *what: str) -> bool:
    """Whether the clone's cluster has an object."""
    with contextlib.suppress(subprocess.CalledProcessError, FileNotFoundError):
        return bool(clone.kubectl("get", "--ignore-not-found", "--output", "name", *what))
    return False


def test_up_again_changes_nothing_and_is_quick(up: Clone):
    before = {process.pid for process in up.processes()}

    started = time.monotonic()
    told = up.run("up")

    assert time.monotonic() - started < 30
    assert "created" not in told
    (shown,) = re.findall(r"\+ (\d+) created", (REPOSITORY / "docs" / "lab.md").read_text())
    assert f"{shown} unchanged" in told
    assert {process.pid for process in up.processes()} == before


def test_up_says_how_to_reach_the_database_and_that_nothing_runs_on_the_nodes(up: Clone):
    told = up.run("up")

    assert "nodes are simulated" in told
    assert "neither IRIS nor Longhorn" in told
    assert "port-forward service/iris 52773" in told
    assert "user       dba" in told
    assert "python -m lab status dev --show-secrets" in told
    assert "stand-ins" in told


def test_status_tells_of_every_process_node_version_and_the_stack(up: Clone):
    told = up.run("status")

    assert "up\n" in told
    assert told.count("Ready (simulated)") == 3
    assert told.count(" process ") == 6
    assert "stand-ins for kubernetes and random" in told
    assert "stack dev" in told
    assert "longhorn-iris" in told


def test_a_secret_is_shown_only_when_asked_for(up: Clone):
    hidden = up.run("status")
    shown = up.run("status", "--show-secrets")

    def password(told: str) -> str:
        return next(line.split()[1] for line in told.splitlines() if "  password" in line)

    assert password(hidden) == "[secret]"
    assert len(password(shown)) == 24
    assert password(shown) not in hidden


def test_nothing_of_a_lab_listens_off_loopback(up: Clone):
    assert up.addresses() == {"127.0.0.1"}


def test_only_the_owner_can_enter_the_lab(up: Clone):
    secrets = [up.home.root, up.home.kubeconfig, up.home.passphrase]

    assert [oct(stat.S_IMODE(path.stat().st_mode) & 0o077) for path in secrets] == ["0o0"] * 3


def test_everything_new_in_the_clone_is_in_the_labs_folder(up: Clone):
    tracked = {path.name for path in REPOSITORY.iterdir()}

    assert {path.name for path in up.root.iterdir()} - tracked <= {".lab"}


def test_down_leaves_no_process_no_listener_and_no_file(clone: Clone):
    clone.run("up")
    assert clone.addresses()

    told = clone.run("down")

    assert "destroyed" in told or "deleted" in told
    assert clone.processes() == []
    assert not clone.home.root.exists()
    assert "nothing to remove" in clone.run("down")
    assert "down; `make up` starts it" in clone.run("status", code=3)


def test_two_labs_do_not_meet(up: Clone, clone: Clone):
    clone.run("up")
    clone.kubectl("create", "namespace", "only-here")

    assert not exists(up, "namespace", "only-here")
    before = {process.pid for process in up.processes()}
    clone.run("down")
    assert {process.pid for process in up.processes()} == before
    up.run("status")


def test_a_second_up_waits_for_the_first_and_says_so(clone: Clone):
    first = clone.start("up")
    eventually(clone.home.busy.exists)

    told = clone.run("up")

    first.communicate(timeout=10)
    assert first.returncode == 0
    assert f"up (process {first.pid}) is at work in this lab" in told
    assert "unchanged" in told


MOMENTS = {
    "control plane": lambda clone: (clone.home.cluster / "pids").exists(),
    "longhorn": lambda clone: exists(clone, "daemonset", "-A"),
    "database": lambda clone: exists(clone, "deployment", "iris", "-n", "iris"),
}


@pytest.mark.parametrize(
    ("moment", "whole"),
    [("control plane", True), ("longhorn", False), ("database", True)],
    ids=["control plane, and all it started", "longhorn", "database, and all it started"],
)
def test_an_up_killed_at_any_moment_is_finished_by_the_next(clone: Clone, moment: str, whole: bool):
    process = clone.start("up")
    eventually(lambda: MOMENTS[moment](clone))
    if whole:
        kill(clone.processes())
    process.kill()
    process.communicate()

    clone.run("up")

    assert "unchanged" in clone.run("up")
    clone.run("status")
    assert "deleted" in clone.run("down")
    assert clone.processes() == []


def test_a_down_killed_half_way_is_finished_by_the_next(clone: Clone):
    clone.run("up")
    process = clone.start("down")
    eventually(lambda: not exists(clone, "service", "iris", "-n", "iris"))
    kill([psutil.Process(process.pid)])
    process.communicate()

    clone.run("down")

    assert clone.processes() == []
    assert not clone.home.root.exists()


def test_an_interrupted_up_ends_in_order_and_goes_on_later(clone: Clone):
    process = clone.start("up")
    eventually(lambda: exists(clone, "namespace", "longhorn-system"))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in out + err

    clone.run("up")


def test_after_a_reboot_status_says_so_and_up_brings_everything_back(up: Clone):
    claim = up.kubectl("get", "pvc", "iris-data", "-n", "iris", "-o", "jsonpath={.metadata.uid}")
    kill(up.processes())

    told = up.run("status", code=3)
    assert "stopped; `make up` starts it again with its data" in told
    assert told.count("does not run") == 6

    assert "unchanged" in up.run("up")
    again = up.kubectl("get", "pvc", "iris-data", "-n", "iris", "-o", "jsonpath={.metadata.uid}")
    assert again == claim


def test_a_dead_component_shows_in_status_and_up_mends_it(up: Clone):
    kill([p for p in up.processes() if p.name() == "kube-scheduler"])

    told = up.run("status", code=3)
    assert "in part; `make up` mends it" in told
    assert told.count("does not run") == 1

    up.run("up")
    up.run("status")


def test_an_unreadable_state_is_one_line_with_its_cure_and_does_not_hinder_down(clone: Clone):
    clone.run("up")
    state = Checkpoint(clone.home, "ha-iris", "dev").file
    harms: list[tuple[Path, str | None]] = [
        (state, ""),
        (clone.home.passphrase, None),
        (clone.home.passphrase, "another one"),
        (state, state.read_text()[:500]),
    ]

    for file, text in harms:
        whole = file.read_text()
        file.unlink() if text is None else file.write_text(text)

        told = clone.run("up", code=1).splitlines()[-1]

        assert told.startswith("ha-iris: ")
        assert "`make down` and `make up` begin anew" in told
        file.write_text(whole)

    state.write_text("")
    assert "goes with its cluster, undestroyed" in clone.run("down")
    assert clone.processes() == []
    assert not clone.home.root.exists()


def test_protected_data_keeps_down_from_removing_the_lab_unless_forced(clone: Clone):
    file = clone.root / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("protectData: false", "protectData: true"))
    clone.run("up")

    told = clone.run("down", code=1)

    assert "the lab is still there" in told
    assert "down --force" in told.splitlines()[-1]
    assert exists(clone, "pvc", "iris-data", "-n", "iris")
    clone.run("down", "--force")
    assert clone.processes() == []


@pytest.mark.parametrize(
    ("stack", "change", "said"),
    [
        ("eks", None, "it is for aws"),
        ("dev", ("kubeconfig: .lab/kubeconfig", "kubeconfig: ~/.kube/config"), "~/.kube/config"),
        ("nope", None, "there is no Pulumi.nope.yaml"),
    ],
)
def test_the_stand_ins_deploy_into_the_lab_and_nowhere_else(
    clone: Clone, stack: str, change: tuple[str, str] | None, said: str
):
    if change:
        file = clone.root / f"Pulumi.{stack}.yaml"
        file.write_text(file.read_text().replace(*change))

    told = clone.run("up", stack, code=1)

    assert said in told
    assert told.count("\n") == 1
    assert not clone.home.root.exists()


def test_a_bad_stack_file_is_told_whole_and_nothing_is_deployed(clone: Clone):
    file = clone.root / "Pulumi.dev.yaml"
    file.write_text(file.read_text() + "  ha-iris:iris:\n    storageGb: 20\n")

    told = clone.run("up", code=1)

    assert "ha-iris:iris.storageGb is not a setting: did you mean storageGib?" in told
    assert not exists(clone, "namespace", "iris")
    state = json.loads(Checkpoint(clone.home, "ha-iris", "dev").file.read_text())
    types = [r["type"] for r in state["checkpoint"].get("latest", {}).get("resources") or []]
    assert [t for t in types if t.startswith("kubernetes:")] == []


def test_a_lab_that_cannot_be_written_is_one_line(clone: Clone):
    clone.home.root.write_text("a file where the folder should be")
    try:
        told = clone.run("up", code=1)
    finally:
        clone.home.root.unlink()

    assert "cannot be written" in told.splitlines()[-1]
    assert told.splitlines()[-1].startswith("ha-iris: ")
