"""Snapshots of volumes, as external-snapshotter has them taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lab.cluster import DRIVER
from lab.cluster.world import (
    KINDS,
    SNAPSHOT,
    Request,
    World,
    bound_claims,
    in_bytes,
    name_of,
    now,
    ours,
    where,
)


def snapshot(world: World) -> Iterator[Request]:
    """Take the VolumeSnapshots of our class, and drop what a deleted one leaves under Delete."""
    classes = {name_of(c): c for c in world["snapshot classes"] if c["driver"] == DRIVER}
    contents = {name_of(item): item for item in world["contents"]}
    bound = bound_claims(world)
    volumes = {name_of(item): item for item in world["volumes"]}
    alive = {item["metadata"]["uid"] for item in world["snapshots"]}
    for item in world["snapshots"]:
        if item.get("status", {}).get("readyToUse") or item["metadata"].get("deletionTimestamp"):
            continue
        if named := item["spec"]["source"].get("volumeSnapshotContentName"):
            yield from _bind(item, contents.get(named))
            continue
        claim = item["spec"]["source"].get("persistentVolumeClaimName")
        volume = volumes.get(bound.get((item["metadata"]["namespace"], claim or ""), ""))
        class_ = classes.get(item["spec"].get("volumeSnapshotClassName", ""))
        name = f"snapcontent-{item['metadata']['uid']}"
        if class_ is None or not ours(volume):
            continue
        assert volume is not None
        if name not in contents:
            yield Request("POST", KINDS["contents"], _content(name, item, volume, class_), name)
            continue
        size = volume["spec"]["capacity"]["storage"]
        handle = f"snap://{name_of(volume)}/snapshot-{item['metadata']['uid']}"
        taken = {"readyToUse": True, "restoreSize": in_bytes(size), "snapshotHandle": handle}
        yield Request(
            "PATCH",
            f"{KINDS['contents']}/{name}/status",
            {"status": taken | {"creationTime": int(datetime.now(UTC).timestamp() * 10**9)}},
            f"snapshot of {name_of(volume)} is taken",
        )
        ready = {"readyToUse": True, "restoreSize": size, "boundVolumeSnapshotContentName": name}
        path = f"{SNAPSHOT}/namespaces/{item['metadata']['namespace']}/volumesnapshots"
        yield Request(
            "PATCH",
            f"{path}/{name_of(item)}/status",
            {"status": ready | {"creationTime": now()}},
            f"{where(item)} is ready to use",
        )
    for name, item in contents.items():
        if (
            item["spec"]["driver"] == DRIVER
            and item["spec"]["deletionPolicy"] == "Delete"
            and not item["metadata"].get("deletionTimestamp")
            and item["spec"]["volumeSnapshotRef"].get("uid") not in alive
        ):
            yield Request("DELETE", f"{KINDS['contents']}/{name}", None, f"delete {name}")


def _bind(item: dict[str, Any], content: dict[str, Any] | None) -> Iterator[Request]:
    """Two objects that somebody made for a snapshot that is there already."""
    if content is None or content["spec"]["driver"] != DRIVER:
        return
    handle = content["spec"]["source"].get("snapshotHandle")
    if not content.get("status", {}).get("readyToUse"):
        yield Request(
            "PATCH",
            f"{KINDS['contents']}/{name_of(content)}/status",
            {"status": {"readyToUse": True, "snapshotHandle": handle}},
            f"{name_of(content)} is {handle}",
        )
        return
    ready = {"readyToUse": True, "boundVolumeSnapshotContentName": name_of(content)}
    path = f"{SNAPSHOT}/namespaces/{item['metadata']['namespace']}/volumesnapshots"
    yield Request(
        "PATCH", f"{path}/{name_of(item)}/status", {"status": ready}, f"{where(item)} is bound"
    )


def _content(
    name: str, item: dict[str, Any], volume: dict[str, Any], class_: dict[str, Any]
) -> dict[str, Any]:
    return {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshotContent",
        "metadata": {"name": name},
        "spec": {
            "deletionPolicy": class_["deletionPolicy"],
            "driver": DRIVER,
            "source": {"volumeHandle": volume["spec"]["csi"]["volumeHandle"]},
            "volumeSnapshotClassName": name_of(class_),
            "volumeSnapshotRef": {
                "apiVersion": "snapshot.storage.k8s.io/v1",
                "kind": "VolumeSnapshot",
                "namespace": item["metadata"]["namespace"],
                "name": name_of(item),
                "uid": item["metadata"]["uid"],
            },
        },
    }
