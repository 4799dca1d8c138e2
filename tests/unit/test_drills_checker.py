"""What the checker says of commits, apart from who made them."""

import random

import pytest

from drills.attempts import Attempt, Outcome
from drills.checker import check
from drills.times import recovery

FAULT = 1000.0


def attempt(
    number: int,
    outcome: Outcome = "acknowledged",
    *,
    at: float = 0,
    took: float = 0.1,
    by: str = "",
) -> Attempt:
    """An attempt that was begun so many seconds after the fault."""
    return Attempt(number, FAULT + at, FAULT + at + took, outcome, by)


def test_what_was_acknowledged_and_is_not_there_is_lost():
    found = check([attempt(1), attempt(2), attempt(3)], [1, 3])

    assert found.missing == (2,)
    assert not found.clean


def test_an_unknown_outcome_may_be_there_or_not():
    found = check([attempt(1, "unknown"), attempt(2, "unknown"), attempt(3, "failed")], [2])

    assert (found.appeared, found.absent) == ((2,), (1,))
    assert found.clean


def test_a_commit_that_was_never_asked_for_is_a_ghost():
    assert check([attempt(1, "failed")], [1]).ghosts == (1,)
    assert check([], [7]).ghosts == (7,)


def test_a_commit_that_is_there_twice_is_a_fault():
    found = check([attempt(1), attempt(2)], [1, 2, 2])

    assert found.duplicates == (2,)
    assert not found.clean


def test_two_starts_of_the_database_that_acknowledge_at_once_are_two_writers():
    old = [attempt(1, at=0, by="a"), attempt(2, at=5, by="a")]
    new = [attempt(3, at=3, by="b"), attempt(4, at=9, by="b")]

    assert check([*old, *new], [1, 2, 3, 4]).two_writers == (("a", "b"),)
    assert check([*old, *new[1:]], [1, 2, 4]).two_writers == ()


def test_a_commit_that_hangs_over_the_start_of_another_writer_proves_nothing():
    old = [attempt(1, at=0, by="a"), attempt(2, at=5, took=60, by="a")]
    new = [attempt(3, at=20, by="b")]

    assert check([*old, *new], [1, 2, 3]).two_writers == ()


@pytest.mark.parametrize("seed", range(20))
def test_a_database_that_keeps_what_it_says_is_always_found_clean(seed: int):
    chance = random.Random(seed)
    tried: list[Attempt] = []
    rows: list[int] = []
    for number in range(200):
        outcome: Outcome = chance.choice(["acknowledged", "failed", "unknown"])
        tried.append(attempt(number, outcome, at=number, by="a" if number < 100 else "b"))
        if outcome == "acknowledged" or (outcome == "unknown" and chance.random() < 0.5):
            rows.append(number)
    chance.shuffle(rows)

    assert check(tried, rows).clean
    lost = chance.choice([a.number for a in tried if a.good])
    assert check(tried, [row for row in rows if row != lost]).missing == (lost,)


def steps(*outcomes: tuple[float, Outcome, float]) -> list[Attempt]:
    """Attempts by when they were begun, what came of them and how long they took."""
    return [
        attempt(number, outcome, at=at, took=took)
        for number, (at, outcome, took) in enumerate(outcomes)
    ]


def good(begin: float, end: float) -> list[tuple[float, Outcome, float]]:
    """A quick success each second."""
    return [(float(second), "acknowledged", 0.1) for second in range(int(begin), int(end))]


def test_recovery_is_the_first_success_that_was_begun_after_the_failures():
    found = recovery(
        steps(*good(-10, 2), (2, "unknown", 10), (12, "failed", 1), *good(20, 60)), FAULT
    )

    assert found.first == pytest.approx(20.1)
    assert found.steady == pytest.approx(20)
    assert found.outage == pytest.approx(19)


def test_a_success_that_was_begun_before_the_fault_is_no_recovery():
    found = recovery(steps(*good(-10, 0), (-0.5, "acknowledged", 40), (40, "failed", 1)), FAULT)

    assert found.first is None


def test_it_is_not_steady_while_answers_take_more_than_twice_as_long():
    slow: list[tuple[float, Outcome, float]] = [
        (float(s), "acknowledged", 0.5) for s in range(20, 40)
    ]
    found = recovery(steps(*good(-10, 2), (2, "failed", 1), *slow, *good(40, 80)), FAULT)

    assert found.first == pytest.approx(20.5)
    assert found.steady == pytest.approx(40)


def test_thirty_seconds_without_a_fault_are_needed_to_be_steady():
    short = recovery(steps(*good(-10, 2), (2, "failed", 1), *good(20, 49)), FAULT)
    again = recovery(
        steps(*good(-10, 2), (2, "failed", 1), *good(20, 40), (40, "failed", 1), *good(45, 90)),
        FAULT,
    )

    assert short.steady is None
    assert (again.first, again.steady) == (pytest.approx(20.1), pytest.approx(45))


def test_a_fault_that_no_client_notices_costs_nothing():
    found = recovery(steps(*good(-10, 60)), FAULT)

    assert found.first == pytest.approx(0.1)
    assert found.outage == pytest.approx(1)
