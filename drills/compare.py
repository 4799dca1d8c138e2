"""The article's manifest beside ours: the same faults, under the same delays, in labs side by side.

Real are etcd, API server, controllers and scheduler, and the fencing agents' program; nodes,
Longhorn, IRIS and the machines' switch are played, with the delays below. So the figures compare
what the manifests make of Kubernetes, and no more.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from drills import DrillError, report
from drills.beside import beside
from drills.labs import DELAYS, LABS, OFF_SECONDS
from drills.report import Budget, Drill
from drills.run import BASELINE_SECONDS, Run, run
from drills.scenarios import SCENARIOS, Scenario
from drills.targets import Target
from lab.toolchain import ensure

FOUR_DRILLS = ("clean-stop", "pod-deleted", "node-drained", "power-cut")
"""What the article tries."""
LONGEST_PERIOD = 60.0
"""Seconds: the slowest clock of the control plane, the attach-detach controller's own look."""
MOST_SPOILED = 3
"""Runs of a scenario that may be spoiled by a lab that did not stand the load."""

Drills = dict[str, dict[str, Drill]]
"""By scenario and column."""


def compare(
    scenarios: Sequence[str],
    *,
    columns: Sequence[str],
    runs: int,
    limit: int,
    out: Path,
    iris: Mapping[str, Any],
    delays: Mapping[str, float],
) -> int:
    """Run each scenario in each lab; print and write a table of all with the ratios.

    Args:
        scenarios: names; none: the four of the article.
        columns: names of labs.
        runs: how often each.
        limit: seconds after which a run gives up.
        out: folder for the reports.
        iris: settings of our database over those of the development stack.
        delays: of what is played, over those assumed.

    Raises:
        DrillError: a scenario is not for the lab, or there is no such delay.
        LabError: a lab does not start.
    """
    chosen = [_scenario(name) for name in scenarios or FOUR_DRILLS]
    try:
        timings = replace(DELAYS, **delays)
    except TypeError as error:
        raise DrillError("--delays", str(error), f"known are {', '.join(vars(DELAYS))}") from None
    toolchain = ensure(report=print)
    found: Drills = {scenario.name: {} for scenario in chosen}
    faults: list[BaseException] = []
    load: list[float] = []

    def column(target: Target) -> None:
        try:
            for scenario in chosen:
                if scenario.needs_fencing and target.stack != "fenced":
                    continue
                place = out / scenario.name / target.stack
                found[scenario.name][target.stack] = _drill(
                    scenario, target, runs, limit, load, place
                )
        except BaseException as error:  # told by the thread that waits
            faults.append(error)

    with ExitStack() as labs:
        opened = [labs.enter_context(LABS[name](toolchain, timings, iris)) for name in columns]
        threads = [
            threading.Thread(target=column, args=(target,), daemon=True) for target in opened
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    played = {**vars(timings), "off": OFF_SECONDS}
    head = _head(columns, runs, limit, iris, played, max(load, default=0.0))
    lines = [line_of(name, drills, columns, limit) for name, drills in found.items()]
    for name, drills in found.items():
        if drills:
            reports = {column: report.summary(drill) for column, drill in drills.items()}
            (out / name / "beside.svg").write_text(beside(reports))
    page = "\n".join([*head, *lines]) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare.md").write_text(page)
    print(page)
    if faults:
        raise faults[0]
    return 0


def _scenario(name: str) -> Scenario:
    if name not in SCENARIOS or not SCENARIOS[name].in_lab:
        raise DrillError(name, "no scenario that simulated nodes show", "see `drills list`")
    return SCENARIOS[name]


def _drill(
    scenario: Scenario, target: Target, runs: int, limit: int, load: list[float], out: Path
) -> Drill:
    """All runs of a scenario in one lab; what has been measured is written down after each."""
    done: list[Run] = []
    budget = Budget(scenario.budget)
    drill = Drill(scenario.name, target.stack, target.where, budget, done, target.versions, "")
    spoiled = 0
    while len(done) < runs:
        one = run(
            scenario,
            target.subject,
            target.site,
            client=target.make_client,
            rows=None,
            limit=limit,
            say=lambda _: None,
            # A run ends a fixed time after the controller's look, and the next one would begin so.
            baseline=BASELINE_SECONDS + random.uniform(0, LONGEST_PERIOD),
            heal=target.heal,
        )
        load.append(os.getloadavg()[0])
        where = f"{target.stack:8} {scenario.name:18}"
        if one.ended:
            spoiled += 1
            print(f"{where} does not count: {', '.join(one.ended)} ended", flush=True)
            if spoiled > MOST_SPOILED:
                raise DrillError(
                    f"the lab of {target.stack}",
                    f"its {', '.join(one.ended)} ended in {spoiled} runs: the machine is too busy",
                    "run it with less beside it",
                )
            continue
        done.append(one)
        report.write(drill, out)
        steps = ", ".join(f"{name} {at:.1f}" for name, at in one.phases.items())
        print(
            f"{where} {len(done)}: {_seconds(one.recovery.first)}; {steps}; load {load[-1]:.1f}",
            flush=True,
        )
    return drill


def line_of(name: str, drills: Mapping[str, Drill], columns: Sequence[str], limit: int) -> str:
    """All columns in one line, and how many times as long the first takes as each other."""
    spreads = {
        column: report.spread([r.recovery.first for r in drills[column].runs])
        for column in columns
        if column in drills
    }
    cells = [_shown(spreads[c], limit) if c in spreads else "-" for c in columns]
    first = spreads.get(columns[0])
    ratios = [
        _ratio(first, spreads[column], limit) if first and column in spreads else "-"
        for column in columns[1:]
    ]
    return f"| {' | '.join([name, *cells, *ratios])} |"


def _shown(found: Mapping[str, Any], limit: int) -> str:
    if not found["measured"]:
        return f"not recovered within {limit} s, {found['runs']} of {found['runs']} runs"
    missing = found["runs"] - found["measured"]
    figures = f"{found['median']:.1f} ({found['min']:.1f} to {found['max']:.1f})"
    return figures + (f", {missing} not recovered within {limit} s" if missing else "")


def _ratio(theirs: Mapping[str, Any], mine: Mapping[str, Any], limit: int) -> str:
    if not mine["median"]:
        return "-"
    if theirs["median"]:
        return f"{theirs['median'] / mine['median']:.2f}"
    return f"over {limit / mine['median']:.1f}"


def _seconds(found: float | None) -> str:
    return "not recovered" if found is None else f"{found:.1f} s"


def _head(
    columns: Sequence[str],
    runs: int,
    limit: int,
    iris: Mapping[str, Any],
    played: Mapping[str, float],
    load: float,
) -> list[str]:
    chosen = f" Ours with iris {json.dumps(iris)}." if iris else ""
    ratios = [f"{columns[0]} / {column}" for column in columns[1:]]
    return [
        f"Simulated nodes; attach {played['attach']:g} s, start {played['database_start']:g} s, "
        f"clean stop {played['database_stop']:g} s, kubelet status {played['kubelet_status']:g} s, "
        f"a machine's switch {played['off']:g} s; {runs} runs each, given up after {limit} s. "
        f"Load of at most {load:.1f} on {os.cpu_count()} cores. Median (least to greatest) in "
        f"seconds.{chosen}",
        "",
        f"| scenario | {' | '.join([*columns, *ratios])} |",
        "|" + "---|" * (1 + len(columns) + len(ratios)),
    ]
