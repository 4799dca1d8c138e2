"""The backup program as its job runs it, against a played cluster with one IRIS on two volumes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.backup.carried import BACKUP
from lab.laid_out import lay_out
from tests.unit.backup_cluster import SNAPSHOTS, PlayedCluster, PlayedIris

SETTINGS: dict[str, Any] = {
    "namespace": "iris",
    "cron_job": "iris-backup",
    "selectors": ["app.kubernetes.io/name=iris"],
    "instances": ["iris"],
    "container": "iris",
    "snapshot_class": "longhorn-iris-snapshot",
    "freeze_seconds": 30,
    "snapshot_seconds": 5,
    "patience": 1,
    "keep": 2,
    "keep_days": None,
    "upload": True,
    "upload_seconds": 5,
    "keep_uploads": 2,
    "keep_uploads_days": None,
    "lease_seconds": 1,
    "tick": 0.05,
}


class Backup:
    """A cluster with one IRIS on two volumes, and the job's program."""

    def __init__(self, folder: Path, cluster: PlayedCluster) -> None:
        self.folder = folder
        self.cluster = cluster
        self.iris = cluster.iris
        self.settings = dict(SETTINGS)
        (folder / "token").write_text("a-token")
        cluster.pod("iris-7d4", claims=("iris-data", "iris-journal"))

    def start(self, name: str = "job-1") -> subprocess.Popen[str]:
        """Begin a run, as the container of the job's pod does."""
        while time.strftime("%Y%m%d-%H%M%S", time.gmtime()) in self._runs():  # named by its second
            time.sleep(0.02)
        lay_out(BACKUP.volume("program"), BACKUP.data(self.settings), self.folder)
        return subprocess.Popen(
            [sys.executable, "-m", BACKUP.package],
            cwd=self.folder,
            env={
                "HA_IRIS_API": self.cluster.url,
                "HA_IRIS_ACCOUNT": str(self.folder),
                "HOSTNAME": name,
                "PATH": os.environ["PATH"],
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str = "job-1") -> tuple[int, str]:
        """A run to its end: its status, and what it printed."""
        with self.start(name) as process:
            printed, _ = process.communicate(timeout=60)
        return process.returncode, printed

    def _runs(self) -> set[str]:
        taken = self.cluster.items(SNAPSHOTS)
        return {item["metadata"]["labels"]["backup.ha-iris/run"] for item in taken}

    def thawed_after(self, seconds: float) -> float:
        """Seconds until IRIS runs again, at most so many."""
        begin = time.monotonic()
        while self.iris.frozen:
            assert time.monotonic() - begin < seconds, f"frozen for more than {seconds} s"
            time.sleep(0.02)
        return time.monotonic() - begin


@contextmanager
def played_backup(folder: Path) -> Iterator[Backup]:
    """All of it in a folder; what runs ends with it."""
    cluster = PlayedCluster(PlayedIris(folder / "iris"))
    try:
        yield Backup(folder, cluster)
    finally:
        cluster.stop()
        cluster.end_commands()
