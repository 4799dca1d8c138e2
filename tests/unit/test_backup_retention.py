"""Which snapshots and backups have had their time."""

from datetime import UTC, datetime, timedelta

from components.backup.program.retention import Taken, surplus

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def taken(days: int, *, good: bool = True, busy: bool = False, instance: str = "iris") -> Taken:
    """One of so many days ago."""
    return Taken(instance, f"{days} days ago", NOW - timedelta(days=days), good, busy)


def going(*some: Taken, keep: int = 2, days: int | None = None) -> list[str]:
    return [one.run for one in surplus(some, keep=keep, days=days, now=NOW)]


def test_the_newest_good_ones_stay():
    assert going(taken(3), taken(1), taken(0), taken(2)) == ["2 days ago", "3 days ago"]


def test_one_that_lapsed_counts_for_nothing_and_goes_once_a_good_one_is_newer():
    lapsed = taken(0, good=False)

    assert going(lapsed, taken(1), taken(2)) == []
    assert going(taken(0), taken(1, good=False), taken(2)) == ["1 days ago"]


def test_the_last_good_one_stays_however_old():
    assert going(taken(400), taken(0, good=False), days=7) == []
    assert going(taken(400), taken(401), days=7) == ["401 days ago"]


def test_one_that_is_too_old_goes_even_if_few_are_there():
    assert going(taken(1), taken(8), keep=100, days=7) == ["8 days ago"]


def test_instances_are_counted_each_by_itself():
    assert going(taken(1), taken(2), taken(3, instance="iris-1"), keep=1) == ["2 days ago"]


def test_one_that_is_still_at_work_stays():
    assert going(taken(0), taken(1, good=False, busy=True)) == []


def test_of_two_in_one_second_the_later_run_is_newer():
    runs = [Taken("iris", f"20261121-12000{second}", NOW, good=True) for second in (0, 2, 1)]

    assert going(*runs) == ["20261121-120000"]
