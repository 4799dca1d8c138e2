"""What a killed `up` leaves running: the Pulumi CLI, provider plugins, and Helm under these."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import psutil

from lab.cluster.processes import await_end
from lab.home import LabHome

MARK = "HA_IRIS_LAB_ENGINE"
"""Environment variable that the engine gives to all that it starts: the folder of the lab."""
GRACE_SECONDS = 60
"""How long a Pulumi CLI may take to end by itself once its program is gone."""


def find(home: LabHome) -> list[psutil.Process]:
    """Processes that an engine of this lab has started."""
    found = []
    for process in psutil.process_iter():
        # Those of other users, and those that end at this moment, do not tell.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(home.root) and process.pid != os.getpid():
                found.append(process)
    return found


def end(home: LabHome, report: Callable[[str], None], grace: float = GRACE_SECONDS) -> None:
    """End them. Only the holder of the lab's lock may: no engine has a living owner then.

    A CLI that has lost its program finishes the steps that it has begun and notes them in the
    state: it gets `grace` seconds for that. What still runs then is killed, and what it leaves
    half done is looked for by the next operation.
    """
    left = find(home)
    engines = [p for p in left if _name(p) == "pulumi"]
    if engines and grace:
        pids = ", ".join(str(process.pid) for process in engines)
        report(f"A killed run is still coming to its end (pulumi, process {pids}), waiting ...")
        await_end(engines, grace)
    for _ in range(3):  # one that is being started while we look is met by the next look
        left = find(home)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if not left:
            return
        await_end(left, 5)


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""
