"""Starts the stand-in for previews. Imports little, so that it can start before everything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from lab import REPOSITORY, LabError

PACKAGES = ("aws", "azure-native", "gcp", "kubernetes", "random")
"""Provider packages that the stand-in serves, as Pulumi names them."""


class StandIn:
    """The stand-in's process, which may still be starting."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @cached_property
    def _port(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LabError(
                "lab.preview.stand_in", "it ended before it listened", "the reason is above"
            )
        return int(line)

    def environment(self) -> dict[str, str]:
        """What tells the engine to take it for every provider; waits until it listens.

        The engine attaches to the port instead of looking for plugins, so nothing is downloaded.

        Raises:
            LabError: it does not start.
        """
        served = [f"{package}:{self._port}" for package in PACKAGES]
        return {"PULUMI_DEBUG_PROVIDERS": ",".join(served)}


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """The stand-in, starting; it ends with this process, however that ends."""
    # Where this process is killed, the end of its standard input tells the stand-in.
    process = subprocess.Popen(
        [sys.executable, "-s", "-m", "lab.preview.stand_in"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield StandIn(process)
        finally:
            process.kill()  # it keeps nothing, and an orderly end would take longer
