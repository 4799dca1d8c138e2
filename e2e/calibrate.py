"""Puts what drills measured on real machines beside what the lab plays.

``python -m e2e.calibrate FOLDER`` reads every report.json below a folder and prints a table:
how long Longhorn took to attach and IRIS to start, beside the lab's constants
(``lab.cluster.Timings``, short so that ``make up`` is quick) and those that documented times were
measured with. Nothing is changed: who changes constants says why in a commit.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from lab.cluster import Timings


class Step(NamedTuple):
    """A stretch between two phases of a drill, and the constant that stands for it."""

    what: str
    begin: str
    end: str
    constant: str
    documented: float
    """Seconds in docs/architecture.md, When something dies."""


STEPS = (
    Step("the volume is attached elsewhere", "detached", "attached", "attach", 10.0),
    Step("IRIS starts, until it is ready", "started", "ready", "database_start", 15.0),
)


def stretches(reports: Iterable[Mapping[str, Any]], step: Step) -> list[float]:
    """Seconds of one step in every run in which both of its ends were seen.

    A run in which the pod came back where it was moves no volume, and has no such stretch.
    """
    found: list[float] = []
    for report in reports:
        for run in report["runs"]:
            phases = run["phases"]
            if step.begin in phases and step.end in phases:
                found.append(phases[step.end] - phases[step.begin])
    return [seconds for seconds in found if seconds >= 0]


def table(reports: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: each step with least, middle and greatest beside the constants."""
    lines = [
        "| step | constant | lab, s | documented with, s | runs | min | median | max |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for step in STEPS:
        seconds = stretches(reports, step)
        measured = (
            f"{min(seconds):.1f} | {median(seconds):.1f} | {max(seconds):.1f}"
            if seconds
            else "- | - | -"
        )
        lines.append(
            f"| {step.what} | `{step.constant}` | {getattr(Timings(), step.constant):g} "
            f"| {step.documented:g} | {len(seconds)} | {measured} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """The command; gives 1 where there is no report."""
    files = sorted(Path(arguments[0] if arguments else ".").rglob("report.json"))
    if not files:
        print("e2e.calibrate: no report.json there; run drills first", file=sys.stderr)
        return 1
    print(table([json.loads(file.read_text()) for file in files]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
