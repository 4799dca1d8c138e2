"""What is measured: previews, imports, the lab, and how both grow with the number of databases."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.beside import ROOT, Figure, command, in_turn
from bench.imports import waits_for
from lab.cluster.control_plane import ControlPlane
from lab.home import LabHome
from lab.toolchain import ensure

PREVIEW = ("-m", "lab", "preview")
EMPTY = (*PREVIEW, "--project", str(ROOT / "bench" / "empty"), "empty")
EMPTY_NAME = "preview of an empty program"
STACKS = ("dev", "eks", "aks", "gke")
MODULES = {"dev": "existing", "eks": "eks", "aks": "aks", "gke": "gke"}
DATABASES = (1, 2, 4, 8)


def previews(runs: int) -> list[Figure]:
    """The credential-free preview of each committed stack."""
    measures = {EMPTY_NAME: command(*EMPTY)}
    measures |= {f"preview of {stack}": command(*PREVIEW, stack) for stack in STACKS}
    facts = {f"preview of {stack}": _planned(stack) for stack in STACKS}
    return in_turn("previews", measures, floor=EMPTY_NAME, runs=runs, facts=facts)


def imports(runs: int) -> list[Figure]:
    """What Python loads for a stack of each cloud before the program begins."""
    floor = "import of pulumi alone"
    measures = {floor: command("-c", "import pulumi")}
    measures |= {
        f"import for {stack}": command("-c", f"import stacks.{module}")
        for stack, module in MODULES.items()
    }
    facts = {
        f"import for {stack}": {"waitsFor": waits_for(f"stacks.{module}")}
        for stack, module in MODULES.items()
    }
    return in_turn("imports", measures, floor=floor, runs=runs, facts=facts)


def growth(runs: int) -> list[Figure]:
    """The preview of a StatefulSet of 1, 2, 4 and 8 databases (bench/many)."""
    many = (*PREVIEW, "--project", str(ROOT / "bench" / "many"))
    measures = {EMPTY_NAME: command(*EMPTY)}
    facts = {}
    for number in DATABASES:
        name = f"preview of {number} database{'s' if number > 1 else ''}"
        measures[name] = command(*many, f"many-{number}")
        facts[name] = _planned("--project", str(ROOT / "bench" / "many"), f"many-{number}")
    return in_turn("growth", measures, floor=EMPTY_NAME, runs=runs, facts=facts)


def lab_boot(runs: int) -> list[Figure]:
    """A control plane from nothing to three ready nodes, beside its API server alone."""
    boots: list[float] = []
    servers: list[float] = []
    toolchain = ensure()
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            plane = ControlPlane(LabHome(Path(folder) / "lab"), toolchain, report=lambda _: None)
            try:
                begun = time.perf_counter()
                plane.start()
                booted = time.perf_counter()
                plane.restart_api_server()
                servers.append(time.perf_counter() - booted)
                boots.append(booted - begun)
            finally:
                plane.stop(delete=True)
    floor = "restart of the API server in it"
    return [Figure("lab", "boot of the lab", boots, floor, servers)]


def unchanged_up(runs: int) -> list[Figure]:
    """`make up` where everything is there already, beside a program without resources.

    It begins and ends with no lab in this clone.

    Raises:
        FileExistsError: there is one, which may be somebody's.
    """
    if LabHome.default().state.exists():
        raise FileExistsError(LabHome.default().root)
    lab = ("-m", "lab")
    try:
        measures = {EMPTY_NAME: command(*EMPTY), "up that changes nothing": command(*lab, "up")}
        return in_turn("lab", measures, floor=EMPTY_NAME, runs=runs)
    finally:
        command(*lab, "down")()


PARTS = {
    "previews": previews,
    "imports": imports,
    "growth": growth,
    "boot": lab_boot,
    "up": unchanged_up,
}
"""By the names that the command line knows."""


def per_database(figures: list[Figure]) -> float | None:
    """Seconds that each database adds to a preview, between the least and the greatest number."""
    medians = {
        number: figure.median
        for figure in figures
        for number in DATABASES
        if figure.what.startswith(f"preview of {number} database")
    }
    least, most = min(DATABASES), max(DATABASES)
    if least not in medians or most not in medians:
        return None
    return (medians[most] - medians[least]) / (most - least)


def _planned(*arguments: str) -> Mapping[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        command(*PREVIEW, *arguments, "--json", str(plan))()
        (entry,) = json.loads(plan.read_text())
        return {"resources": entry["resources"]}
