"""A copy of one backup, and IRIS on it: made, asked, and removed again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.in_cluster.exec import start
from components.in_cluster.kube import Api, ApiError

from .rehearsal_settings import RehearsalSettings, check_program
from .settings import DRIVER

POD = "rehearsal"
SNAPSHOTS = "snapshot.storage.k8s.io"
CONTENTS = f"/apis/{SNAPSHOTS}/v1/volumesnapshotcontents"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


class NotProven(Exception):
    """The backup is not shown to be good, for the reason that the message gives."""


@dataclass(frozen=True)
class Source:
    """One volume of a backup."""

    claim: str
    """The claim that it was cut from."""
    size: str
    """Size of the volume, as a quantity."""
    handle: str = ""
    """Longhorn's name of the snapshot, where it is one inside Longhorn."""
    url: str = ""
    """Of the backup in the store, where it is one."""


class Clone:
    """IRIS on copies of these sources, in a namespace of its own, while this is entered."""

    def __init__(
        self,
        api: Api,
        settings: RehearsalSettings,
        sources: list[Source],
        tick: Callable[[], None],
        *,
        hostname: str,
    ) -> None:
        self._api = api
        self._hostname = hostname
        self._settings = settings
        self._sources = sources
        self._tick = tick
        self._deadline = time.monotonic() + settings.seconds

    def __enter__(self) -> Clone:
        remove(self._api, self._settings, self._tick)
        try:
            claims = {}
            for number, source in enumerate(self._sources):
                claims[self._volume_of(source)] = self._copy(number, source)
            self._start(claims)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            remove(self._api, self._settings, self._tick)
        except (ApiError, NotProven) as error:
            print(f"not all is removed, which the next rehearsal does first: {error}", flush=True)

    def ask(self) -> tuple[bool, str, list[str]]:
        """Whether the databases are whole, the newest marker, and what IRIS said besides.

        Raises:
            NotProven: IRIS does not start, or does not answer.
        """
        self._await_ready()
        left = max(60, int(self._deadline - time.monotonic()))
        path = self._settings.path("pods", POD, room=True)
        command = ["bash", "-c", check_program(), "rehearse", str(left)]
        session = start(self._api, path, container="iris", command=command)
        answers: dict[str, str] = {}
        said: list[str] = []
        try:
            while time.monotonic() < self._deadline:
                line = session.line(20)
                self._tick()
                if (line is None and session.ended) or line == "done":
                    break
                first, _, rest = (line or "").partition(" ")
                if first in ("integrity", "marker"):
                    answers[first] = rest.strip()
                elif line and line != "busy":
                    said.append(line)
        finally:
            session.close()
        if "integrity" not in answers or "marker" not in answers:
            raise NotProven(
                f"IRIS gave no answer: {' '.join(said)[-400:] or session.errors.strip()}"
            )
        return answers["integrity"] == "whole", answers["marker"], said

    def _volume_of(self, source: Source) -> str:
        """Which volume of the pod a copy is: with one, that one, whatever its claim was called."""
        volumes = self._settings.volumes
        if len(self._sources) == 1 and len(volumes) == 1:
            return next(iter(volumes.values()))
        if source.claim not in volumes:
            raise NotProven(f"nobody knows which volume of IRIS claim {source.claim} was")
        return volumes[source.claim]

    def _copy(self, number: int, source: Source) -> str:
        """A claim that is filled from a source; gives its name."""
        settings, name = self._settings, f"{POD}-{number}"
        wide = f"{settings.room}-{number}"
        spec: dict[str, Any] = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": settings.storage_class,
            "resources": {"requests": {"storage": source.size}},
        }
        if source.url:
            self._api.create(
                CLASSES,
                {
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "StorageClass",
                    "metadata": {"name": wide},
                    "provisioner": DRIVER,
                    "reclaimPolicy": "Delete",
                    "volumeBindingMode": "WaitForFirstConsumer",
                    "parameters": {**settings.class_parameters, "fromBackup": source.url},
                },
            )
            spec["storageClassName"] = wide
        else:
            self._api.create(CONTENTS, _content(wide, name, source.handle, settings.room))
            snapshot = {
                "apiVersion": f"{SNAPSHOTS}/v1",
                "kind": "VolumeSnapshot",
                "metadata": {"name": name},
                "spec": {"source": {"volumeSnapshotContentName": wide}},
            }
            self._api.create(settings.path("volumesnapshots", room=True), snapshot)
            spec["dataSource"] = {"apiGroup": SNAPSHOTS, "kind": "VolumeSnapshot", "name": name}
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            # Its volume is none that anybody should upload (docs/backup-store.md, Upkeep).
            "metadata": {"name": name, "labels": LEFT_ALONE},
            "spec": spec,
        }
        self._api.create(settings.path("persistentvolumeclaims", room=True), claim)
        return name

    def _start(self, claims: dict[str, str]) -> None:
        wanted = set(self._settings.volumes.values())
        if missing := ", ".join(sorted(wanted - claims.keys())):
            raise NotProven(
                f"the backup has no part for the volume {missing}, which is newer than it is; the "
                "next one has"
            )
        # The name that the lock files on the volume have.
        spec = {**self._settings.pod, "hostname": self._hostname}
        spec["volumes"] = [
            {**volume, "persistentVolumeClaim": {"claimName": claims[volume["name"]]}}
            if volume["name"] in claims
            else volume
            for volume in spec["volumes"]
        ]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": POD, "labels": {"app.kubernetes.io/name": "iris-rehearsal"}},
            "spec": spec,
        }
        self._api.create(self._settings.path("pods", room=True), pod)

    def _await_ready(self) -> None:
        path, why = self._settings.path("pods", POD, room=True), ""
        while time.monotonic() < self._deadline:
            status = self._api.get(path).get("status") or {}
            told = {one["type"]: one for one in status.get("conditions") or []}
            if told.get("Ready", {}).get("status") == "True":
                return
            if status.get("phase") in ("Failed", "Succeeded"):
                raise NotProven("IRIS ended on the copy before it was ready")
            why = told.get("PodScheduled", {}).get("message", "") or status.get("phase", "")
            self._tick()
            time.sleep(self._settings.tick)
        raise NotProven(f"IRIS was not ready within {self._settings.seconds} s: {why}")


