"""docs/benchmarks.md: what the last run measured, between the words that a person wrote."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.beside import ROOT, Figure
from bench.measures import per_database
from lab.toolchain import TOOLS

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- written by make bench -->", "<!-- until here -->"


def circumstances(runs: int, load: tuple[float, float, float]) -> dict[str, object]:
    """When, on what and with what it was measured.

    Args:
        runs: how often each was done.
        load: average load of the machine before and after, the greater of each.
    """
    requirements = (ROOT / "requirements.txt").read_text()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in load],
        "runs": runs,
        "Python": platform.python_version(),
        "Pulumi": _pinned("pulumi", requirements),
        "engine": TOOLS["pulumi"].version,
        "Kubernetes": TOOLS["kube-apiserver"].version,
        "kwok": TOOLS["kwok"].version,
    }


def table(figures: Sequence[Figure], facts: dict[str, object]) -> str:
    """Markdown of a run."""
    load = facts["load"]
    assert isinstance(load, list)
    versions = ", ".join(
        f"{name} {facts[name]}" for name in ("Python", "Pulumi", "engine", "Kubernetes", "kwok")
    )
    lines = [
        f"{facts['date']}, {facts['cores']} cores, load {load[0]} (1 min; {load[1]} in 5), "
        f"{facts['runs']} runs in turn, medians. {versions}.",
        "",
        "| what | resources | s | floor | floor, s | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for figure in figures:
        lines.append(
            f"| {figure.what} | {figure.facts.get('resources', '')} | {figure.median:.2f} "
            f"| {figure.floor} | {figure.floor_median:.2f} | {figure.ratio:.2f} |"
        )
    if (added := per_database(list(figures))) is not None:
        lines += ["", f"Each further database adds {added * 1000:.0f} ms to a preview."]
    return "\n".join(lines)


def refreshed(page: str, measured: str) -> str:
    """The page with another run between its marks.

    Raises:
        ValueError: it has no marks.
    """
    if BEGIN not in page or END not in page:
        raise ValueError(f"{PAGE.name} has no place for figures: {BEGIN} ... {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{measured}\n{END}{rest.partition(END)[2]}"


def _pinned(package: str, requirements: str) -> str:
    found = re.search(rf"^{package}==(\S+)$", requirements, re.MULTILINE)
    return found[1] if found else "?"
