"""What the programs of all jobs here have in common."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from types import FrameType
from typing import Protocol

from components.in_cluster.kube import Api, ApiError

TERMINATION_LOG = Path("/dev/termination-log")


class Job(Protocol):
    """What a job knows of itself."""

    @property
    def namespace(self) -> str:
        """Of the database, and of the job."""
        ...

    @property
    def cron_job(self) -> str:
        """Name of the CronJob, and of the lease."""
        ...

    @property
    def lease_seconds(self) -> int:
        """How long the lease of a dead run holds."""
        ...

    @property
    def tick(self) -> float:
        """Seconds between two looks at what is awaited."""
        ...

    def path(self, kind: str, name: str = "") -> str:
        """Where objects of the database's namespace are."""
        ...


class Ended(BaseException):
    """The job was told to end."""


def tell(api: Api, settings: Job, reason: str, message: str, *, warning: bool = True) -> None:
    """Print it, and leave it as an Event of the CronJob."""
    print(f"{reason}: {message}", flush=True)
    moment = datetime.now(UTC)
    at = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{settings.cron_job}.{moment.timestamp():.6f}".replace(".", "-")},
        "involvedObject": {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": settings.cron_job,
            "namespace": settings.namespace,
        },
        "reason": reason,
        # An Event holds 1024 characters; the log has the rest.
        "message": shorten(message, 1000, placeholder=" ..."),
        "type": "Warning" if warning else "Normal",
        "source": {"component": settings.cron_job},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    try:
        api.create(settings.path("events"), event)
    except ApiError as error:
        print(f"no Event could be written: {error}", flush=True)


def finish(faults: list[str], well: str) -> int:
    """Say how it ended, to the log and to Kubernetes; gives the exit status."""
    for fault in faults:
        print(f"FAULT {fault}", flush=True)
    if TERMINATION_LOG.exists():
        TERMINATION_LOG.write_text("\n".join(faults) or well)
    return 1 if faults else 0


def end(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows thaws, and must not be cut short
    raise Ended
