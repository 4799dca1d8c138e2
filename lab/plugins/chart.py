"""Which Longhorn chart `make up` installs: Longhorn's own, or the stand-in in lab/charts.

A stack file of the lab names the stand-in. Where Longhorn's chart repository can be reached, its
chart of the same version is fetched once into the cache folder and takes that place. The
repository is asked once with a short time-out; the answer is remembered.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from lab import REPOSITORY, LabError
from lab.engine.checkpoint import holds_objects
from lab.home import LabHome, write
from lab.plugins.source import Source, wished
from lab.toolchain import Report, Toolchain, cache_folder

STAND_IN = "./lab/charts/longhorn"
"""How a stack file names the stand-in."""
REPOSITORY_URL = "https://charts.longhorn.io"
"""Longhorn's own chart repository, unless the stack file names a mirror."""
DOWNLOAD_SECONDS = 20
VARIABLE = "HA_IRIS_LAB_CHART"


def choose(
    home: LabHome, config: Mapping[str, Any], toolchain: Toolchain, report: Report
) -> Source | None:
    """Have the chart ready that a stack is deployed with, and say which one it is.

    Args:
        config: configuration of the stack file, by key as typed.

    Returns:
        None where the stack file names a chart of its own.

    Raises:
        LabError: Longhorn's own is demanded and cannot be had, or the lab runs with the other one.
    """
    if not _applies(config):
        return None
    used: Source = "official" if _note(home).exists() else "stand-in"
    demanded = wished(VARIABLE, "Longhorn charts", used if holds_objects(home) else None)
    url = (config.get("ha-iris:longhorn") or {}).get("repository") or REPOSITORY_URL
    version = _version()
    if demanded != "stand-in":
        chart = _fetched(url, version, toolchain, report, again=bool(demanded))
        if chart:
            write(_note(home), str(chart))
            report(f"Longhorn chart: {version} of {url}")
            return "official"
    if demanded == "official":
        raise LabError(
            f"{VARIABLE} (official)",
            f"{url} does not give chart longhorn {version}",
            f"check the network, or `make down` and unset {VARIABLE} to use the lab's stand-in",
        )
    _note(home).unlink(missing_ok=True)
    report(f"Longhorn chart: the lab's stand-in for {version}")
    return "stand-in"


def chosen(home: LabHome) -> str:
    """Which chart `make up` takes in this lab, for a person."""
    return "Longhorn's own" if _note(home).exists() else "the lab's stand-in"


def laid_over(home: LabHome, config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings to lay over a stack file, so that it is deployed with the chosen chart."""
    if _applies(config) and _note(home).exists():
        return {"ha-iris:longhorn": {"chart": _note(home).read_text()}}
    return {}


def _applies(config: Mapping[str, Any]) -> bool:
    longhorn = config.get("ha-iris:longhorn")
    return isinstance(longhorn, Mapping) and longhorn.get("chart") == STAND_IN


def _note(home: LabHome) -> Path:
    return home.root / "longhorn-chart"


def _version() -> str:
    chart = REPOSITORY / STAND_IN / "Chart.yaml"
    return yaml.safe_load(chart.read_text())["version"]


def _fetched(
    url: str, version: str, toolchain: Toolchain, report: Report, *, again: bool
) -> Path | None:
    """The chart in the cache folder, fetched if need be; None if it cannot be had."""
    folder = cache_folder() / "charts"
    chart, refused = folder / f"longhorn-{version}.tgz", folder / f"longhorn-{version}.refused"
    if chart.exists():
        return chart
    if not again and refused.exists() and refused.read_text() == url:
        return None
    report(f"Asking {url} for chart longhorn {version} ...")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as draft:
        pull = ["pull", "longhorn", "--repo", url, "--version", version, "--destination", draft]
        archive = Path(draft) / chart.name
        if _helm(toolchain, draft, *pull) and _helm(
            toolchain, draft, "show", "chart", str(archive)
        ):
            archive.replace(chart)
            refused.unlink(missing_ok=True)
            return chart
    write(refused, url)
    return None


def _helm(toolchain: Toolchain, folder: str, *arguments: str) -> bool:
    """Whether helm does this within the time; it keeps out of the user's own folders."""
    own = {f"HELM_{kind}_HOME": f"{folder}/{kind}" for kind in ("CACHE", "CONFIG", "DATA")}
    try:
        done = subprocess.run(
            [str(toolchain.bin / "helm"), *arguments],
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DOWNLOAD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
