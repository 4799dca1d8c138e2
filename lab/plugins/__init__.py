"""Stand-ins for Pulumi's provider plugins, where the official ones cannot be had."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from lab import REPOSITORY


def install(folder: Path, package: str, module: str) -> None:
    """Put a stand-in into a folder of PATH, under the name that the engine looks for.

    It runs in the folder that the engine gives it, as an official plugin does.
    """
    executable = folder / f"pulumi-resource-{package}"
    start = f"exec {shlex.quote(sys.executable)} -P -s -m {module}"
    executable.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(REPOSITORY))} {start} "$@"\n')
    executable.chmod(0o755)
