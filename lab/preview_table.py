"""What a preview would create, counted: for a terminal, a job summary and a program."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from lab.engine import Result, Step


@dataclass(frozen=True)
class Preview:
    """The preview of one stack."""

    stack: str
    seconds: float
    """Wall time."""
    result: Result

    @property
    def resources(self) -> list[Step]:
        """What a provider would make: no component, no provider configuration."""
        return [
            step
            for step in self.result.steps
            if step.custom and not step.type.startswith("pulumi:providers:")
        ]

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """Number of resources by type, by the component that they belong to."""
        by_urn = {step.urn: step for step in self.result.steps}
        counts: dict[str, Counter[str]] = {}
        for step in self.resources:
            counts.setdefault(_component(step, by_urn), Counter())[short(step.type)] += 1
        return counts


def _component(step: Step, by_urn: dict[str, Step]) -> str:
    """The nearest component above a resource, such as ``EksCluster cluster``."""
    while step.parent in by_urn:
        step = by_urn[step.parent]
        if not step.custom and step.type != "pulumi:pulumi:Stack":
            return f"{step.type.rsplit(':', 1)[1]} {step.name}"
    return "(stack)"


def short(token: str) -> str:
    """A type token as the engine displays it: aws:ec2/vpc:Vpc is aws:ec2:Vpc."""
    package, module, name = token.split(":", 2)
    return f"{package}:{module.rpartition('/')[0] or module}:{name}"


def text(previews: list[Preview]) -> str:
    """A table for a terminal, one block for each stack."""
    lines: list[str] = []
    for preview in previews:
        count = len(preview.resources)
        lines += ["", f"{preview.stack}: {count} resources in {preview.seconds:.1f} s"]
        for component, types in preview.counts.items():
            lines.append(f"  {component:<58}{types.total():>4}")
            lines += [f"    {kind:<56}{number:>4}" for kind, number in sorted(types.items())]
    if len(previews) > 1:
        total = sum(len(preview.resources) for preview in previews)
        seconds = sum(preview.seconds for preview in previews)
        lines += ["", f"{len(previews)} stacks, {total} resources, {seconds:.1f} s"]
    return "\n".join(lines)


def markdown(previews: list[Preview]) -> str:
    """The same for a job summary: one row for each component, types folded away."""
    lines = [
        "| stack | component | resources |",
        "|---|---|---:|",
    ]
    for preview in previews:
        lines += [
            f"| {preview.stack} | {component} | {types.total()} |"
            for component, types in preview.counts.items()
        ]
        lines.append(
            f"| **{preview.stack}** | **total** ({preview.seconds:.1f} s) "
            f"| **{len(preview.resources)}** |"
        )
    for preview in previews:
        lines += ["", f"<details><summary>{preview.stack}, by type</summary>", ""]
        lines += ["| component | type | resources |", "|---|---|---:|"]
        lines += [
            f"| {component} | `{kind}` | {number} |"
            for component, types in preview.counts.items()
            for kind, number in sorted(types.items())
        ]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def as_json(previews: list[Preview]) -> list[dict[str, Any]]:
    """The same for a program: plain data, one entry for each stack."""
    return [
        {
            "stack": preview.stack,
            "seconds": round(preview.seconds, 2),
            "resources": len(preview.resources),
            "changes": preview.result.changes,
            "components": {name: dict(types) for name, types in preview.counts.items()},
        }
        for preview in previews
    ]
