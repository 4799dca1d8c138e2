"""Command line of the benchmarks: ``python -m bench [PART...]``.

Prints how long things take beside their floor in the same run, writes the figures as JSON and puts
them into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.beside import ROOT, Figure
from bench.measures import PARTS
from bench.page import PAGE, circumstances, refreshed, table

GOAL_RATIO = 2.0
GOAL_SECONDS = 3.2
"""Of the preview of eks. The seconds are those of `terraform plan -refresh=false` for a graph of
its size."""


def main(arguments: list[str]) -> int:
    """The command; gives 1 if something failed or, with ``--check``, if the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}: all")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path, default=ROOT / "bench.json", metavar="FILE")
    parser.add_argument("--page", action="store_true", help="refresh docs/benchmarks.md")
    parser.add_argument("--check", action="store_true", help="fail if the goal is missed")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(PARTS)}")
    before = os.getloadavg()
    figures: list[Figure] = []
    try:
        for name in options.parts or PARTS:
            for figure in PARTS[name](options.runs):
                figures.append(figure)
                print(
                    f"{figure.what}: {figure.median:.2f} s, {figure.ratio:.2f} times "
                    f"{figure.floor} ({figure.floor_median:.2f} s)",
                    flush=True,
                )
    except subprocess.CalledProcessError as failed:
        print(failed.stdout + failed.stderr, file=sys.stderr)
        return 1
    except FileExistsError as there:
        print(f"ha-iris: {there} is a lab; `make down` first, or leave the part out: up")
        return 1
    first, second, third = (max(pair) for pair in zip(before, os.getloadavg(), strict=True))
    facts = circumstances(options.runs, (first, second, third))
    figures_told = [figure.summary() for figure in figures]
    options.json.write_text(json.dumps({**facts, "figures": figures_told}, indent=2) + "\n")
    if options.page:
        PAGE.write_text(refreshed(PAGE.read_text(), table(figures, facts)))
    return 1 if options.check and missed(figures) else 0


def missed(figures: list[Figure]) -> bool:
    """Whether the preview of eks was measured and is slower than docs/previews.md says."""
    return any(
        figure.ratio > GOAL_RATIO or figure.median >= GOAL_SECONDS
        for figure in figures
        if figure.what == "preview of eks"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
