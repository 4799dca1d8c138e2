"""What came of a drill: figures over its runs, as data, as a page and for a build server."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree import ElementTree

from drills import attempts
from drills.phases import NAMES
from drills.run import Run
from drills.timeline import timeline

NOT_MEASURED = "commits: not measured here"


@dataclass(frozen=True)
class Budget:
    """What a scenario may cost."""

    rto: float
    """Seconds until the first success of a commit begun after the fault."""
    rpo: int = 0
    """Acknowledged commits that may be missing."""

    def faults(self, run: Run) -> list[str]:
        """Why a run does not keep it; empty: it does."""
        found: list[str] = []
        first = run.recovery.first
        if run.ended:
            found.append(f"{', '.join(run.ended)} of the lab ended meanwhile: run it again")
        if first is None:
            found.append("not recovered within the run's limit")
        elif first > self.rto:
            found.append(f"recovered after {first:.1f} s, and the budget is {self.rto:g} s")
        if run.verdict:
            if len(run.verdict.missing) > self.rpo:
                found.append(
                    f"{len(run.verdict.missing)} acknowledged commits are missing, and the budget "
                    f"is {self.rpo}"
                )
            if run.verdict.two_writers:
                found.append("two starts of the database acknowledged at the same time")
            if run.verdict.duplicates or run.verdict.ghosts:
                found.append("there are commits twice, or that nobody made")
        return found


@dataclass(frozen=True)
class Drill:
    """All runs of one scenario against one stack."""

    scenario: str
    stack: str
    where: str
    """The cluster in words; says of simulated nodes that they are."""
    budget: Budget
    runs: list[Run]
    versions: dict[str, str]
    """Of what was drilled: commit, Kubernetes, Longhorn, image."""
    synch_commit: str
    """SynchCommit of the database, 1 or 0; empty: not known."""

    @property
    def kept(self) -> bool:
        """Whether every run keeps the budget."""
        return bool(self.runs) and not any(self.budget.faults(run) for run in self.runs)


def spread(values: Sequence[float | None]) -> dict[str, float | int | None]:
    """Least, middle and greatest of what was measured, and how often nothing was."""
    found = [value for value in values if value is not None]
    return {
        "min": min(found, default=None),
        "median": median(found) if found else None,
        "max": max(found, default=None),
        "measured": len(found),
        "runs": len(values),
    }


def summary(drill: Drill) -> dict[str, Any]:
    """A drill as data, in the order in which one reads it."""
    runs = drill.runs
    return {
        "scenario": drill.scenario,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "stack": drill.stack,
        "where": drill.where,
        "versions": drill.versions,
        "synchCommit": drill.synch_commit,
        "kept": drill.kept,
        "budget": asdict(drill.budget),
        "rto": spread([run.recovery.first for run in runs]),
        "steady": spread([run.recovery.steady for run in runs]),
        "rpo": spread([len(run.verdict.missing) for run in runs if run.verdict]),
        "phases": {
            name: spread([run.phases.get(name) for run in runs])
            for name in NAMES
            if any(name in run.phases for run in runs)
        },
        "runs": [_run(drill, run) for run in runs],
    }


def _run(drill: Drill, run: Run) -> dict[str, Any]:
    return {
        "began": datetime.fromtimestamp(run.began, UTC).isoformat(timespec="milliseconds"),
        "node": run.node,
        "zone": run.zone,
        "backOn": run.back_on,
        **asdict(run.recovery),
        "phases": run.phases,
        "verdict": asdict(run.verdict) if run.verdict else NOT_MEASURED,
        "faults": drill.budget.faults(run),
    }


def write(drill: Drill, folder: Path) -> Path:
    """report.json, report.md, junit.xml, and a picture and the attempts of every run."""
    folder.mkdir(parents=True, exist_ok=True)
    found = summary(drill)
    (folder / "report.json").write_text(json.dumps(found, indent=2) + "\n")
    (folder / "report.md").write_text(markdown(drill))
    ElementTree.ElementTree(junit(drill)).write(folder / "junit.xml", encoding="utf-8")
    for number, run in enumerate(drill.runs, 1):
        (folder / f"timeline-{number}.svg").write_text(timeline(run, drill.where))
        attempts.write(run.attempts, folder / f"attempts-{number}.jsonl")
    return folder / "report.md"


def remember(drill: Drill, history: Path) -> None:
    """One line for this drill at the end of a file that is kept."""
    found = summary(drill)
    del found["runs"]
    history.parent.mkdir(parents=True, exist_ok=True)
    with history.open("a") as file:
        file.write(json.dumps(found) + "\n")


def markdown(drill: Drill) -> str:
    """The page that a person reads."""
    found = summary(drill)
    verdict = "kept" if drill.kept else "NOT kept"
    lines = [
        f"# {drill.scenario}: budget {verdict}",
        "",
        f"{found['date']}, stack {drill.stack}, {drill.where}. "
        + ", ".join(f"{name} {value}" for name, value in drill.versions.items())
        + (f". SynchCommit {drill.synch_commit}" if drill.synch_commit else "")
        + ".",
        "",
        "| | min | median | max | measured |",
        "|---|---|---|---|---|",
        _line("RTO, s: first success begun after the fault", found["rto"]),
        _line("steady again, s", found["steady"]),
    ]
    if any(run.verdict for run in drill.runs):
        lines.append(_line("RPO: acknowledged and missing", found["rpo"], whole=True))
    lines += [_line(f"{name}, s after the fault", s) for name, s in found["phases"].items()]
    lines += ["", "| run | from | to | RTO, s | steady, s | commits | faults |", "|" + "---|" * 7]
    for number, run in enumerate(drill.runs, 1):
        lines.append(
            f"| [{number}](timeline-{number}.svg) | {run.node} | {run.back_on or '-'} "
            f"| {_number(run.recovery.first)} | {_number(run.recovery.steady)} "
            f"| {commits(run)} | {'; '.join(drill.budget.faults(run)) or 'none'} |"
        )
    return "\n".join(lines) + "\n"


def commits(run: Run) -> str:
    """What became of the commits of a run, in one line."""
    found = run.verdict
    if found is None:
        return NOT_MEASURED
    return (
        f"{found.acknowledged} acknowledged, {len(found.missing)} missing, "
        f"{len(found.appeared)} of {len(found.appeared) + len(found.absent)} unknown are there, "
        f"{len(found.duplicates)} twice, {len(found.two_writers)} times two writers"
    )


def junit(drill: Drill) -> ElementTree.Element:
    """The runs as test cases."""
    suite = ElementTree.Element("testsuite", name=f"drills.{drill.scenario}")
    for number, run in enumerate(drill.runs, 1):
        seconds = f"{run.recovery.first or 0:.3f}"
        attributes = {"classname": f"drills.{drill.scenario}", "name": f"run {number}"}
        case = ElementTree.SubElement(suite, "testcase", attributes, time=seconds)
        if faults := drill.budget.faults(run):
            ElementTree.SubElement(case, "failure", message="; ".join(faults))
    bad = sum(1 for run in drill.runs if drill.budget.faults(run))
    suite.set("tests", str(len(drill.runs)))
    suite.set("failures", str(bad))
    return suite


def _line(what: str, found: dict[str, Any], *, whole: bool = False) -> str:
    show: Callable[[Any], str] = str if whole else _number
    figures = " | ".join(show(found[key]) for key in ("min", "median", "max"))
    return f"| {what} | {figures} | {found['measured']} of {found['runs']} |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
