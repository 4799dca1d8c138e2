"""How Kubernetes learns whether IRIS starts, works, hangs or is gone: the programs themselves."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from components.iris.pod import SCRIPTS
from tests.unit.iris_parts import DEPLOYMENT, container, pod

FOLDER = Path(__file__).parents[2] / "components" / "iris" / "scripts"


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_probes_read_the_status_of_the_instance_and_never_its_health(iris, probe):
    command = container(iris())[probe]["exec"]["command"][-1]

    assert "iris qlist IRIS" in command
    assert "cut -d^ -f4" in command
    assert "irisHealth" not in command


@pytest.mark.parametrize(
    ("qlist", "running"),
    [
        ("IRIS^/usr/irissys^2026.2^running, since x^iris.cpf^1972^52773^62972^ok^IRIS", True),
        ("IRIS^/usr/irissys^2026.2^running, since x^iris.cpf^1972^52773^62972^alert^IRIS", True),
        ("IRIS^/usr/irissys^2026.2^down, last used x^iris.cpf^1972^52773^62972^^IRIS", False),
        ("IRIS^/running^2026.2^starting^iris.cpf^1972^52773^62972^ok^IRIS", False),
    ],
)
def test_the_probe_tells_a_running_instance_from_every_other(iris, tmp_path, qlist, running):
    stand_in = tmp_path / "iris"
    stand_in.write_text(f"#!/bin/sh\nprintf '%s\\n' '{qlist}'\n")
    stand_in.chmod(0o755)
    command = container(iris())["livenessProbe"]["exec"]["command"]
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    assert (subprocess.run(command, env=path, check=False).returncode == 0) is running


def test_recovery_after_a_crash_is_not_killed(iris):
    engine = iris()
    probe = container(engine)["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] == 1800
    assert engine.one(DEPLOYMENT).inputs["spec"]["progressDeadlineSeconds"] > 1800


def test_a_hung_instance_is_given_more_time_than_a_freeze_may_last(iris):
    assert container(iris())["readinessProbe"]["exec"]["command"] == [
        "/etc/ha-iris/scripts/ready.sh",
        "660",
        "1972",
    ]


@pytest.fixture
def ready(tmp_path):
    """Runs the readiness program on what `iris qlist` says: how it ended and what it told."""
    iris = tmp_path / "iris"
    with socket.create_server(("127.0.0.1", 0)) as superserver:
        port = superserver.getsockname()[1]

        def run(status: str, health: str, *, patience: int = 600, answers: bool = True):
            iris.write_text(
                f"#!/bin/sh\necho 'IRIS^/usr/irissys^2026.2^{status}^iris.cpf^1972^52773^62972"
                f"^{health}^IRIS'\n"
            )
            iris.chmod(0o755)
            done = subprocess.run(
                [FOLDER / "ready.sh", str(patience), str(port if answers else 1)],
                env={
                    "PATH": f"{tmp_path}:{os.environ['PATH']}",
                    "TMPDIR": str(tmp_path),
                    "ISC_DATA_DIRECTORY": str(tmp_path),
                },
                capture_output=True,
                text=True,
                check=False,
            )
            return done.returncode, done.stdout + done.stderr

        yield run


@pytest.mark.parametrize("health", ["ok", "warn", "alert", ""])
def test_alerts_after_a_crash_keep_no_client_away(ready, health):
    assert ready("running, since Sat Nov 21", health) == (0, "")


def test_an_instance_that_does_not_run_is_not_ready(ready):
    assert ready("down, last used Sat Nov 21", "") == (1, "IRIS is down, last used Sat Nov 21\n")


def test_an_instance_whose_superserver_does_not_answer_is_not_ready(ready):
    assert ready("running", "ok", answers=False) == (1, "nothing answers on port 1\n")


def test_a_freeze_for_a_backup_keeps_no_client_away(ready):
    assert ready("running", "hung") == (0, "")
    assert ready("running", "hung") == (0, "")


def test_an_instance_that_stays_hung_is_not_ready(ready, tmp_path):
    assert ready("running", "hung", patience=600) == (0, "")
    since = tmp_path / "ha-iris-hung-since"
    since.write_text(str(int(since.read_text()) - 601))

    code, told = ready("running", "hung", patience=600)

    assert code == 1
    assert told.startswith("IRIS has been hung for 60")


def test_what_hung_once_starts_its_time_anew(ready, tmp_path):
    ready("running", "hung")
    ready("running", "ok")

    assert not (tmp_path / "ha-iris-hung-since").exists()


REFUSED = (
    "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #507: Action 'CreateDatabase' failed at "
    "line 2\n"
)


@pytest.fixture
def messages_log(tmp_path):
    """Adds lines to what IRIS has written since this start."""
    log = tmp_path / "mgr" / "messages.log"
    log.parent.mkdir()

    def write(text: str) -> None:
        with log.open("a") as file:
            file.write(text)

    return write


def test_a_refused_merge_fails_one_round_of_many_and_the_kubelet_makes_an_event_of_it(
    ready, messages_log
):
    messages_log(REFUSED)

    code, told = ready("running", "ok")

    assert code == 1
    assert told.startswith("merge-errors: IRIS refused something of its merge file since")
    assert "Action 'CreateDatabase' failed" in told
    assert len(told) < 1024
    assert [ready("running", "ok") for _ in range(3)] == [(0, "")] * 3


def test_a_pod_is_taken_out_of_service_only_by_two_failed_rounds_in_a_row(iris):
    probe = container(iris())["readinessProbe"]

    assert probe["failureThreshold"] == 2
    assert probe["periodSeconds"] < 300


def test_a_refusal_that_stands_is_told_again_after_five_minutes(ready, messages_log, tmp_path):
    messages_log(REFUSED)
    ready("running", "ok")
    asked = tmp_path / "ha-iris-merge-asked"
    asked.write_text(str(int(asked.read_text()) - 240))
    assert ready("running", "ok") == (0, "")
    asked.write_text(str(int(asked.read_text()) - 300))

    assert ready("running", "ok")[0] == 1


def test_a_refusal_is_no_longer_told_once_the_log_is_marked(ready, messages_log, tmp_path):
    messages_log(REFUSED)
    (tmp_path / "ha-iris-messages-size").write_text(f"{len(REFUSED)}\n")

    assert ready("running", "ok") == (0, "")


def test_many_refusals_fit_into_an_event(ready, messages_log):
    messages_log(REFUSED * 50)

    code, told = ready("running", "ok")

    assert code == 1
    assert len(told) < 1024


def test_a_log_that_cannot_be_read_is_no_refusal(ready):
    assert ready("running", "ok") == (0, "")


@pytest.fixture
def stale_ipc(tmp_path):
    """Runs the program before the start on a table of shared memory; what it did to which."""
    removed = tmp_path / "removed"
    ipcrm = tmp_path / "ipcrm"

    def run(*segments: tuple[int, int, int], fails: bool = False):
        columns = (
            "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap"
        )
        rows = [
            f"0 {i} 600 4096 7 7 {attached} {owner} 0 0 0 0 0 0 0 0"
            for i, attached, owner in segments
        ]
        table = tmp_path / "shm"
        table.write_text("\n".join([columns, *rows]) + "\n")
        ipcrm.write_text(f"#!/bin/sh\n{'exit 1' if fails else f'echo $* >>{removed}'}\n")
        ipcrm.chmod(0o755)
        done = subprocess.run(
            [FOLDER / "remove_stale_ipc.sh", str(table)],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, removed.read_text() if removed.exists() else "", done.stderr

    return run


def test_shared_memory_of_a_killed_container_is_removed_before_iris_starts(stale_ipc):
    me = os.getuid()

    assert stale_ipc((11, 0, me), (12, 0, me)) == (0, "-m 11\n-m 12\n", "")


def test_shared_memory_that_somebody_uses_or_owns_stays(stale_ipc):
    me = os.getuid()

    assert stale_ipc((11, 2, me), (12, 0, me + 1)) == (0, "", "")


TWO_SEGMENTS = """
import ctypes, subprocess, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
left, used = (libc.shmget(0, 4096, 0o1600) for _ in range(2))
libc.shmat(used, None, 0)
subprocess.run(sys.argv[1], check=True, stdout=subprocess.DEVNULL)
with open("/proc/sysvipc/shm") as table:
    # Removed, one that is attached stays until it is not, with the permissions 1600.
    print([line.split()[1:3] for line in list(table)[1:]] == [[str(used), "600"]])
"""


def test_of_real_shared_memory_only_what_nobody_uses_is_removed():
    alone = ["unshare", "--user", "--map-root-user", "--ipc"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no user an IPC namespace of his own")
    driver = [sys.executable, "-c", TWO_SEGMENTS, FOLDER / "remove_stale_ipc.sh"]

    done = subprocess.run([*alone, *driver], capture_output=True, text=True, check=True)

    assert done.stdout == "True\n"


def test_iris_is_started_even_where_nothing_can_be_removed(stale_ipc):
    code, removed, told = stale_ipc((11, 0, os.getuid()), fails=True)

    assert (code, removed) == (0, "")
    assert "shared memory 11 is left over" in told


def test_iris_main_runs_it_before_each_start(iris):
    engine = iris()
    args = container(engine)["args"]

    assert args[args.index("--before") + 1] == "/etc/ha-iris/scripts/before_start.sh"
    (volume,) = [v for v in pod(engine)["volumes"] if v["name"] == "scripts"]
    assert volume["configMap"]["defaultMode"] & 0o111 == 0o111
    given = engine.named("iris-scripts").inputs
    assert given["data"] == {file.name: file.read_text() for file in FOLDER.glob("*.sh")} == SCRIPTS
    assert given["immutable"] is True
