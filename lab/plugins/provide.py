"""Which provider plugins `make up` runs with: the official ones, or the lab's stand-ins.

The official ones come from Pulumi's download host, which a closed network does not reach. That is
tried once; the answer is remembered in the cache folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from lab import LabError
from lab.engine.checkpoint import holds_objects
from lab.home import LabHome, write
from lab.plugins import install
from lab.plugins.source import Source, wished
from lab.toolchain import Report, Toolchain, cache_folder

PACKAGES = ("kubernetes", "random")
"""Provider packages that a stack in the lab needs."""
DOWNLOAD_SECONDS = 120
VARIABLE = "HA_IRIS_LAB_PLUGINS"


def provide(home: LabHome, toolchain: Toolchain, report: Report) -> Source:
    """Make plugins ready for the engine and say which ones they are.

    Raises:
        LabError: the official ones are demanded and cannot be had, or the lab's objects were made
            with others than the demanded ones.
    """
    demanded = wished(VARIABLE, "provider plugins", _in_use(home))
    home.plugins.mkdir(mode=0o700, parents=True, exist_ok=True)
    shared = cache_folder() / "pulumi"
    if demanded != "stand-in" and _have_official(shared, toolchain, report, bool(demanded)):
        shutil.rmtree(home.plugins)
        _share_downloads(home, shared)
        report("Provider plugins: the official ones")
        return "official"
    if demanded == "official":
        raise LabError(
            f"{VARIABLE} (official)",
            "Pulumi's download host does not give the plugins",
            f"check the network, or `make down` and unset {VARIABLE} to use the lab's stand-ins",
        )
    for package in PACKAGES:
        install(home.plugins, package, f"lab.plugins.{package}")
    report("Provider plugins: the lab's stand-ins for kubernetes and random")
    return "stand-in"


def _have_official(shared: Path, toolchain: Toolchain, report: Report, again: bool) -> bool:
    wanted = {package: version(f"pulumi-{package}") for package in PACKAGES}
    names = ", ".join(f"{package} {number}" for package, number in wanted.items())
    answer = shared / "official-plugins"
    if not again and answer.exists():
        known, _, result = answer.read_text().partition(": ")
        if known == names:
            return result == "yes"
    report(f"Asking for the official provider plugins ({names}) ...")
    result = all(_download(shared, toolchain, *plugin) for plugin in wanted.items())
    shared.mkdir(parents=True, exist_ok=True)
    write(answer, f"{names}: {'yes' if result else 'no'}")
    return result


def _download(shared: Path, toolchain: Toolchain, package: str, number: str) -> bool:
    try:
        done = subprocess.run(
            [str(toolchain.pulumi), "plugin", "install", "resource", package, number],
            env={
                **os.environ,
                "PULUMI_HOME": str(shared),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DOWNLOAD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _share_downloads(home: LabHome, shared: Path) -> None:
    """Let the lab's own Pulumi home find the plugins in the cache folder."""
    link = home.root / "pulumi" / "plugins"
    link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if link.is_symlink() or not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(shared / "plugins")


def _in_use(home: LabHome) -> Source | None:
    """What made the objects that the lab holds."""
    if not holds_objects(home):
        return None
    return "stand-in" if home.plugins.exists() else "official"


def provided(home: LabHome) -> str | None:
    """Which plugins this lab runs with, for a person; None if it was never up."""
    if home.plugins.exists():
        return f"the lab's stand-ins for {' and '.join(PACKAGES)}"
    if (home.root / "pulumi" / "plugins").is_symlink():
        return "the official ones"
    return None
