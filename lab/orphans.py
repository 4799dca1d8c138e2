"""What a killed `up` leaves running: the Pulumi CLI, provider plugins, and Helm under these."""

from __future__ import annotations

import contextlib
import os

import psutil

from lab.home import LabHome

MARK = "HA_IRIS_LAB_ENGINE"
"""Environment variable that the engine gives to all that it starts: the folder of the lab."""


def find(home: LabHome) -> list[psutil.Process]:
    """Processes that an engine of this lab has started."""
    found = []
    for process in psutil.process_iter():
        # Those of other users, and those that end at this moment, do not tell.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(home.root) and process.pid != os.getpid():
                found.append(process)
    return found


def end(home: LabHome) -> None:
    """End them. Only the holder of the lab's lock may: no engine has a living owner then.

    What they leave half done stands in the stack's state, and the next operation clears it.
    """
    for _ in range(3):  # one that is being started while we look is met by the next look
        left = find(home)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if not left:
            return
        psutil.wait_procs(left, timeout=5)
