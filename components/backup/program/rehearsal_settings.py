"""What the rehearsal is told, and what it writes on what it has proven."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

REHEARSED = "rehearsal.ha-iris/result"
"""Label of a snapshot or backup, and annotation of the CronJob: passed or failed."""
AT = "rehearsal.ha-iris/at"
"""Annotation: when the rehearsal ended, UTC."""
SECONDS = "rehearsal.ha-iris/seconds"
"""Annotation: how long it took from the first object to the last answer."""
PROVEN = "rehearsal.ha-iris/proven"
"""Annotation of the CronJob: moment of the oldest backup that the last rehearsal has proven."""
WHY = "rehearsal.ha-iris/reason"
"""Annotation: why it failed."""

PASSED, FAILED = "passed", "failed"


@dataclass(frozen=True)
class RehearsalSettings:
    """The job's part of a stack file, as rehearsal.json beside this file."""

    namespace: str
    """Of the database."""
    room: str
    """The namespace in which everything is made and removed."""
    cron_job: str
    instances: list[str]
    """Host name of each IRIS that there is: backups of others are not rehearsed."""
    old_seconds: int
    """Age at which a backup is no proof of those that should have come since."""
    from_store: bool
    """Whether backups of the store are rehearsed, and not snapshots inside Longhorn."""
    volumes: dict[str, str]
    """Volume of the pod by the claim that it is a copy of."""
    storage_class: str
    """Class of a copy that is not of the store; its volumes go with their claims."""
    class_parameters: dict[str, str]
    """Parameters of such a class, for one that names a backup."""
    pod: dict[str, Any]
    """Spec of the pod that runs IRIS on the copy."""
    seconds: int
    """How long the rehearsal of one IRIS may take."""
    lease_seconds: int = 60
    tick: float = 2.0

    @classmethod
    def read(cls) -> RehearsalSettings:
        """Those of this pod."""
        return cls(**json.loads((FOLDER / "rehearsal.json").read_text()))

    def path(self, kind: str, name: str = "", *, room: bool = False) -> str:
        """Where objects of the database's namespace are, or of the rehearsal's."""
        group = {
            "volumesnapshots": "/apis/snapshot.storage.k8s.io/v1",
            "leases": "/apis/coordination.k8s.io/v1",
            "cronjobs": "/apis/batch/v1",
        }.get(kind, "/api/v1")
        namespace = self.room if room else self.namespace
        return f"{group}/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")


def check_program() -> str:
    """The text of rehearse.sh, without the comments that are lines: it travels in a URL."""
    lines = (FOLDER / "rehearse.sh").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("#"))
