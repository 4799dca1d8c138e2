"""What the engine's event log tells of an operation."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.engine.events import read

URN = "urn:pulumi:dev::ha-iris::kubernetes:core/v1:Secret::iris-cpf"


@pytest.fixture
def log(tmp_path: Path):
    """Writes an event log; returns its path."""

    def write(*events: dict[str, Any]) -> Path:
        file = tmp_path / "events.json"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        return file

    return write


def before(action: str, **states: Any) -> dict[str, Any]:
    """The engine's event before it does something to the Secret."""
    step = {"urn": URN, "op": action, "type": "kubernetes:core/v1:Secret", **states}
    return {"resourcePreEvent": {"metadata": step}}


def told(severity: str, message: str) -> dict[str, Any]:
    """A message for the reader."""
    return {"diagnosticEvent": {"severity": severity, "message": message}}


def test_a_step_has_its_name_parent_and_kind(log):
    state = {"parent": "urn:iris", "custom": True}

    (step,) = read(log(before("create", new=state))).steps

    assert (step.name, step.action, step.parent, step.custom) == (
        "iris-cpf",
        "create",
        "urn:iris",
        True,
    )


def test_a_deleted_resource_is_described_by_what_it_was(log):
    (step,) = read(log(before("delete", new=None, old={"parent": "urn:iris"}))).steps

    assert step.parent == "urn:iris"


def test_a_replacement_counts_once_by_its_last_step(log):
    steps = read(log(before("create-replacement"), before("replace"))).steps

    assert [step.action for step in steps] == ["replace"]


def test_errors_and_warnings_are_kept_and_debug_messages_are_not(log):
    result = read(log(told("error", "no\n"), told("warning", "look\n"), told("debug", "rpc")))

    assert result.errors == ["no"]
    assert result.warnings == ["look"]


def test_the_sum_is_the_engines_own(log):
    result = read(log({"summaryEvent": {"resourceChanges": {"create": 3, "same": 1}}}))

    assert result.changes == {"create": 3, "same": 1}


def test_a_cli_that_gave_up_before_it_wrote_leaves_an_empty_result(tmp_path):
    result = read(tmp_path / "no-such-log.json")

    assert (result.steps, result.changes, result.errors) == ([], {}, [])
