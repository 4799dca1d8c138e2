"""What previews would create, counted: for a terminal, a job summary and a program."""

from __future__ import annotations

import shutil
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.engine.events import Result, Step

CAPTION = "No credentials, no cloud, no state: a stand-in answers for every provider."
"""What the reader of any form must know of the numbers."""
OUTSIDE = "(in no component)"


@dataclass(frozen=True)
class Preview:
    """The preview of one stack."""

    stack: str
    seconds: float
    """Wall time."""
    result: Result

    @property
    def failed(self) -> bool:
        """Whether the engine refused the program or its settings."""
        return bool(self.result.errors)

    @property
    def resources(self) -> list[Step]:
        """What a provider would create: no component, no provider configuration."""
        return [
            step
            for step in self.result.steps
            if step.custom
            and step.action == "create"
            and not step.type.startswith("pulumi:providers:")
        ]

    @property
    def components(self) -> dict[str, dict[str, list[str]]]:
        """Names of the resources by type, by component, in the order of the component tree."""
        by_urn = {step.urn: step for step in self.result.steps}
        titles = [_title(step) for step in self._tree("")]
        found = {title: defaultdict(list) for title in [OUTSIDE, *titles]}
        for step in self.resources:
            found[_component(step, by_urn)][short(step.type)].append(step.name)
        return {
            title: {kind: sorted(types[kind]) for kind in sorted(types)}
            for title, types in found.items()
            if types
        }

    def _tree(self, parent: str) -> Iterator[Step]:
        # By name: the engine meets siblings in another order each time, and tables get compared.
        children = [step for step in self.result.steps if step.parent == parent]
        for step in sorted(children, key=lambda step: step.name):
            if not step.custom:
                yield step
                yield from self._tree(step.urn)


def _component(step: Step, by_urn: dict[str, Step]) -> str:
    """Title of the nearest component above a resource."""
    while step.parent in by_urn:
        step = by_urn[step.parent]
        if not step.custom:
            return _title(step)
    return OUTSIDE


def _title(component: Step) -> str:
    """How a component is called in a table, such as ``EksCluster cluster``."""
    if component.type == "pulumi:pulumi:Stack":
        return OUTSIDE
    return f"{component.type.rsplit(':', 1)[1]} {component.name}"


def short(token: str) -> str:
    """A type token as the engine displays it: aws:ec2/vpc:Vpc is aws:ec2:Vpc."""
    package, module, name = token.split(":", 2)
    return f"{package}:{module.rpartition('/')[0] or module}:{name}"


def text(previews: list[Preview], wall_seconds: float) -> str:
    """A table for a terminal, one block for each stack, and the time of the whole command."""
    lines = []
    for preview in previews:
        lines += ["", _headline(preview)]
        lines += [textwrap.indent(message, "  ") for message in preview.result.errors]
        lines += [f"  warning: {message}" for message in preview.result.warnings]
        if not preview.failed:
            lines += _blocks(preview)
    resources = sum(len(preview.resources) for preview in previews if not preview.failed)
    stacks = "1 stack" if len(previews) == 1 else f"{len(previews)} stacks"
    lines += ["", f"{stacks}, {resources} resources to create, {wall_seconds:.1f} s wall time"]
    return "\n".join(lines)


def _blocks(preview: Preview) -> Iterator[str]:
    kinds = [kind for types in preview.components.values() for kind in types]
    width = max(map(len, kinds), default=0)
    columns = max(80, shutil.get_terminal_size((120, 0)).columns)
    for title, types in preview.components.items():
        yield f"\n  {title:<{width + 4}} {_count(types):>4}"
        for kind, names in types.items():
            head = f"    {kind:<{width + 2}} {len(names):>4}  "
            yield textwrap.fill(
                " ".join(names),
                columns,
                initial_indent=head,
                subsequent_indent=" " * len(head),
                break_long_words=False,
                break_on_hyphens=False,
            )


def markdown(previews: list[Preview]) -> str:
    """The same for a job summary: one row for each component, types and names folded away."""
    lines = [CAPTION]
    for preview in previews:
        lines += ["", f"### {_headline(preview)}", ""]
        if preview.failed:
            lines += ["```", *preview.result.errors, "```"]
            continue
        lines += [f"> warning: {' '.join(m.split())}\n" for m in preview.result.warnings]
        lines += ["| component | to create |", "|---|---:|"]
        lines += [f"| {title} | {_count(types)} |" for title, types in preview.components.items()]
        lines += ["", "<details><summary>by type and name</summary>", ""]
        lines += ["| component | type | to create | names |", "|---|---|---:|---|"]
        lines += [
            f"| {title} | `{kind}` | {len(names)} | {', '.join(names)} |"
            for title, types in preview.components.items()
            for kind, names in types.items()
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
            "components": preview.components,
            "warnings": preview.result.warnings,
            "errors": preview.result.errors,
        }
        for preview in previews
    ]


def _headline(preview: Preview) -> str:
    if preview.failed:
        return f"{preview.stack}: refused after {preview.seconds:.1f} s"
    return f"{preview.stack}: {len(preview.resources)} resources to create, {preview.seconds:.1f} s"


def _count(types: dict[str, list[str]]) -> int:
    return sum(map(len, types.values()))
