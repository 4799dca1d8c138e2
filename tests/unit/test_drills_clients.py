"""What the clients make of a database that answers, hangs or dies; a stand-in driver plays it."""

import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from drills.attempts import read, write
from drills.checker import check
from drills.clients import Commits, Endpoints

INSERT = "INSERT INTO commits (number) VALUES (?)"


class Faulty:
    """A connection to a file that plays a database: it hangs or dies where a file says so."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._stop("connect")
        self._database = sqlite3.connect(self._folder / "data")

    def cursor(self) -> Any:
        """Statements go to the file as they are."""
        return self._database.cursor()

    def commit(self) -> None:
        """Commit, and be told to fail before it or after it."""
        self._stop("commit")
        self._database.commit()
        self._stop("answer")

    def _stop(self, where: str) -> None:
        if (self._folder / f"hang-{where}").exists():
            time.sleep(60)
        if (self._folder / f"fail-{where}").exists():
            raise ConnectionResetError(f"at {where}")


def client(folder: Path, patience: float = 5) -> Commits:
    """A client of the stand-in, whose table is there."""
    with sqlite3.connect(folder / "data") as database:
        database.execute("CREATE TABLE IF NOT EXISTS commits (number INTEGER)")
    database.close()
    return Commits(
        partial(Faulty, str(folder)), insert=INSERT, writer="SELECT 'start 1'", patience=patience
    )


def rows(folder: Path) -> list[int]:
    """What is in the table."""
    database = sqlite3.connect(folder / "data")
    found = [number for (number,) in database.execute("SELECT number FROM commits")]
    database.close()
    return found


def wait_for(tries: Commits, outcome: str) -> None:
    """Wait until an attempt has ended so."""
    deadline = time.monotonic() + 20
    while not any(attempt.outcome == outcome for attempt in tries.attempts()):
        assert time.monotonic() < deadline, [a.outcome for a in tries.attempts()]
        time.sleep(0.02)


def test_every_number_of_a_healthy_database_is_acknowledged_and_there(tmp_path: Path):
    tries = client(tmp_path)
    tries.begin()
    wait_for(tries, "acknowledged")
    attempts = tries.end()

    assert {(a.outcome, a.writer) for a in attempts} == {("acknowledged", "start 1")}
    assert check(attempts, rows(tmp_path)).clean
    write(attempts, tmp_path / "attempts.jsonl")
    assert read(tmp_path / "attempts.jsonl") == attempts


def test_a_commit_whose_answer_is_lost_is_unknown_and_may_be_there(tmp_path: Path):
    tries = client(tmp_path)
    tries.begin()
    wait_for(tries, "acknowledged")
    (tmp_path / "fail-answer").touch()
    wait_for(tries, "unknown")
    (tmp_path / "fail-answer").unlink()
    attempts = tries.end()

    found = check(attempts, rows(tmp_path))
    assert found.appeared
    assert found.clean


def test_a_database_that_hangs_costs_the_client_its_patience_and_its_connection(tmp_path: Path):
    tries = client(tmp_path, patience=1)
    tries.begin()
    wait_for(tries, "acknowledged")
    (tmp_path / "hang-commit").touch()
    wait_for(tries, "unknown")
    (tmp_path / "hang-commit").unlink()
    known = len(tries.attempts())
    deadline = time.monotonic() + 10
    while not any(a.good for a in tries.attempts()[known:]) and time.monotonic() < deadline:
        time.sleep(0.02)
    attempts = tries.end()

    hung = next(a for a in attempts if a.outcome == "unknown")
    assert 1 <= hung.seconds < 3
    assert "no answer within 1 s" in hung.reason
    assert attempts[-1].good, "it connects anew"
    assert check(attempts, rows(tmp_path)).clean


def test_a_database_that_takes_no_connection_fails_what_was_never_asked(tmp_path: Path):
    (tmp_path / "fail-connect").touch()
    tries = client(tmp_path)
    tries.begin()
    wait_for(tries, "failed")
    attempts = tries.end()

    assert "at connect" in attempts[0].reason
    assert check(attempts, rows(tmp_path)).ghosts == ()


def test_an_endpoint_on_a_node_without_power_serves_nobody():
    slices = [{"endpoints": [{"nodeName": "node-a", "conditions": {"ready": True}}]}]
    down: set[str] = set()
    looks = Endpoints(lambda: slices, lambda: down)
    looks.begin()
    time.sleep(0.35)
    down.add("node-a")
    time.sleep(0.35)
    attempts = looks.end()

    assert attempts[0].good
    assert not attempts[-1].good
