"""The lab's programs, in the user's cache folder: released binaries, or built from Go modules.

Each folder here is a Go module whose `tool` directives name what it builds. A program is its
project's own release where that can be downloaded, and built from the pinned module elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from lab import LabError
from lab.toolchain import golang
from lab.toolchain.build import PARTIAL, build
from lab.toolchain.tools import FOLDER, LAB_TOOLS, TOOLS

NOTICE_SECONDS = 15
"""How often a build that waits for another one says so."""
BUILD_SECONDS = {
    "cluster": 340,
    "pulumi": 130,
    "actionlint": 15,
    "manifests": 40,
    "promtool": 100,
}
"""How long the programs of a module took to build on two cores with nothing in any cache."""
Report = Callable[[str], None]


__all__ = ["LAB_TOOLS", "TOOLS", "Toolchain", "cache_folder", "ensure"]


@dataclass(frozen=True)
class Toolchain:
    """Where the built programs are."""

    bin: Path
    """Folder to put first on PATH."""
    pulumi: Path
    """The Pulumi CLI: the one on PATH if it is new enough, else the built one."""


def cache_folder() -> Path:
    """$HA_IRIS_CACHE, or `ha-iris` in the platform's cache folder of this user."""
    chosen = os.environ.get("HA_IRIS_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("ha-iris"))


def key() -> str:
    """Name of the folder for this set of sources: go.mod, go.sum and build flags."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*/go.*")):
        digest.update(f"\0{path.parent.name}/{path.name}\0".encode() + path.read_bytes())
    for name, tool in TOOLS.items():
        digest.update(f"\0{name} {tool.package} {tool.settings} {tool.tags}".encode())
    return digest.hexdigest()[:16]


def ensure(*tools: str, report: Report = print) -> Toolchain:
    """Bring what is missing of `tools` (default: all that the lab needs) and say where it is.

    Takes a few minutes the first time and some milliseconds from then on. May be killed at any
    moment and run by several clones at once.

    Args:
        tools: names from `TOOLS`.
        report: gets one line of progress at a time.

    Raises:
        LabError: no usable Go, no module proxy, no space, or a cache folder that is read-only.
    """
    wanted = tools or LAB_TOOLS
    if unknown := [name for name in wanted if name not in TOOLS]:
        raise ValueError(f"the toolchain has no {', '.join(unknown)}")
    cache = cache_folder()
    pulumi = _pulumi_on_path() if "pulumi" in wanted else None
    needed = [name for name in wanted if not (name == "pulumi" and pulumi)]
    bin_folder = cache / "toolchain" / key() / "bin"
    try:
        if _missing(needed, bin_folder):
            bin_folder.mkdir(parents=True, exist_ok=True)
            with _lock(bin_folder.parent / "lock", report):
                from lab.toolchain import releases  # a preview starts without its HTTP client

                for leftover in bin_folder.glob(f"{PARTIAL}*"):
                    shutil.rmtree(leftover)
                releases.fetch(_missing(needed, bin_folder), bin_folder, cache, report)
                _build(_missing(needed, bin_folder), bin_folder, cache, report)
    except OSError as error:
        raise LabError(
            f"HA_IRIS_CACHE ({cache})",
            f"the cache folder cannot be used: {error.strerror or error}",
            "make room or make it writable, or set HA_IRIS_CACHE to a folder that is",
        ) from error
    return Toolchain(bin=bin_folder, pulumi=pulumi or bin_folder / "pulumi")


def _missing(names: list[str], bin_folder: Path) -> list[str]:
    return [name for name in names if not (bin_folder / name).exists()]


def _build(names: list[str], bin_folder: Path, cache: Path, report: Report) -> None:
    """Build programs, those of one module together."""
    modules: dict[str, list[str]] = {}
    for name in names:
        modules.setdefault(TOOLS[name].module_folder, []).append(name)
    if not modules:
        return
    go = golang.find(FOLDER, cache, report)
    left = sum(map(_expected, modules))
    for number, (module, members) in enumerate(modules.items(), 1):
        versions = dict.fromkeys(f"{name} {TOOLS[name].version}" for name in members)
        title = f"[{number}/{len(modules)}] Building {', '.join(versions)}"

        def tick(seconds: float, title: str = title, left: float = left) -> None:
            report(f"{title} ... {seconds:.0f} s{_outlook(left - seconds)}")

        report(f"{title} from Go modules{_outlook(left)}")
        build(
            go.executable,
            FOLDER / module,
            {TOOLS[name].package: bin_folder / name for name in members},
            " ".join(["-s", "-w", *dict.fromkeys(s for n in members for s in TOOLS[n].settings)]),
            TOOLS[members[0]].tags,
            tick,
        )
        left -= _expected(module)


def _expected(module: str) -> float:
    """Seconds that building a module is likely to take on this machine."""
    return BUILD_SECONDS[module] * 2 / min(os.cpu_count() or 1, 8)


def _outlook(seconds: float) -> str:
    if seconds < 30:
        return ""
    return f", about {round(seconds / 60) or 1} min to go in all"


def _lock(path: Path, report: Report) -> FileLock:
    """The lock on one toolchain folder, held; says so while another build has it."""
    lock = FileLock(path)
    started = time.monotonic()
    while True:
        try:
            lock.acquire(timeout=NOTICE_SECONDS)
            return lock
        except Timeout:
            waited = time.monotonic() - started
            report(f"another build of the toolchain is running, waiting ... {waited:.0f} s")


def _pulumi_on_path() -> Path | None:
    """The `pulumi` on PATH, if it is of our major version and at least the pinned one."""
    found = shutil.which("pulumi")
    if not found:
        return None
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [found, "version"], capture_output=True, text=True, timeout=20, env=env, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", answer.strip())
    pinned = [int(part) for part in TOOLS["pulumi"].version.split(".")]
    if not version or int(version[1]) != pinned[0] or [int(p) for p in version.groups()] < pinned:
        return None
    return Path(found)
