"""Command line of the drills: ``python -m drills list|clean|chart|compare|picture|SCENARIO``."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from drills import DrillError

if TYPE_CHECKING:
    from drills.report import Drill
    from drills.run import Run
    from drills.scenarios import Scenario

REPORTS = Path("drills-report")
LABS = ("article", "ours", "fenced")


def main(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code: 0 kept, 1 not kept, 2 not run."""
    # What is undone after a fault is undone as well when somebody ends the drill.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    options = _parse(arguments)
    from drills.api import UNREACHABLE, Refused
    from lab import LabError

    try:
        return options.run(options)
    except (DrillError, LabError, Refused, *UNREACHABLE) as error:
        print(f"drills: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("drills: interrupted; what was broken has been mended", file=sys.stderr)
        return 130


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    from drills.hosts import IMAGE
    from drills.scenarios import SCENARIOS

    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="the scenarios, and how dangerous each is")
    listing.set_defaults(run=_list)

    for scenario in SCENARIOS.values():
        drill = commands.add_parser(scenario.name, help=f"{scenario.danger}: {scenario.what}")
        drill.set_defaults(run=_drill, scenario=scenario)
        drill.add_argument("--stack", default="dev", help="default: dev, the lab's")
        drill.add_argument("--runs", type=_whole, default=1)
        drill.add_argument("--budget", type=_seconds, help=f"RTO, default {scenario.budget}s")
        drill.add_argument("--rpo", type=int, default=0, help="acknowledged commits to lose")
        drill.add_argument("--limit", type=_seconds, default=900, help="when a run gives up")
        drill.add_argument(
            "--confirm", metavar="STACK", help="its name again, for destructive ones"
        )
        drill.add_argument("--on-protected", action="store_true", help="though data is protected")
        drill.add_argument("--sql", metavar="HOST:PORT", help="way to the superserver from here")
        drill.add_argument("--power-off", metavar="COMMAND", help="with {node} or {id} in it")
        drill.add_argument("--power-on", metavar="COMMAND")
        drill.add_argument("--host-image", default=IMAGE, help="of pods that reach machines")
        drill.add_argument("--out", type=Path, help=f"folder; default {REPORTS}/SCENARIO-DATE")
        drill.add_argument("--history", type=Path, help="file that gets one line for the drill")

    clean = commands.add_parser("clean", help="mend what a killed drill has left")
    clean.add_argument("--stack", default="dev")
    clean.add_argument("--power-on", metavar="COMMAND", help="with {node} or {id} in it")
    clean.set_defaults(run=_clean)

    chart = commands.add_parser("chart", help="draw a history file")
    chart.add_argument("history", type=Path)
    chart.add_argument("picture", type=Path)
    chart.set_defaults(run=_chart)

    picture = commands.add_parser("picture", help="draw one scenario of a comparison")
    picture.add_argument("folder", type=Path, help="of a scenario, in that of the comparison")
    picture.add_argument("picture", type=Path)
    picture.set_defaults(run=_picture)

    compare = commands.add_parser("compare", help="the article's manifest beside ours, in two labs")
    compare.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help="default: the four drills"
    )
    compare.add_argument("--labs", nargs="+", choices=LABS, default=LABS, help="default: all")
    compare.add_argument("--runs", type=_whole, default=5)
    compare.add_argument("--limit", type=_seconds, default=300, help="when a run gives up")
    compare.add_argument("--iris", type=json.loads, default={}, help="our settings, as JSON")
    compare.add_argument("--delays", type=json.loads, default={}, help="in seconds, as JSON")
    compare.add_argument("--out", type=Path, default=REPORTS / "compare")
    compare.set_defaults(run=_compare)
    return parser.parse_args(arguments)


def _seconds(text: str) -> int:
    """120 or 120s.

    Raises:
        ValueError: it is neither.
    """
    return _whole(text.removesuffix("s"))


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _list(_: argparse.Namespace) -> int:
    from drills.scenarios import SCENARIOS

    for scenario in SCENARIOS.values():
        where = "lab too" if scenario.in_lab else "real nodes"
        print(f"{scenario.name:24} {scenario.danger:12} {where:11} {scenario.what}")
    print(
        "\nsafe: a pod starts anew. disruptive: a machine or the control plane is away for a time."
    )
    print("destructive: copies of data go, or what is not in every copy may; asked for twice.")
    return 0


