"""A backup that dies at each of its steps: IRIS runs on, and the next backup succeeds."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.unit.backup_cluster import BACKUPS, SNAPSHOTS
from tests.unit.backup_job import Backup, played_backup

STEPS = {
    "after the freeze": f"POST {SNAPSHOTS}/iris-data",
    "between two snapshots": f"POST {SNAPSHOTS}/iris-journal",
    "before a handle is there": f"GET {SNAPSHOTS}/iris-data",
    "before the check": "word check",
    "before the thaw": "word thaw",
    "before the label": f"PATCH {SNAPSHOTS}",
    "before the upload": f"POST {BACKUPS}",
}


@pytest.fixture
def backup(tmp_path):
    with played_backup(tmp_path) as backup:
        yield backup


@contextmanager
def began(backup: Backup, step: str, action) -> Iterator[subprocess.Popen[str]]:
    """A run that has come to a step, at which something was done."""
    reached = threading.Event()

    def there() -> None:
        action(job)
        reached.set()

    backup.cluster.at(STEPS[step], there)
    with backup.start() as job:
        try:
            assert reached.wait(60), f"the run did not come as far as {step}"
            yield job
        finally:
            job.kill()


def assert_next_one_succeeds(backup: Backup, *, good_before: bool) -> None:
    code, printed = backup.run("job-2")

    assert code == 0, printed
    assert not backup.iris.frozen
    good = [
        item["metadata"]["labels"]["backup.ha-iris/run"]
        for item in backup.cluster.items(SNAPSHOTS)
        if item["metadata"]["labels"]["backup.ha-iris/state"] == "consistent"
    ]
    assert len(set(good)) == 1 + good_before
    assert "taking" not in backup.cluster.states().values()


@pytest.mark.parametrize("step", STEPS)
def test_a_job_that_is_killed_leaves_no_freeze(backup, step):
    backup.settings["patience"] = 25  # which nobody has to wait for: the connection ends

    with began(backup, step, lambda job: job.kill()):
        backup.thawed_after(seconds=15)

    # Only what it had labelled counts.
    assert_next_one_succeeds(backup, good_before=step == "before the upload")


@pytest.mark.parametrize("step", STEPS)
def test_a_job_whose_node_is_gone_leaves_no_freeze(backup, step):
    # Nothing comes any more, and no connection is closed.
    with began(backup, step, lambda job: job.send_signal(signal.SIGSTOP)):
        # Sooner than by what is left beside it, which waits five seconds longer.
        backup.thawed_after(seconds=backup.settings["patience"] + 4.5)

    # Only what it had labelled counts.
    assert_next_one_succeeds(backup, good_before=step == "before the upload")


@pytest.mark.parametrize("step", STEPS)
def test_an_api_server_that_is_gone_leaves_no_freeze(backup, step):
    backup.settings["patience"] = 25

    with began(backup, step, lambda job: backup.cluster.stop()) as job:
        backup.thawed_after(seconds=15)
        backup.cluster.start()
        job.communicate(timeout=60)

    # Once it is back the job says what it knows: the check came after the cut.
    checked = step in ("before the thaw", "before the label", "before the upload")
    assert ("consistent" in backup.cluster.states().values()) is checked
    assert job.returncode == (0 if checked and step != "before the upload" else 1)
    assert_next_one_succeeds(backup, good_before=checked)


def test_a_job_that_is_told_to_end_thaws_and_says_what_its_snapshots_are_worth(backup):
    with began(backup, "before the check", lambda job: job.terminate()) as job:
        job.communicate(timeout=60)

    assert job.returncode == 1
    told = [item["metadata"]["annotations"] for item in backup.cluster.items(SNAPSHOTS)]
    assert {notes["backup.ha-iris/reason"] for notes in told} == {"the job was ended: Ended()"}
    assert not backup.iris.frozen
    assert set(backup.cluster.states().values()) == {"lapsed"}


def test_what_a_killed_job_leaves_is_called_lapsed_by_the_next_one_even_if_that_fails(backup):
    with began(backup, "before the check", lambda job: job.kill()):
        backup.thawed_after(seconds=15)
    assert set(backup.cluster.states().values()) == {"taking"}
    backup.iris.fails("refuses-freeze")

    assert backup.run("job-2")[0] == 1

    assert set(backup.cluster.states().values()) == {"lapsed"}


def test_what_keeps_the_freeze_may_be_killed_as_well(backup):
    def lose(job):
        job.kill()
        backup.cluster.end_commands()

    with began(backup, "before the check", lose):
        assert backup.iris.frozen
        # What it left beside itself waits five seconds longer than it does.
        assert backup.thawed_after(seconds=backup.settings["patience"] + 20) > 4


def test_a_sign_of_life_that_was_cut_off_keeps_no_freeze(backup):
    def lose(job):
        job.kill()
        backup.cluster.end_commands()
        (backup.iris.folder / "tmp" / "ha-iris-freeze").write_text("")

    with began(backup, "before the check", lose):
        backup.thawed_after(seconds=backup.settings["patience"] + 20)


def test_where_nobody_is_left_iris_resumes_by_itself(backup):
    backup.settings["freeze_seconds"] = 8

    def lose(job):
        job.kill()
        backup.cluster.end_commands()
        for process in os.listdir("/proc"):
            if process.isdigit() and is_watch_of(backup, process):
                os.kill(int(process), signal.SIGKILL)

    with began(backup, "before the check", lose):
        assert backup.iris.frozen
        assert backup.thawed_after(seconds=9) > 1

    assert backup.iris.did("thawed") == 0
    assert_next_one_succeeds(backup, good_before=False)


def is_watch_of(backup: Backup, process: str) -> bool:
    try:
        with open(f"/proc/{process}/environ") as environment, open(f"/proc/{process}/comm") as comm:
            return str(backup.iris.folder) in environment.read() and comm.read() == "bash\n"
    except OSError:
        return False


def test_a_container_that_stops_is_thawed_first_and_only_if_a_backup_holds_it(backup):
    program = ["bash", "components/iris/scripts/freeze.sh", "stopping"]

    def stop():
        subprocess.run(program, env=backup.iris.environment, check=True)

    stop()
    assert backup.iris.moments() == []
    with began(backup, "before the check", lambda job: stop()) as job:
        job.communicate(timeout=60)

    assert set(backup.cluster.states().values()) == {"lapsed"}
