"""The article's manifest beside ours: the same faults, under the same delays, in two labs at once.

Real are etcd, API server, controllers and scheduler; nodes, Longhorn and IRIS are played, with the
delays below. So the figures compare what the two manifests make of Kubernetes, and no more.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from drills import DrillError, report
from drills.report import Budget, Drill
from drills.run import run
from drills.scenarios import SCENARIOS
from drills.targets import Target, in_lab
from lab import REPOSITORY
from lab.cluster import Timings
from lab.cluster.control_plane import ControlPlane
from lab.engine import Engine
from lab.home import LabHome
from lab.plugins.provide import provide
from lab.toolchain import Toolchain, ensure

DELAYS = Timings(attach=10, detach=1, database_start=15, database_stop=6, kubelet_status=10)
"""Assumed, and the same for both: no measurement of Longhorn or IRIS on real machines."""
FOUR_DRILLS = ("clean-stop", "pod-deleted", "node-drained", "power-cut")
"""What the article tries."""
STAND_IN = (
    "persistence.createStorageClass=false",
    "persistence.defaultClass=false",
    "networkPolicies.restrictInternalTraffic=false",
)
"""What the stand-in of Longhorn's chart takes; all else is as Longhorn's defaults have it."""
ARTICLE = Path(__file__).with_name("article.yaml")


def compare(
    scenarios: Sequence[str], *, runs: int, limit: int, out: Path, iris: Mapping[str, Any]
) -> int:
    """Run each scenario in both labs; print and write a table of both with the ratio.

    Args:
        scenarios: names; none: the four of the article.
        runs: how often each.
        limit: seconds after which a run gives up.
        out: folder for the reports.
        iris: settings of our database over those of the development stack.

    Raises:
        DrillError: a scenario is not for the lab.
        LabError: a lab does not start.
    """
    names = list(scenarios) or list(FOUR_DRILLS)
    for name in names:
        if name not in SCENARIOS or not SCENARIOS[name].in_lab:
            raise DrillError(name, "no scenario that simulated nodes show", "see `drills list`")
    toolchain = ensure(report=print)
    with ExitStack() as labs:
        targets = [
            labs.enter_context(_article(toolchain)),
            labs.enter_context(_ours(toolchain, iris)),
        ]
        rows = [_row(name, targets, runs, limit, out) for name in names]
    page = "\n".join([*_head(runs, limit, iris), *rows]) + "\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare.md").write_text(page)
    print(page)
    return 0


@contextmanager
def _lab(toolchain: Toolchain) -> Iterator[ControlPlane]:
    with tempfile.TemporaryDirectory(prefix="ha-iris-drill-") as folder:
        plane = ControlPlane(LabHome(Path(folder) / "lab"), toolchain, timings=DELAYS)
        try:
            plane.start()
            yield plane
        finally:
            plane.stop(delete=True)


@contextmanager
def _ours(toolchain: Toolchain, iris: Mapping[str, Any]) -> Iterator[Target]:
    with _lab(toolchain) as plane:
        provide(plane.home, toolchain, print)
        with (plane.home.root / "up.log").open("w") as log:
            Engine(
                plane.home,
                toolchain.pulumi,
                "dev",
                tools=toolchain.bin,
                settings={
                    "ha-iris:cluster": {"kubeconfig": str(plane.home.kubeconfig)},
                    **({"ha-iris:iris": iris} if iris else {}),
                },
                output=log,
            ).run("up")
        yield in_lab("ours", plane)


@contextmanager
def _article(toolchain: Toolchain) -> Iterator[Target]:
    with _lab(toolchain) as plane:
        chart = REPOSITORY / "lab" / "charts" / "longhorn"
        helm = [str(toolchain.bin / "helm"), "--kubeconfig", str(plane.home.kubeconfig)]
        # The stand-in takes no chart's own StorageClass: the article's is in its manifest here.
        for value in STAND_IN:
            helm += ["--set", value]
        place = ["--namespace", "longhorn-system", "--create-namespace", "--wait"]
        done = subprocess.run(
            [*helm, "install", "longhorn", str(chart), *place], capture_output=True, text=True
        )
        if done.returncode:
            raise DrillError("helm install longhorn", done.stderr.strip(), "see lab/charts")
        plane.kubectl("apply", "-f", str(ARTICLE))
        plane.kubectl("wait", "--for=condition=Available", "deployment/iris", "--timeout=180s")
        yield in_lab("article", plane, namespace="default", pods="app=iris", service="iris-svc")


def _row(name: str, targets: Sequence[Target], runs: int, limit: int, out: Path) -> str:
    """One scenario in both labs at the same time; a line of the table."""
    drills: dict[str, Drill] = {}
    faults: list[BaseException] = []

    def drill(target: Target) -> None:
        scenario = SCENARIOS[name]
        try:
            done = [
                run(
                    scenario,
                    target.subject,
                    target.site,
                    client=target.make_client,
                    rows=None,
                    limit=limit,
                    say=lambda _: None,
                )
                for _ in range(runs)
            ]
        except BaseException as error:  # told by the thread that waits
            faults.append(error)
            return
        budget = Budget(scenario.budget)
        drills[target.stack] = Drill(
            name, target.stack, target.where, budget, done, target.versions, ""
        )

    threads = [threading.Thread(target=drill, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    for stack, done in drills.items():
        report.write(done, out / name / stack)
    line = line_of(name, drills["article"], drills["ours"], limit)
    print(line, flush=True)
    return line


def line_of(name: str, article: Drill, ours: Drill, limit: int) -> str:
    """Both in one line, and how many times as long the article's takes."""
    theirs, mine = (report.spread([r.recovery.first for r in d.runs]) for d in (article, ours))

    def shown(found: dict) -> str:
        if not found["measured"]:
            return f"not recovered within {limit} s, {found['runs']} of {found['runs']} runs"
        missing = found["runs"] - found["measured"]
        figures = f"{found['median']:.1f} ({found['min']:.1f} to {found['max']:.1f})"
        return figures + (f", {missing} not recovered within {limit} s" if missing else "")

    if not mine["median"]:
        ratio = "-"
    elif theirs["median"]:
        ratio = f"{theirs['median'] / mine['median']:.2f}"
    else:
        ratio = f"over {limit / mine['median']:.1f}"
    return f"| {name} | {shown(theirs)} | {shown(mine)} | {ratio} |"


def _head(runs: int, limit: int, iris: Mapping[str, Any]) -> list[str]:
    chosen = f" Ours with iris {json.dumps(iris)}." if iris else ""
    return [
        f"Simulated nodes; attach {DELAYS.attach:g} s, start {DELAYS.database_start:g} s, clean "
        f"stop {DELAYS.database_stop:g} s, kubelet status {DELAYS.kubelet_status:g} s; {runs} runs "
        f"each, given up after {limit} s. Median (least to greatest) in seconds.{chosen}",
        "",
        "| scenario | article | ha-iris | article / ha-iris |",
        "|---|---|---|---|",
    ]
