"""Times the credential-free preview of a whole stack against that of an empty program.

``python -m bench.preview`` runs both in turn, each in a process of its own, so that a busy machine
slows both alike, and compares their medians. Wall time is that of the whole command, from the
start of Python to its end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMPTY = ("--project", str(ROOT / "bench" / "empty"), "empty")
GOAL_RATIO = 2.0
GOAL_SECONDS = 3.2


@dataclass(frozen=True)
class Timing:
    """Wall times of one kind of preview, seconds."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        fastest, slowest = min(self.seconds), max(self.seconds)
        return f"median {self.median:.2f} s ({fastest:.2f} to {slowest:.2f})"


@dataclass(frozen=True)
class Measurement:
    """A stack's preview beside an empty program's."""

    stack: str
    resources: int
    preview: Timing
    empty: Timing

    @property
    def ratio(self) -> float:
        """How many times an empty program's preview the stack's takes."""
        return self.preview.median / self.empty.median

    @property
    def within_goal(self) -> bool:
        """Whether the preview is as fast as docs/previews.md says."""
        return self.ratio <= GOAL_RATIO and self.preview.median < GOAL_SECONDS


def measure(stack: str, runs: int) -> Measurement:
    """Run both previews ``runs`` times in turn, after one of each that fills caches.

    Raises:
        subprocess.CalledProcessError: a preview failed; its output is in the error.
    """
    _seconds(*EMPTY)
    plan = ROOT / ".lab" / "preview" / "bench.json"
    _seconds(stack, "--json", str(plan))
    (entry,) = json.loads(plan.read_text())
    empty, preview = [], []
    for _ in range(runs):
        empty.append(_seconds(*EMPTY))
        preview.append(_seconds(stack))
    return Measurement(stack, entry["resources"], Timing(preview), Timing(empty))


def _seconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "lab", "preview", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - started


def main(arguments: list[str]) -> int:
    """The command; gives 1 if a preview fails or, with ``--check``, if the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.preview", description=__doc__)
    parser.add_argument("stack", nargs="?", default="eks")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="fail if the goal is missed")
    options = parser.parse_args(arguments)
    try:
        found = measure(options.stack, options.runs)
    except subprocess.CalledProcessError as failed:
        print(failed.stdout + failed.stderr, file=sys.stderr)
        return 1
    print(f"{found.stack}, {found.resources} resources: {found.preview}")
    print(f"empty program: {found.empty}")
    print(f"ratio {found.ratio:.2f}; goal: at most {GOAL_RATIO} and below {GOAL_SECONDS} s")
    if options.json:
        figures = {**asdict(found), "ratio": round(found.ratio, 3), "goal": found.within_goal}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if options.check and not found.within_goal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
