"""What the job is told, and what it writes on what it makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

INSTANCE = "backup.ha-iris/instance"
"""Label: host name of the IRIS that a snapshot or backup is of."""
RUN = "backup.ha-iris/run"
"""Label: moment at which the run began, UTC; the snapshots of one freeze share it."""
PARTS = "backup.ha-iris/parts"
"""Label of a backup: how many volumes that run has cut of its instance."""
STATE = "backup.ha-iris/state"
"""Label: taking, then consistent or lapsed."""
MARKER = "backup.ha-iris/marker"
"""Annotation: number and moment of the newest marker that IRIS wrote before the freeze."""
FROZEN = "backup.ha-iris/frozen-seconds"
"""Annotation: how long IRIS was frozen."""
REASON = "backup.ha-iris/reason"
"""Annotation: why a snapshot is lapsed."""

TAKING, CONSISTENT, LAPSED = "taking", "consistent", "lapsed"

LONGHORN = "longhorn-system"
DRIVER = "driver.longhorn.io"


@dataclass(frozen=True)
class Settings:
    """The job's part of a stack file, as settings.json beside this file."""

    namespace: str
    cron_job: str
    selectors: list[str]
    """Labels of the pods that run IRIS, as in app=iris,tier=data; some for each IRIS or for all."""
    instances: list[str]
    """Host name of each IRIS that there is; none: nobody knows them before."""
    container: str
    """Which container of such a pod; where none is called so, the first."""
    snapshot_class: str
    freeze_seconds: int
    """After so many seconds IRIS resumes by itself."""
    snapshot_seconds: int
    """How long snapshots may take to be cut."""
    patience: int
    """After so many seconds without a sign of life of the job, IRIS is thawed in its pod."""
    keep: int
    keep_days: int | None
    upload: bool
    upload_seconds: int
    keep_uploads: int
    keep_uploads_days: int | None
    lease_seconds: int = 60
    tick: float = 1.0
    """Seconds between two signs of life, and between two looks at what is awaited."""

    @classmethod
    def read(cls) -> Settings:
        """Those of this pod."""
        return cls(**json.loads((FOLDER / "settings.json").read_text()))

    def path(self, kind: str, name: str = "") -> str:
        """Where objects of the database's namespace are."""
        group = {
            "volumesnapshots": "/apis/snapshot.storage.k8s.io/v1",
            "leases": "/apis/coordination.k8s.io/v1",
        }.get(kind, "/api/v1")
        return f"{group}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")


def freeze_program() -> str:
    """The text of freeze.sh, without the comments that are lines: it travels in a URL."""
    lines = (FOLDER / "freeze.sh").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("#"))
