"""What the lab's commands say where no lab is needed to say it."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lab.__main__ as command_line
from lab import REPOSITORY, LabError
from lab.cluster import ports
from lab.cluster.ports import free_ports
from lab.commands import down
from lab.engine import orphans
from lab.engine.checkpoint import Checkpoint, stacks_in
from lab.exclusive import exclusive, holder
from lab.home import LabHome
from lab.status import INCOMPLETE, rehearsed, status


@pytest.fixture
def home(tmp_path: Path) -> LabHome:
    """A lab that was never up."""
    return LabHome(tmp_path / "lab")


@pytest.fixture
def listener() -> Iterator[Callable[[int], None]]:
    """``listener(port)`` lets some other program listen there."""
    sockets: list[socket.socket] = []

    def listen(port: int) -> None:
        sockets.append(socket.create_server(("127.0.0.1", port)))

    yield listen
    for one in sockets:
        one.close()


def run(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The command line, whose command `status` fails in a certain way."""

    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(command_line, "_status", fail)
    return command_line.main(["status"])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LabError("etcd", "ended", "run again"), "ha-iris: etcd: ended; run again"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/lab/x"),
            "ha-iris: /lab/x: No space left on device; make room",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/lab/x"),
            "ha-iris: /lab/x: Read-only file system; make room or make it writable",
        ),
        (
            ModuleNotFoundError("No module named 'psutil'", name="psutil"),
            "ha-iris: psutil: this Python package is not installed; use .venv",
        ),
    ],
)
def test_what_a_user_can_put_right_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, error: Exception, said: str
):
    assert run(monkeypatch, error) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(said)
    assert told.err.count("\n") == 1


def test_an_interrupted_command_says_that_it_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    assert run(monkeypatch, KeyboardInterrupt()) == 130
    assert "run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOENT, "No such file or directory", "x"),
        ModuleNotFoundError("No module named 'lab.cluster.nowhere'", name="lab.cluster.nowhere"),
    ],
)
def test_a_fault_of_our_own_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, error: Exception):
    with pytest.raises(type(error)):
        run(monkeypatch, error)


def test_a_python_that_is_too_old_is_told_before_anything_is_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(sys, "hexversion", 0x030A0DF0)
    monkeypatch.setattr(sys, "version", "3.10.13 (main)")

    assert command_line.main(["up"]) == 1
    assert "ha-iris: Python (3.10.13): 3.11 or newer is needed" in capsys.readouterr().err


def test_a_lab_gets_the_same_ports_each_time_and_other_ones_than_the_next():
    one, other = free_ports("ha-iris-one", 6), free_ports("ha-iris-other", 6)

    assert free_ports("ha-iris-one", 6) == one
    assert not set(one) & set(other)
    assert all(20000 <= port < 32000 for port in one + other)


def test_a_lab_whose_ports_are_busy_gets_others(listener: Callable[[int], None]):
    usual = free_ports("ha-iris-one", 6)
    listener(usual[2])

    assert not set(free_ports("ha-iris-one", 6)) & set(usual)


def test_no_free_port_at_all_is_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "_free", lambda port: False)

    with pytest.raises(LabError, match="no 6 neighbouring ports are free") as refused:
        free_ports("ha-iris-one", 6)
    assert refused.value.cure == "end what listens there, then run again"


def test_the_lock_tells_who_holds_it_and_is_free_afterwards(home: LabHome):
    with exclusive(home, "up", print):
        assert holder(home) == f"up (process {os.getpid()})"

    assert holder(home) is None
    with exclusive(home, "down", print):
        pass


def test_a_killed_holder_is_not_told_of(home: LabHome):
    home.prepare()
    home.busy.write_text("999999999 up")

    assert holder(home) is None


