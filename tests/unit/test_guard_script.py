"""The guard's script without a node: what needs neither a network nor a volume."""

import os
import re
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "components" / "iris" / "scripts"
GUARD = SCRIPTS / "guard.sh"
CODE = "\n".join(
    line.split(" # ")[0]
    for file in (GUARD, SCRIPTS / "who_answers.sh")
    for line in file.read_text().splitlines()
    if not line.lstrip().startswith("#")
)


@pytest.fixture
def guard(tmp_path):
    """Runs the script with a memory of its own: how it ended and what it told."""

    def run(mode: str, *, peers: str = "peers:1", grace: str = "30", **remembered: object):
        for name, text in remembered.items():
            (tmp_path / name).write_text(f"{text}\n")
        done = subprocess.run(
            [GUARD, mode],
            env={
                "PATH": os.environ["PATH"],
                "GUARD_FOLDER": str(tmp_path),
                "GUARD_PEERS": peers,
                "GUARD_GRACE": grace,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.returncode, done.stdout

    return run


def now() -> int:
    """Hundredths of a second since the machine started."""
    return round(float(Path("/proc/uptime").read_text().split()[0]) * 100)


@pytest.mark.parametrize("mode", ["gate", "watch", "alive"])
def test_without_peers_there_is_no_guard_and_nothing_waits(guard, mode):
    assert guard(mode, peers="") == (0, "")


def test_a_container_with_a_verdict_is_not_alive_and_says_why(guard):
    ended, told = guard("alive", fenced="this node has reached nobody for 15 s")

    assert ended == 1
    assert "reached nobody for 15 s" in told


@pytest.mark.parametrize(("ago", "alive"), [(2900, True), (3100, False)])
def test_an_instance_that_runs_no_more_has_the_pods_grace_for_a_clean_stop(guard, ago, alive):
    ended, _ = guard("alive", stopping=now() - ago, watch=os.getpid(), beat=now())

    assert (ended == 0) is alive


@pytest.mark.parametrize(("ago", "alive"), [(8000, True), (9100, False)])
def test_a_guard_that_stands_still_as_long_as_six_probes_counts_as_not_alive(guard, ago, alive):
    ended, _ = guard("alive", watch=os.getpid(), beat=now() - ago, begun=now())

    assert (ended == 0) is alive


def test_no_clock_that_somebody_may_set_is_read():
    assert "/proc/uptime" in CODE
    # date, $SECONDS, $EPOCHSECONDS, printf %(...)T, and read -t, which bash times by the clock.
    found = re.findall(r"\bdate\b|\bSECONDS\b|\bEPOCH\w+|%\(.*\)T|\bread\b[^|;]* -t", CODE)
    assert found == []


def test_only_bash_coreutils_and_getent_are_called():
    absent = ("curl", "wget", "python", "nc", "openssl", "jq", "awk", "flock", "setsid", "ip")
    for program in absent:
        assert not re.search(rf"(?m)(^|[|;&(`])\s*{program}\b", CODE), program


@pytest.mark.parametrize("page", ["isolation.md", "runbooks.md"])
def test_a_page_quotes_a_guard_that_waits_in_its_own_words(page):
    words = "guard: neither the API server nor another node answers; IRIS waits"

    assert words in GUARD.read_text()
    assert words in (SCRIPTS.parents[2] / "docs" / page).read_text()


def test_the_gate_is_the_last_that_stands_before_iris():
    lines = (SCRIPTS / "before_start.sh").read_text().splitlines()
    calls = [line.split(" #")[0] for line in lines if line.startswith('"$here/')]

    assert calls[-1] == '"$here/guard.sh" gate'
