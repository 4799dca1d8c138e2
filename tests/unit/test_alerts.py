"""Alerts and dashboards as data: what they use, what they say, and where they lead."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from components.cron import old_after_seconds
from components.monitoring.dashboards import dashboard, dashboards, expressions
from components.monitoring.rules import FOLDER, SUBJECTS, rule_files
from tests.unit.known_metrics import KNOWN
from tests.watched import WATCHED

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "lab" / "alerts"
LICENSED = replace(WATCHED, community_ends=None)

WORDS = {"and", "or", "unless", "by", "on", "offset", "group_left", "without", "ignoring"}


def everything() -> list[dict]:
    """Every alert that there is, filled in."""
    files = rule_files(LICENSED) | rule_files(WATCHED)
    return [rule for file in files.values() for group in file["groups"] for rule in group["rules"]]


def metrics_in(expression: str) -> set[str]:
    """Names of the metrics in an expression."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|offset)\s*(\([^)]*\)|\w+)", " ", bare)
    return set(re.findall(r"\b[a-z_][a-z0-9_]*\b(?!\s*\()", bare)) - WORDS


ALERTS = pytest.mark.parametrize("alert", everything(), ids=lambda alert: alert["alert"])


def test_metrics_are_found_in_an_expression():
    assert metrics_in('max by (pvc) (rate(a_b{x="c"}[5m])) > 1 or on (e) f unless g offset 1h') == {
        "a_b",
        "f",
        "g",
    }


@ALERTS
def test_an_alert_says_how_bad_it_is_what_happened_and_what_to_do(alert):
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    said = alert["annotations"]
    assert set(said) == {"summary", "description", "runbook_url"}
    assert len(said["summary"]) < 110
    assert not said["summary"].endswith(".")


@ALERTS
def test_the_runbook_of_an_alert_is_a_heading_of_the_page(alert):
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)

    assert anchor == alert["alert"].lower()
    assert alert["alert"] in headings


def test_the_page_has_a_runbook_for_nothing_else():
    page = (ROOT / "docs" / "runbooks.md").read_text()
    headings = re.findall(r"^### (.+)$", page, re.MULTILINE)

    assert sorted(headings) == sorted(rule["alert"] for rule in everything())


@ALERTS
def test_an_alert_uses_only_metrics_that_somebody_documents(alert):
    assert metrics_in(alert["expr"]) <= KNOWN


@ALERTS
def test_nothing_is_left_to_fill_in(alert):
    assert not re.search(r"\b[A-Z]{3,}(_[A-Z]+)+|RUNBOOKS\b", json.dumps(alert))


@pytest.mark.parametrize("name", ["iris", "longhorn"])
def test_a_dashboard_uses_only_metrics_that_somebody_documents(name):
    for expression in expressions(dashboard(name, "iris")):
        assert metrics_in(expression) <= KNOWN, expression


def test_metrics_that_nothing_uses_are_not_on_the_list():
    used = {metric for alert in everything() for metric in metrics_in(alert["expr"])}
    for name in ("iris", "longhorn"):
        for expression in expressions(dashboard(name, "iris")):
            used |= metrics_in(expression)

    assert used == KNOWN


def test_every_file_of_rules_is_on_the_list_and_has_cases():
    names = {subject.name for subject in SUBJECTS}

    assert names == {file.stem for file in FOLDER.glob("*.yaml")}
    assert names == {file.stem for file in CASES.glob("*.yaml")}


def test_no_alert_has_the_name_of_another():
    names = [rule["alert"] for rule in everything()]

    assert len(names) == len(set(names))


@ALERTS
def test_promtool_sees_each_alert_quiet_then_firing_then_quiet_again(alert):
    cases = [
        case
        for file in CASES.glob("*.yaml")
        for case in yaml.safe_load(file.read_text())
        if case["alert"] == alert["alert"]
    ]
    if any("watched" in case for case in cases if case.get("firing")):
        # What ends it is another image, and with it another day in the rule.
        assert any(not case.get("firing") for case in cases)
        return
    spans = [
        ([_minutes(time) for time in case["quiet"]], [_minutes(time) for time in case["firing"]])
        for case in cases
        if case.get("firing")
    ]
    assert any(min(quiet) < min(firing) and max(quiet) > max(firing) for quiet, firing in spans)


def _minutes(time: str) -> int:
    return int(time[:-1]) * {"m": 1, "h": 60}[time[-1]]


def test_a_licensed_image_is_asked_for_its_days_and_community_has_them_in_the_rule():
    assert "licence" in rule_files(LICENSED)
    assert "community" not in rule_files(LICENSED)
    community = rule_files(replace(WATCHED, community_ends=date(2027, 8, 22)))

    assert "licence" not in community
    # date --utc --date 2027-08-22 +%s
    assert "1818892800" in json.dumps(community["community"])


def test_without_longhorn_nothing_is_said_of_copies():
    watched = replace(WATCHED, longhorn_namespace=None)

    assert "longhorn" not in rule_files(watched)
    assert [*dashboards("iris", longhorn=False)] == ["ha-iris-iris-iris.json"]


@pytest.mark.parametrize(
    ("subject", "without"),
    [
        ("backup", {"backup_old_seconds": None}),
        ("uploads", {"upload_old_seconds": None}),
        ("journals", {"journals": ()}),
        ("guard", {"guarded": False}),
        ("certificates", {"certificates": ()}),
        ("fencing", {"fenced": False}),
    ],
)
def test_what_a_stack_does_not_have_raises_no_alert(subject, without):
    assert subject in rule_files(WATCHED)
    assert subject not in rule_files(replace(WATCHED, **without))


@pytest.mark.parametrize(
    ("schedules", "days"),
    [
        (["43 0 * * *"], 2),
        (["43 0 * * 0"], 8),
        (["43 0 1 * *"], 32),
        # A frozen database every day, and every volume each Sunday: the newest of both counts.
        (["43 0 * * *", "17 1 * * 0"], 2),
    ],
)
def test_a_backup_is_old_a_day_after_another_one_was_due(schedules, days):
    assert old_after_seconds(schedules) == days * 24 * 3600


def test_where_nothing_is_scheduled_nothing_gets_old():
    assert old_after_seconds([]) is None


def test_hung_is_an_alert_only_after_the_longest_freeze():
    (hung,) = [rule for rule in everything() if rule["alert"] == "IrisHung"]

    assert hung["for"] == "660s"


def test_a_dashboard_has_no_source_but_the_one_that_is_chosen_and_no_password():
    for text in dashboards("iris", longhorn=True).values():
        shown = json.loads(text)
        sources = re.findall(r'"uid": "([^"]*)"', text)

        assert set(sources) == {"${datasource}", shown["uid"]}
        assert [v["type"] for v in shown["templating"]["list"]] == ["datasource"]
        assert not re.search(r"password|secret|token|basicAuth|://", text, re.IGNORECASE)


def test_panels_stand_side_by_side_and_do_not_overlap():
    for name in ("iris", "longhorn"):
        taken = set()
        for panel in dashboard(name, "iris")["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_dashboards_of_two_databases_in_one_grafana_have_names_of_their_own():
    one, other = dashboard("iris", "iris"), dashboard("iris", "orders")

    assert one["uid"] != other["uid"]
    assert "orders" in other["title"]
    assert 'namespace="orders"' in json.dumps(expressions(other)).replace("\\", "")
