"""One command at a time in one lab: a second `up` or `down` waits for the first, and says so."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from filelock import FileLock, Timeout

from lab.home import LabHome

NOTICE_SECONDS = 15


@contextmanager
def exclusive(home: LabHome, command: str, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lab's lock, which a killed holder lets go of: it is the kernel's.

    Args:
        home: the lab; its folder is made if it is not there.
        command: what others are told about this one, such as `up`.
        report: gets a line at once and then every 15 s while another command holds the lock.

    Raises:
        LabError: the lab's folder cannot be written.
    """
    lock = FileLock(home.lock)
    started = time.monotonic()
    patience = 0
    while True:
        home.prepare()
        try:
            lock.acquire(timeout=patience)
            break
        except Timeout:
            patience = NOTICE_SECONDS
            waited = time.monotonic() - started
            at_work = holder(home) or "another command"
            report(f"{at_work} is at work in this lab, waiting for its end ... {waited:.0f} s")
        except FileNotFoundError:  # `down` has removed the folder at this moment
            continue
    try:
        home.busy.write_text(f"{os.getpid()} {command}")
        yield
    finally:
        home.busy.unlink(missing_ok=True)
        lock.release()


def holder(home: LabHome) -> str | None:
    """Which command works on the lab now, such as ``up (process 4711)``; None if none does."""
    try:
        pid, _, command = home.busy.read_text().partition(" ")
        return f"{command} (process {pid})" if psutil.pid_exists(int(pid)) else None
    except (FileNotFoundError, ValueError):
        return None
