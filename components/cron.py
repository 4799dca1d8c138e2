"""When something runs, as a CronJob of Kubernetes says it."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator

FIELDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day of the month": (1, 31),
    "month": (1, 12),
    "day of the week": (0, 6),
}
"""What the five fields mean, and which numbers each may hold (robfig/cron, as Kubernetes and
Longhorn read it: Sunday is 0, and 7 is refused)."""

NAMES = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of the week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}

_PART = re.compile(r"(\*|\?|(?P<from>\w+)(-(?P<to>\w+))?)(/(?P<step>\d+))?")


def _is_a_schedule(text: str) -> str:
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise ValueError(
            "a schedule has five fields, minute, hour, day of the month, month and day of the "
            "week; write it as in 17 1 * * * (every day at 1:17)"
        )
    for field, (meaning, (low, high)) in zip(fields, FIELDS.items(), strict=True):
        for part in field.split(","):
            if not _numbers(part, meaning):
                raise ValueError(
                    f"{part} is no {meaning}: it has numbers from {low} to {high}, ranges as in "
                    f"{low}-{high}, lists and steps as in */5"
                )
    return text


def longest_gap_days(schedule: str) -> int:
    """The most days that lie between two days on which a schedule runs, over four years."""
    days, months, weekdays = (
        {number for part in field.split(",") for number in _numbers(part, meaning)}
        for field, meaning in zip(schedule.split()[2:], list(FIELDS)[2:], strict=True)
    )
    # Where both are given one of them is enough (crontab(5)).
    any_day, any_weekday = (field[0] in "*?" for field in schedule.split()[2::2])
    begin, last, longest = date(2027, 1, 1), None, 0
    for today in (begin + timedelta(days) for days in range(4 * 366)):
        by_day, by_weekday = today.day in days, today.isoweekday() % 7 in weekdays
        runs = by_day and by_weekday if any_day or any_weekday else by_day or by_weekday
        if runs and today.month in months:
            longest = max(longest, (today - (last or begin)).days)
            last = today
    return longest if last else 4 * 366


def longest_gap_minutes(schedule: str) -> int:
    """The most minutes that lie between two runs of a schedule, over four years."""
    runs = sorted(60 * hour + minute for minute, hour in _times(schedule))
    through_the_night = 24 * 60 * longest_gap_days(schedule) - runs[-1] + runs[0]
    return max(through_the_night, *(late - early for early, late in pairwise(runs)), 0)


def old_after_seconds(schedules: Iterable[str]) -> int | None:
    """Age at which the newest of what these schedules make is old: a day late, by the densest.

    None: there is no schedule.
    """
    gaps = [longest_gap_days(schedule) for schedule in schedules]
    return (min(gaps) + 1) * 24 * 60 * 60 if gaps else None


def runs_a_day(schedule: str) -> int:
    """How often a schedule runs on a day on which it does."""
    return len(_times(schedule))


def _times(schedule: str) -> list[tuple[int, int]]:
    """Minute and hour of each run of a day."""
    minutes, hours = (
        {number for part in field.split(",") for number in _numbers(part, meaning)}
        for field, meaning in zip(schedule.split()[:2], list(FIELDS)[:2], strict=True)
    )
    return [(minute, hour) for hour in hours for minute in minutes]


def _numbers(part: str, meaning: str) -> list[int]:
    """All that one part of a field stands for; empty if it stands for nothing."""
    low, high = FIELDS[meaning]
    match = _PART.fullmatch(part)
    if match is None or match["step"] == "0":
        return []
    first, last = low, high
    if match["from"]:
        first = _number(match["from"], meaning)
        last = _number(match["to"], meaning) if match["to"] else first
        if first is None or last is None or not low <= first <= last <= high:
            return []
        if match["step"] and not match["to"]:  # 5/10 means from 5 on
            last = high
    return list(range(first, last + 1, int(match["step"] or 1)))


def _number(text: str, meaning: str) -> int | None:
    if text.isdigit():
        return int(text)
    names = NAMES.get(meaning, ())
    offset = FIELDS[meaning][0]
    return names.index(text.lower()) + offset if text.lower() in names else None


Cron = Annotated[str, AfterValidator(_is_a_schedule)]
"""A schedule of five fields, as in 17 1 * * *."""
