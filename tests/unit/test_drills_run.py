"""One run: what it refuses to measure, how long it looks, and from when it counts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drills import DrillError, __main__, run
from drills.attempts import Attempt
from drills.scenarios import SCENARIOS, Scenario
from drills.subject import Place
from drills.targets import Target


class Client:
    """A client whose attempts are given."""

    def __init__(self, *attempts: Attempt) -> None:
        self._attempts = [*attempts]

    def begin(self) -> None: ...

    def attempts(self) -> list[Attempt]:
        return self._attempts

    def end(self) -> list[Attempt]:
        return self._attempts


class Subject:
    """A database that is always there."""

    api = None
    namespace = pods = service = ""

    def __init__(self) -> None:
        self.longer: list[float] = []

    def settle(self, longer: float = 0) -> None:
        self.longer.append(longer)

    def place(self) -> Place:
        return Place("iris-1", "u1", "a", "a", ())


class Observer:
    """Sees nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def end(self) -> None: ...

    def changes(self) -> list[Any]:
        return []


class Site:
    """Machines that nothing happens to."""

    simulated = False
    down = frozenset[str]()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "Observer", Observer)
    monkeypatch.setattr(run, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(run, "SHORTEST_LIMIT", 1)
    monkeypatch.setattr(run.time, "sleep", lambda _, wait=time.sleep: wait(0.01))


def one(fault: Any, client: Client, subject: Subject | None = None, limit: int = 60) -> run.Run:
    """A run of a fault."""
    scenario = Scenario("it", "safe", "it is broken", fault)
    given: Any = {"subject": subject or Subject(), "site": Site(), "client": lambda _: client}
    return run.run(scenario, **given, rows=None, limit=limit, say=lambda _: None)


def good(at: float, number: int = 1) -> Attempt:
    return Attempt(number, at, at + 0.05, "acknowledged")


def bad(at: float) -> Attempt:
    return Attempt(1, at, at + 0.05, "failed", reason="Access denied")


def test_nothing_is_broken_where_no_client_was_served_before():
    def fault(_: Any) -> Any:
        raise AssertionError("it was broken all the same")

    with pytest.raises(DrillError, match="not served once before the fault: Access denied"):
        one(fault, Client(bad(time.time())))


def test_what_is_over_in_the_middle_of_a_run_is_counted_from_then():
    over = time.time() - 50
    client = Client(good(over - 60), bad(over - 30), bad(over + 1), good(over + 7))

    done = one(lambda _: nullcontext(over), client, limit=1)
    assert done.began == over
    assert done.recovery.first == pytest.approx(7.05)


def test_a_fault_that_took_the_whole_limit_to_make_is_looked_at_all_the_same():
    looks: list[float] = []

    class Looked(Client):
        def attempts(self) -> list[Attempt]:
            looks.append(time.time())
            return super().attempts()

    @contextmanager
    def fault(_: Any) -> Iterator[None]:
        looks.clear()
        yield

    one(fault, Looked(good(time.time())), limit=0)
    assert len(looks) > 1
    assert looks[-1] - looks[0] > 0.1, "and nobody noticing it is waited for from then on"


def test_the_end_of_a_run_waits_for_machines_that_come_back_by_themselves():
    subject = Subject()
    one(lambda _: nullcontext(), Client(good(time.time())), subject, limit=900)

    before, after = subject.longer
    assert before == 0
    assert 800 < after < 900


def test_runs_before_one_that_fails_are_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    served, subject = Client(good(time.time())), Subject()

    def clean() -> None:
        raise DrillError("the drill's user", "is still there", "the next drill drops it")

    clients = iter([served, Client(bad(0))])
    given: Any = {"subject": subject, "site": Site(), "make_client": lambda _: next(clients)}
    target = Target("prod", "cluster", False, **given, clean=clean)
    monkeypatch.setattr("drills.targets.of_stack", lambda *_, **__: target)
    monkeypatch.setattr("drills.targets.synch_commit", lambda _: "")
    harmless = replace(SCENARIOS["pod-deleted"], fault=lambda _: nullcontext())
    monkeypatch.setitem(SCENARIOS, "pod-deleted", harmless)

    assert __main__.main(["pod-deleted", "--runs", "2", "--out", str(tmp_path / "out")]) == 2
    assert (tmp_path / "out" / "report.json").exists()
