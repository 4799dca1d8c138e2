"""Processes of a machine, and its clock."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


def uptime() -> float:
    """Seconds since the machine started, as /proc/uptime says it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def killed(process: int) -> bool:
    """Whether a process is gone, or will never come back from the kernel."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    pending = int(fields["SigPnd"], 16) | int(fields["ShdPnd"], 16)
    return fields["State"][0] in "ZX" or bool(pending >> (signal.SIGKILL - 1) & 1)


def send(process: int, number: int) -> None:
    """Send a signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def run(*command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True, capture_output=True)