def _drill(options: argparse.Namespace) -> int:
    from drills import report
    from drills.run import SHORTEST_LIMIT, run
    from drills.targets import of_stack, synch_commit

    scenario: Scenario = options.scenario
    if options.limit < SHORTEST_LIMIT:
        raise DrillError(
            f"--limit {options.limit}", "no run is steady so soon", f"give {SHORTEST_LIMIT} or more"
        )
    _ask_twice(scenario, options)
    target = of_stack(
        options.stack,
        sql=options.sql,
        host_image=options.host_image,
        off=options.power_off,
        on=options.power_on,
    )
    refuse(scenario, target.site.simulated, target.protected, options.on_protected)
    print(f"{scenario.name}: {scenario.what}; {target.where}", flush=True)
    runs: list[Run] = []
    drill = report.Drill(
        scenario=scenario.name,
        stack=target.stack,
        where=target.where,
        budget=report.Budget(options.budget or scenario.budget, options.rpo),
        runs=runs,
        versions=target.versions,
        synch_commit=synch_commit(target.subject),
    )
    with contextlib.ExitStack() as stack:
        # Both happen as well when a run goes wrong: what was measured before has been measured.
        stack.callback(_write, drill, options)
        stack.callback(target.clean)
        for number in range(1, options.runs + 1):
            print(f"run {number} of {options.runs}", flush=True)
            done = run(
                scenario,
                target.subject,
                target.site,
                client=target.make_client,
                rows=target.rows,
                limit=options.limit,
                say=lambda line: print(line, flush=True),
                heal=target.heal,
            )
            runs.append(done)
            print(f"  {told(done)}", flush=True)
    return 0 if drill.kept else 1


def _write(drill: Drill, options: argparse.Namespace) -> None:
    """Write down what was measured, if anything was."""
    from drills import report

    if not drill.runs:
        return
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    page = report.write(drill, options.out or REPORTS / f"{drill.scenario}-{moment}")
    if options.history:
        report.remember(drill, options.history)
    print(f"budget {'kept' if drill.kept else 'NOT kept'}: {page}")


def told(run: Run) -> str:
    """A run in one line."""
    from drills.report import commits

    first = run.recovery.first
    served = "not served again" if first is None else f"served again after {first:.1f} s"
    steps = ", ".join(f"{name} {at:.1f}" for name, at in run.phases.items())
    return f"{served}; {steps or 'nothing seen'}; {commits(run)}"


def _ask_twice(scenario: Scenario, options: argparse.Namespace) -> None:
    if scenario.danger == "destructive" and options.confirm != options.stack:
        raise DrillError(
            f"{scenario.name} on {options.stack}",
            f"destructive: {scenario.what}",
            f"add --confirm {options.stack} if that is what you want",
        )


def refuse(scenario: Scenario, simulated: bool, protected: bool, on_protected: bool) -> None:
    """Refuse what would show nothing, and what would endanger data that is protected.

    Raises:
        DrillError: this scenario is not for this stack.
    """
    if simulated and not scenario.in_lab:
        raise DrillError(
            scenario.name, "simulated nodes show nothing of it", "drill it on real nodes"
        )
    if scenario.danger == "destructive" and protected and not simulated and not on_protected:
        raise DrillError(
            scenario.name,
            "destructive, and the stack protects its data",
            "drill a clone (docs/restore.md), or add --on-protected",
        )


def _clean(options: argparse.Namespace) -> int:
    from drills.targets import mend

    mend(options.stack, on=options.power_on, say=lambda line: print(line, flush=True))
    print("clean; a machine that was cut off or crashed mends itself when its time is over")
    return 0


def _chart(options: argparse.Namespace) -> int:
    from drills.history import chart, read

    options.picture.write_text(chart(read(options.history)))
    print(options.picture)
    return 0


def _picture(options: argparse.Namespace) -> int:
    from drills.beside import beside, read

    options.picture.write_text(beside(read(options.folder)))
    print(options.picture)
    return 0


def _compare(options: argparse.Namespace) -> int:
    from drills.compare import compare

    return compare(
        options.scenarios,
        columns=options.labs,
        runs=options.runs,
        limit=options.limit,
        out=options.out,
        iris=options.iris,
        delays=options.delays,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
