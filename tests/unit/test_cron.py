"""When a schedule is one that Kubernetes and Longhorn run."""

import pytest
from pydantic import TypeAdapter, ValidationError

from components.cron import Cron, longest_gap_days, longest_gap_minutes

SCHEDULE = TypeAdapter(Cron)


@pytest.mark.parametrize(
    "text", ["17 1 * * *", "*/5 * * * *", "0 0 1,15 jan-mar ?", "59 23 31 12 sun", "5 4-8/2 * * 6"]
)
def test_a_schedule_that_a_cronjob_takes_is_taken(text):
    assert SCHEDULE.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("daily", "a schedule has five fields"),
        ("@daily", "a schedule has five fields"),
        ("17 1 * *", "a schedule has five fields"),
        ("0 17 1 * * *", "a schedule has five fields"),
        ("60 1 * * *", "60 is no minute: it has numbers from 0 to 59"),
        ("0 24 * * *", "24 is no hour"),
        ("0 0 0 * *", "0 is no day of the month"),
        ("0 0 * 13 *", "13 is no month"),
        ("0 0 * * 7", "7 is no day of the week: it has numbers from 0 to 6"),
        ("0 8-4 * * *", "8-4 is no hour"),
        ("*/0 * * * *", "*/0 is no minute"),
        ("0 0 * * someday", "someday is no day of the week"),
        ("0 -1 * * *", "-1 is no hour"),
    ],
)
def test_a_schedule_that_would_never_run_is_refused_with_its_field(text, said):
    with pytest.raises(ValidationError, match=said.replace("*", r"\*")):
        SCHEDULE.validate_python(text)


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("17 1 * * *", 1),
        ("*/5 * * * *", 1),
        ("0 0 * * sun", 7),
        ("0 0 * * 1,4", 4),
        ("0 0 */10 * *", 10),
        ("0 0 1 * *", 31),
        ("0 0 1,15 * ?", 17),
        ("0 0 13 * fri", 7),  # either of both
        ("0 0 1 1 *", 366),
        ("0 0 30 2 *", 1464),  # never
    ],
)
def test_the_longest_pause_of_a_schedule_is_counted_in_days(schedule, days):
    assert longest_gap_days(schedule) == days


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [
        ("*/15 * * * *", 15),
        ("7,22 * * * *", 45),
        ("0 8-18/2 * * *", 14 * 60),
        ("30 * * * mon-fri", 2 * 24 * 60 + 60),
        ("17 1 * * *", 24 * 60),
        ("0 0 * * sun", 7 * 24 * 60),
    ],
)
def test_the_longest_pause_of_a_schedule_within_its_days_is_counted_in_minutes(schedule, minutes):
    assert longest_gap_minutes(schedule) == minutes
