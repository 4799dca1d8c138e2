"""A cluster for the backup program: an API server of a few lines, and a pod that plays IRIS.

Objects are kept as they are sent. A VolumeSnapshot is cut when somebody asks for it, a Backup is
uploaded when somebody asks for it, and a command in a pod runs on this machine, with the stand-in
for `iris` in its way, over the same WebSocket protocol as in a cluster.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.unit.backup_api import cut, handler

STAND_INS = Path(__file__).parents[1] / "stand_ins"
SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/namespaces/iris/volumesnapshots"
CONTENTS = "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents"
BACKUPS = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/iris/leases/iris-backup"
HERE = "/api/v1/namespaces/iris"


class PlayedIris:
    """What the stand-in for `iris` does and did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tmp").mkdir(parents=True)
        self.environment = {
            "PATH": f"{STAND_INS}:{os.environ['PATH']}",
            "IRIS_PLAYED": str(folder),
            "TMPDIR": str(folder / "tmp"),
        }

    def fails(self, how: str, content: str = "") -> None:
        """Have something go wrong; the stand-in lists what can."""
        (self.folder / how).write_text(content)

    def mended(self, how: str) -> None:
        """Have it go right again."""
        (self.folder / how).unlink()

    @property
    def frozen(self) -> bool:
        """Whether its write daemon is suspended at this moment."""
        file = self.folder / "frozen"
        try:
            return int(file.read_text() or 0) > datetime.now().timestamp()
        except FileNotFoundError:
            return False

    def moments(self) -> list[tuple[float, str]]:
        """What it was asked, each with its moment."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(float(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in lines]

    def did(self, word: str) -> int:
        """How often it was frozen, thawed or resumed."""
        return sum(what == word for _, what in self.moments())


class PlayedCluster:
    """The objects, the server, and what is to happen at which step."""

    def __init__(self, iris: PlayedIris) -> None:
        self.iris = iris
        self.objects: dict[str, Any] = {}
        self.seen: list[str] = []
        """Every request and every word to a command, in order."""
        self.steps: list[tuple[str, Callable[[], object]]] = []
        self.commands: list[subprocess.Popen[bytes]] = []
        self.connections: set[socket.socket] = set()
        self.uncut: set[str] = set()
        """Claims of which no snapshot is ever cut."""
        self.upload_ends = "Completed"
        self.upload_error = ""
        self.refused: dict[str, int] = {}
        """Status that answers requests which begin so, such as ``DELETE /apis``."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._serve()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def _serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be away: nobody listens, and every connection is cut."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):
            cut(connection)

    def start(self) -> None:
        """Be there again, with what it had."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), handler(self))
        self._server.daemon_threads = True
        self._serve()

    def at(self, step: str, action: Callable[[], object]) -> None:
        """Do something once, as the first request or word that begins so comes in."""
        self.steps.append((step, action))

    def came(self, step: str) -> None:
        """Note a step, and do what is to happen at it."""
        self.seen.append(step)
        for planned in list(self.steps):
            if step.startswith(planned[0]):
                self.steps.remove(planned)
                planned[1]()

    def put(self, path: str, item: Any) -> Any:
        """Keep an object as the API server would."""
        with self._lock:
            metadata = item.setdefault("metadata", {})
            metadata.setdefault("name", path.rsplit("/", 1)[1])
            metadata.setdefault("uid", str(uuid.uuid4()))
            now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            metadata.setdefault("creationTimestamp", now)
            metadata["resourceVersion"] = str(int(metadata.get("resourceVersion", "0")) + 1)
            self.objects[path] = item
            return item

    def pod(
        self,
        name: str,
        *,
        hostname: str = "iris",
        container: str = "iris",
        claims: tuple[str, ...],
    ) -> None:
        """A database pod that runs, and its claims."""
        volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
        running = [{"name": container, "state": {"running": {}}}]
        self.put(
            f"{HERE}/pods/{name}",
            {
                "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "iris"}},
                "spec": {
                    "hostname": hostname,
                    "containers": [{"name": container}],
                    "volumes": volumes,
                },
                "status": {"containerStatuses": running},
            },
        )
        for claim in claims:
            maker = {"volume.kubernetes.io/storage-provisioner": "driver.longhorn.io"}
            path = f"{HERE}/persistentvolumeclaims/{claim}"
            self.put(path, {"metadata": {"name": claim, "annotations": maker}})

    def items(self, path: str, selector: str = "") -> list[Any]:
        """Objects of a kind, those with the labels if some are given."""
        wanted = [part.partition("=") for part in selector.split(",") if part]
        return [
            item
            for at, item in list(self.objects.items())
            if at.rsplit("/", 1)[0] == path
            and all(
                key in (labels := item["metadata"].get("labels", {}))
                and (not equals or labels[key] == value)
                for key, equals, value in wanted
            )
        ]

    def states(self) -> dict[str, str]:
        """What each snapshot is worth, by the claim that it is of."""
        return {
            item["spec"]["source"]["persistentVolumeClaimName"]: item["metadata"]["labels"][
                "backup.ha-iris/state"
            ]
            for item in self.items(SNAPSHOTS)
        }

    def events(self) -> list[str]:
        """Reasons of the Events, in their order."""
        return [item["reason"] for item in self.items(f"{HERE}/events")]

    def look(self, path: str) -> Any:
        """An object, which has gone on by itself since."""
        item = self.objects.get(path)
        if item and path.startswith(SNAPSHOTS):
            claim = item["spec"]["source"]["persistentVolumeClaimName"]
            if claim not in self.uncut and "status" not in item:
                name = f"snapcontent-{item['metadata']['uid']}"
                handle = f"snap://pvc-{claim}/snapshot-{item['metadata']['uid']}"
                self.put(f"{CONTENTS}/{name}", {"status": {"snapshotHandle": handle}})
                item["status"] = {"boundVolumeSnapshotContentName": name}
        if item and path.startswith(BACKUPS):
            error = {"error": self.upload_error} if self.upload_error else {}
            item["status"] = {"state": self.upload_ends, **error}
        return item

    def run(self, command: list[str]) -> subprocess.Popen[bytes]:
        """A command in a pod: a process of this machine, with a group of its own."""
        process = subprocess.Popen(
            command,
            env=self.iris.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.commands.append(process)
        return process

    def end_commands(self) -> None:
        """Kill what runs in the pods, as a runtime may that lost its client."""
        for process in self.commands:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
