"""Starts the stand-in for previews. Imports little, so that it can start before everything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent

PACKAGES = ("aws", "azure-native", "gcp", "kubernetes", "random")
"""Provider packages that the stand-in serves, as Pulumi names them."""


@contextmanager
def stand_in() -> Iterator[subprocess.Popen[str]]:
    """The stand-in, starting; it ends with this process, however that ends."""
    process = subprocess.Popen(
        [sys.executable, "-s", "-m", "lab.plugins.preview"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process


def environment(process: subprocess.Popen[str]) -> dict[str, str]:
    """What tells the engine to take this process for every provider; waits until it listens.

    The engine attaches to the port instead of looking for plugins, so nothing is downloaded.
    """
    assert process.stdout is not None
    port = int(process.stdout.readline())
    return {"PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package in PACKAGES)}
