"""Every alert, evaluated by Prometheus' own promtool: when it fires, when not, when it ends."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.monitoring.dashboards import dashboard, expressions
from components.monitoring.rules import SUBJECTS, rule_files
from lab.toolchain import ensure
from tests.watched import WATCHED

CASES = Path(__file__).with_name("alerts")


@dataclass(frozen=True)
class Promtool:
    """The program, in a folder of its own."""

    program: Path
    folder: Path

    def __call__(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.program, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def promtool(tmp_path: Path) -> Promtool:
    """Built in a minute and a half where it is in no cache."""
    return Promtool(ensure("promtool").bin / "promtool", tmp_path)


def cases(subject: str) -> list[dict[str, Any]]:
    """What is asked of the alerts of a subject."""
    found = yaml.safe_load((CASES / f"{subject}.yaml").read_text())
    for case in found:
        for series, values in case.get("series", {}).items():
            # To YAML a bare 0x60 is the number 96.
            assert isinstance(values, str), f"{case['alert']}: put the values of {series} in quotes"
    return found


def rules_of(subject: str, **changed: Any) -> dict[str, Any]:
    """A rule file, as Prometheus gets it."""
    ends = {"community_ends": WATCHED.community_ends if subject == "community" else None}
    return rule_files(replace(WATCHED, **{**ends, **changed}))[subject]


def test_prometheus_accepts_every_rule_file(promtool: Promtool):
    for subject in SUBJECTS:
        text = yaml.safe_dump(rules_of(subject.name))
        (promtool.folder / f"{subject.name}.yaml").write_text(text)

    code, told = promtool("check", "rules", "--lint=all", "--lint-fatal", *_names())

    assert code == 0, told
    assert told.count("SUCCESS") == len(SUBJECTS)


@pytest.mark.parametrize("subject", [subject.name for subject in SUBJECTS])
def test_alerts_fire_when_they_should_and_at_no_other_time(promtool: Promtool, subject: str):
    files = []
    for number, case in enumerate(cases(subject)):
        rules, test = f"{number}-rules.yaml", f"{number}-test.yaml"
        given = rules_of(subject, **case.get("watched", {}))
        (promtool.folder / rules).write_text(yaml.safe_dump(given))
        (promtool.folder / test).write_text(yaml.safe_dump(_unit_test(rules, case)))
        files.append(test)

    code, told = promtool("test", "rules", *files)

    assert code == 0, told
    assert told.count("SUCCESS") == len(files)


@pytest.mark.parametrize(
    "subject",
    # A day in the calendar, and the agent of which a cluster has one.
    [s.name for s in SUBJECTS if s.name not in {"community", "fencing"}],
)
def test_the_database_of_somebody_else_raises_no_alert(promtool: Promtool, subject: str):
    files = []
    (promtool.folder / "rules.yaml").write_text(yaml.safe_dump(rules_of(subject)))
    for number, case in enumerate(cases(subject)):
        ours = [series for series in case["series"] if 'namespace="iris"' in series]
        # That nothing is read at all is an alert; and nodes, disks and managers are everybody's.
        if (
            case["alert"] in {"IrisDown", "IrisCertificateNotSeen"}
            or not ours
            or not case.get("firing")
        ):
            continue
        series = {
            s.replace('namespace="iris"', 'namespace="b"'): v for s, v in case["series"].items()
        }
        elsewhere = {**case, "series": series, "quiet": case["firing"], "firing": []}
        test = f"{number}-test.yaml"
        (promtool.folder / test).write_text(yaml.safe_dump(_unit_test("rules.yaml", elsewhere)))
        files.append(test)

    code, told = promtool("test", "rules", *files)

    assert code == 0, told
    assert told.count("SUCCESS") == len(files) >= 2


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"quiet": ["16m"], "firing": []}, "time: 16m"),
        ({"quiet": [], "firing": ["9m"]}, "time: 9m"),
    ],
)
def test_promtool_would_find_an_alert_that_fires_at_another_time(
    promtool: Promtool, wrong: dict[str, Any], complaint: str
):
    (promtool.folder / "rules.yaml").write_text(yaml.safe_dump(rules_of("iris")))
    case = {**cases("iris")[0], **wrong}
    (promtool.folder / "test.yaml").write_text(yaml.safe_dump(_unit_test("rules.yaml", case)))

    code, told = promtool("test", "rules", "test.yaml")

    assert code == 1
    assert complaint in told


def test_prometheus_understands_every_expression_of_the_dashboards(promtool: Promtool):
    shown = [
        expression
        for name in ("iris", "longhorn")
        for expression in expressions(dashboard(name, "iris"))
    ]
    rules = [
        {"record": "shown", "expr": expression, "labels": {"number": str(number)}}
        for number, expression in enumerate(shown)
    ]
    text = yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]})
    (promtool.folder / "shown.yaml").write_text(text)

    code, told = promtool("check", "rules", "shown.yaml")

    assert code == 0, told
    assert f"{len(shown)} rules found" in told
    assert len(shown) > 40


def _names() -> list[str]:
    return [f"{subject.name}.yaml" for subject in SUBJECTS]


def _unit_test(rules: str, case: Mapping[str, Any]) -> dict[str, Any]:
    """A case in promtool's own words."""
    count = f'count(ALERTS{{alertname="{case["alert"]}", alertstate="firing"}})'
    at = {time: [] for time in case["quiet"]}
    at |= {time: [{"labels": "{}", "value": 1}] for time in case.get("firing", [])}
    days = any(time.endswith("h") for time in at)
    return {
        "rule_files": [rules],
        "evaluation_interval": "1h" if days else "1m",
        "tests": [
            {
                "name": f"{case['alert']} when {case['when']}",
                "interval": "1h" if days else "1m",
                "input_series": [
                    {"series": series, "values": values}
                    for series, values in case.get("series", {}).items()
                ],
                "promql_expr_test": [
                    {"expr": count, "eval_time": time, "exp_samples": samples}
                    for time, samples in at.items()
                ],
            }
        ],
    }
