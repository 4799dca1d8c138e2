"""The rehearsal's program as its job runs it, beside a database of which there are backups."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.backup.carried import REHEARSAL
from lab.laid_out import lay_out
from tests.unit.backup_cluster import BACKUPS, HERE, PlayedCluster, PlayedIris
from tests.unit.backup_job import Backup

ROOM = "/api/v1/namespaces/iris-rehearsal"
ROOM_SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/namespaces/iris-rehearsal/volumesnapshots"
CRON_JOB = "/apis/batch/v1/namespaces/iris/cronjobs/iris-rehearsal"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
STORE = "s3://bucket@region/"

SETTINGS: dict[str, Any] = {
    "namespace": "iris",
    "room": "iris-rehearsal",
    "cron_job": "iris-rehearsal",
    "instances": ["iris"],
    "old_seconds": 2 * 24 * 3600,
    "from_store": False,
    "volumes": {"iris-data": "data", "iris-journal": "journal"},
    "storage_class": "iris-rehearsal",
    "class_parameters": {"numberOfReplicas": "1"},
    "pod": {
        "containers": [{"name": "iris"}],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "copy"}},
            {"name": "journal", "persistentVolumeClaim": {"claimName": "copy"}},
            {"name": "merge", "secret": {"secretName": "merge"}},
        ],
    },
    "seconds": 20,
    "lease_seconds": 1,
    "tick": 0.05,
}


class ClusterWithRoom(PlayedCluster):
    """One in which pods of the rehearsal become ready, and a store says where its backups are."""

    pods_become = "Running"

    def look(self, path: str) -> Any:
        item = super().look(path)
        if item and path.startswith(f"{ROOM}/pods"):
            ready = "True" if self.pods_become == "Running" else "False"
            conditions = [{"type": "Ready", "status": ready}]
            item["status"] = {"phase": self.pods_become, "conditions": conditions}
        if item and path.startswith(BACKUPS):
            url = f"{STORE}?backup={item['metadata']['name']}&volume=pvc-1"
            item["status"] |= {"url": url, "volumeSize": str(40 * 2**30)}
        return item

    def made(self) -> list[str]:
        """What a rehearsal has made and not removed."""
        kinds = (f"{ROOM}/", ROOM_SNAPSHOTS, CLASSES)
        contents = "/volumesnapshotcontents/iris-rehearsal"
        return [path for path in self.objects if path.startswith(kinds) or contents in path]


class Rehearsal:
    """A cluster in which a database runs and was backed up, and the program of the rehearsal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = ClusterWithRoom(PlayedIris(folder / "iris"))
        self.iris = self.cluster.iris
        self.backup = Backup(folder, self.cluster)
        self.settings = dict(SETTINGS)
        for claim in ("iris-data", "iris-journal"):
            item = self.cluster.objects[f"{HERE}/persistentvolumeclaims/{claim}"]
            item["status"] = {"capacity": {"storage": "40Gi"}}
        self.cluster.put(CRON_JOB, {})

    def start(self) -> subprocess.Popen[str]:
        """Begin a run."""
        carried = self.folder / "rehearsing"
        lay_out(REHEARSAL.volume("program"), REHEARSAL.data(self.settings), carried)
        return subprocess.Popen(
            [sys.executable, "-m", f"{REHEARSAL.package}.rehearsal"],
            cwd=carried,
            env={
                "HA_IRIS_API": self.cluster.url,
                "HA_IRIS_ACCOUNT": str(self.folder),
                "HOSTNAME": "rehearsal-1",
                "PATH": os.environ["PATH"],
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> tuple[int, str]:
        """A run to its end: its status, and what it printed."""
        with self.start() as process:
            printed, _ = process.communicate(timeout=60)
        return process.returncode, printed

    def results(self, path: str) -> dict[str, str]:
        """What the snapshots or backups say of their rehearsal, by name."""
        return {
            item["metadata"]["name"]: item["metadata"]["labels"]["rehearsal.ha-iris/result"]
            for item in self.cluster.items(path)
            if "rehearsal.ha-iris/result" in item["metadata"]["labels"]
        }

    def told(self) -> dict[str, str]:
        """What the CronJob says of the last rehearsal."""
        return self.cluster.objects[CRON_JOB]["metadata"].get("annotations", {})


@contextmanager
def played_rehearsal(folder: Path) -> Iterator[Rehearsal]:
    """All of it in a folder; what runs ends with it."""
    rehearsal = Rehearsal(folder)
    try:
        yield rehearsal
    finally:
        rehearsal.cluster.stop()
        rehearsal.cluster.end_commands()