LEFT_ALONE = {
    "recurring-job.longhorn.io/source": "enabled",
    "recurring-job-group.longhorn.io/none": "enabled",
}


def remove(api: Api, settings: RehearsalSettings, tick: Callable[[], None]) -> None:
    """Remove all that a rehearsal makes, whoever left it, and wait until the volumes are let go.

    Raises:
        NotProven: something does not go.
    """
    api.delete(settings.path("pods", POD, room=True))
    _await_gone(api, settings.path("pods", POD, room=True), settings, tick)
    for number in range(len(settings.volumes)):
        name, wide = f"{POD}-{number}", f"{settings.room}-{number}"
        api.delete(settings.path("persistentvolumeclaims", name, room=True))
        _await_gone(api, settings.path("persistentvolumeclaims", name, room=True), settings, tick)
        api.delete(settings.path("volumesnapshots", name, room=True))
        api.delete(f"{CONTENTS}/{wide}")
        if settings.from_store:
            api.delete(f"{CLASSES}/{wide}")


def _await_gone(api: Api, path: str, settings: RehearsalSettings, tick: Callable[[], None]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            api.get(path)
        except ApiError as error:
            if error.status == 404:
                return
            raise
        tick()
        time.sleep(settings.tick)
    raise NotProven(f"{path.rsplit('/', 1)[1]} does not go")


def _content(wide: str, name: str, handle: str, room: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{SNAPSHOTS}/v1",
        "kind": "VolumeSnapshotContent",
        "metadata": {"name": wide},
        "spec": {
            # Whoever deletes this leaves the snapshot.
            "deletionPolicy": "Retain",
            "driver": DRIVER,
            "source": {"snapshotHandle": handle},
            "volumeSnapshotRef": {"name": name, "namespace": room},
        },
    }