def test_a_lab_that_was_never_up_is_down(home: LabHome, capsys: pytest.CaptureFixture):
    assert status("dev", home) == INCOMPLETE
    assert down(home) == 0

    assert capsys.readouterr().out.splitlines() == [
        "The lab is down; `make up` starts it",
        "The lab does not exist: nothing to remove",
    ]
    assert not home.root.exists()


def test_status_says_who_is_at_work_on_the_first_start(
    home: LabHome, capsys: pytest.CaptureFixture
):
    with exclusive(home, "up", print):
        status("dev", home)

    assert f"being changed by up (process {os.getpid()})" in capsys.readouterr().out


def test_down_removes_a_lab_that_was_begun_and_nothing_beside_it(home: LabHome):
    home.prepare()
    beside = home.root.parent / "mine" / "file"
    beside.parent.mkdir()
    beside.write_text("mine")
    (home.root / "link").symlink_to(beside.parent)

    assert down(home) == 0

    assert not home.root.exists()
    assert beside.read_text() == "mine"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 3}', '{"checkpoint": null}'])
def test_a_damaged_state_is_one_line_with_its_cure(home: LabHome, content: str):
    checkpoint = Checkpoint(home, "ha-iris", "dev")
    checkpoint.file.parent.mkdir(parents=True)
    checkpoint.file.write_text(content)

    with pytest.raises(LabError, match="state of stack dev is damaged") as refused:
        checkpoint.check()

    assert "\n" not in str(refused.value)
    assert "dev.json.bak" in refused.value.cure
    assert stacks_in(home) == ["dev"]


def test_a_stack_that_does_not_exist_has_no_state_and_no_fault(home: LabHome):
    checkpoint = Checkpoint(home, "ha-iris", "dev")
    checkpoint.check()

    assert not checkpoint.exists
    assert checkpoint.outputs == {}


def test_a_secret_output_is_not_told(home: LabHome):
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "c": "x"}
    outputs = {"password": secret, "nested": {"list": [secret, 1]}, "user": "_SYSTEM"}
    checkpoint = Checkpoint(home, "ha-iris", "dev")
    checkpoint.file.parent.mkdir(parents=True)
    resource = {"type": "pulumi:pulumi:Stack", "outputs": outputs}
    checkpoint.file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [resource]}}}))

    assert checkpoint.outputs == {
        "password": "[secret]",
        "nested": {"list": ["[secret]", 1]},
        "user": "_SYSTEM",
    }


def test_what_a_killed_up_left_running_is_ended_in_its_own_lab_only(home: LabHome):
    def left_by(root: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"], env=os.environ | {orphans.MARK: str(root)})

    ours, others = left_by(home.root), left_by(home.root.parent / "other")
    try:
        orphans.end(home, print, grace=0)

        assert ours.wait(timeout=5) == -signal.SIGKILL
        assert others.poll() is None
    finally:
        ours.kill()
        others.kill()
        others.wait()


def test_plain_make_lists_the_commands_and_runs_none():
    said = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    commands = re.findall(r"^make ([a-z ]+?) {2,}\S", said.stdout, re.MULTILINE)
    targets = re.findall(r"^([a-z ]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert {name for line in commands for name in line.split()} == {
        name for line in targets for name in line.split()
    }


def test_status_tells_whether_a_restore_was_rehearsed_and_how_old_what_was_proven_is():
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    passed = {
        "rehearsal.ha-iris/result": "passed",
        "rehearsal.ha-iris/at": "2026-11-21T04:20:00Z",
        "rehearsal.ha-iris/proven": "2026-11-21T00:00:00Z",
    }

    assert rehearsed({}, now) == "never rehearsed"
    assert rehearsed(passed, now) == (
        "rehearsal passed at 2026-11-21T04:20:00Z; "
        "a backup of 2026-11-21T00:00:00Z is proven, 12 h old"
    )
    failed = {"rehearsal.ha-iris/result": "failed", "rehearsal.ha-iris/reason": "no room"}
    assert rehearsed({**passed, **failed}, now).endswith("12 h old; no room")
