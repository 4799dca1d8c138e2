"""What the engine did, or would do, read from the event log that its CLI writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """What an operation does to one resource."""

    urn: str
    action: str
    """The engine's word: create, update, replace, delete, same, read, ..."""
    type: str
    """Type token, such as aws:ec2/vpc:Vpc."""
    parent: str
    """URN of the parent, empty at the root."""
    custom: bool
    """Whether a provider makes it; a component only groups others."""

    @property
    def name(self) -> str:
        """Name that the program gave it."""
        return self.urn.rsplit("::", 1)[1]


@dataclass(frozen=True)
class Result:
    """What an operation did, or would do."""

    steps: list[Step]
    changes: dict[str, int]
    """Number of resources by action, as the engine sums them up."""
    errors: list[str]
    """Messages of the program, its providers and the engine; none if all went well."""
    warnings: list[str]


def read(log: Path) -> Result:
    """The result of the operation that wrote an event log; without a log, an empty one."""
    steps: dict[str, Step] = {}
    changes: dict[str, int] = {}
    messages: dict[str, list[str]] = {"error": [], "warning": []}
    for line in log.read_text().splitlines() if log.exists() else ():
        event = json.loads(line)
        if "resourcePreEvent" in event:
            step = event["resourcePreEvent"]["metadata"]
            state = step.get("new") or step.get("old") or {}
            steps[step["urn"]] = Step(
                urn=step["urn"],
                action=step["op"],
                type=step["type"],
                parent=state.get("parent") or "",
                custom=bool(state.get("custom")),
            )
        elif "resOutputsEvent" in event:
            step = event["resOutputsEvent"]["metadata"]
            if steps[step["urn"]].action == "refresh":
                # What a refresh finds is known only after it.
                steps[step["urn"]] = replace(steps[step["urn"]], action=step["op"])
        elif "diagnosticEvent" in event:
            diagnostic = event["diagnosticEvent"]
            if diagnostic["severity"] in messages:
                messages[diagnostic["severity"]].append(diagnostic["message"].strip())
        elif "summaryEvent" in event:
            changes = event["summaryEvent"]["resourceChanges"]
    return Result(list(steps.values()), changes, messages["error"], messages["warning"])
