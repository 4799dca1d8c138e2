"""Backups off the cluster, made by Longhorn from snapshots that are cut already."""

from __future__ import annotations

import time
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .job import Job
from .lease import Lease
from .retention import Taken
from .settings import CONSISTENT, INSTANCE, LONGHORN, MARKER, PARTS, RUN, STATE, Settings
from .snapshots import Outcome, by_run

PATH = f"/apis/longhorn.io/v1beta2/namespaces/{LONGHORN}/backups"


def upload(api: Api, settings: Settings, outcome: Outcome, lease: Lease, *, run: str) -> list[str]:
    """Have each snapshot uploaded and wait for the end; gives what went wrong."""
    try:
        names = [_begin(api, settings, outcome, snapshot, run) for snapshot in outcome.handles]
    except (ApiError, ValueError) as error:
        return [f"the upload could not be begun: {error}"]
    faults = []
    deadline = time.monotonic() + settings.upload_seconds
    while names:
        try:
            states = {name: api.get(f"{PATH}/{name}").get("status") or {} for name in names}
        except ApiError as error:
            if error.status not in (0, 429, 500, 502, 503, 504):
                return [f"the upload cannot be followed: {error}"]
            states = {}
        for name, status in states.items():
            if status.get("state") in ("Error", "Unknown"):
                faults.append(f"backup {name}: {status.get('error') or status['state']}")
        names = [n for n in names if states.get(n, {}).get("state") not in DONE]
        if names and time.monotonic() > deadline:
            return [*faults, f"not uploaded within {settings.upload_seconds} s: {', '.join(names)}"]
        lease.renew()
        if names:
            time.sleep(5 * settings.tick)
    return faults


DONE = ("Completed", "Error", "Unknown")


def _begin(api: Api, settings: Settings, outcome: Outcome, snapshot: str, run: str) -> str:
    """Ask Longhorn for a backup of one snapshot; gives its name."""
    kind, volume, name = _parts(outcome.handles[snapshot])
    if kind != "snap":
        raise ValueError(f"{snapshot} is a {kind} and no snapshot inside Longhorn")
    parts = str(len(outcome.handles))
    labels = {INSTANCE: outcome.instance, RUN: run, STATE: CONSISTENT, PARTS: parts}
    backup = f"{settings.namespace}-{snapshot}"
    api.create(
        PATH,
        {
            "apiVersion": "longhorn.io/v1beta2",
            "kind": "Backup",
            "metadata": {"name": backup, "labels": {"backup-volume": volume, **labels}},
            # These labels go into the store and come back with it in another cluster.
            "spec": {
                "snapshotName": name,
                "labels": {**labels, MARKER: outcome.marker, "namespace": settings.namespace},
            },
        },
    )
    return backup


def _parts(handle: str) -> tuple[str, str, str]:
    """Kind, volume and name in a handle such as snap://pvc-1/snapshot-2 (Longhorn 1.12.1)."""
    kind, found, rest = handle.partition("://")
    volume, slash, name = rest.partition("/")
    if not (found and slash):
        raise ValueError(f"{handle} is no handle of Longhorn's")
    return kind, volume, name


def uploaded(api: Api, settings: Job) -> dict[Taken, list[str]]:
    """The runs of this database that this cluster has uploaded, with the names of their backups."""
    found = [
        item
        for item in api.get(PATH, labelSelector=RUN)["items"]
        # A name tells too little: iris-two-... may be of namespace iris, and of iris-two.
        if _is_of(settings.namespace, (item.get("spec") or {}).get("labels"))
    ]
    return by_run(found, good=lambda item: _state(item) == "Completed", busy=_is_busy)


def listed_anew(api: Api, settings: Job) -> list[str]:
    """Names of frozen backups of such a database that Longhorn has found in the store.

    Their labels came back in the status alone. Retention keeps off them: the cluster that has put
    them there may live, and rely on them.
    """
    return [
        item["metadata"]["name"]
        for item in api.get(PATH)["items"]
        if RUN not in (item["metadata"].get("labels") or {})
        and RUN in (told := (item.get("status") or {}).get("labels") or {})
        and _is_of(settings.namespace, told)
    ]


def _is_of(namespace: str, labels: dict[str, str] | None) -> bool:
    return (labels or {}).get("namespace") == namespace


def _state(item: dict[str, Any]) -> str:
    return (item.get("status") or {}).get("state", "")


def _is_busy(item: dict[str, Any]) -> bool:
    return _state(item) not in DONE
