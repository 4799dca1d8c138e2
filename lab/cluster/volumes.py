"""Volumes: provisioned, expanded and attached.

The real ones this stands in for: external-provisioner, external-resizer, external-attacher.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.cluster import ATTACH_ANNOTATION, DRIVER
from lab.cluster.world import (
    KINDS,
    Request,
    World,
    bound_claims,
    has_power,
    in_bytes,
    is_ready,
    name_of,
    ours,
    where,
)


def provision(world: World) -> Iterator[Request]:
    """A volume for each claim that the PV controller has handed to our provisioner.

    It does so for a WaitForFirstConsumer class only once the scheduler has chosen a node.
    """
    classes = {name_of(item): item for item in world["classes"]}
    volumes = {name_of(item) for item in world["volumes"]}
    for claim in world["claims"]:
        annotations = claim["metadata"].get("annotations", {})
        name = f"pvc-{claim['metadata']['uid']}"
        storage_class = classes.get(claim["spec"].get("storageClassName", ""))
        if (
            annotations.get("volume.kubernetes.io/storage-provisioner") != DRIVER
            or claim["spec"].get("volumeName")
            or claim["metadata"].get("deletionTimestamp")
            or storage_class is None
            or name in volumes
            or not _source_ready(claim, world)
            or not _backup_ready(storage_class, world)
        ):
            continue
        yield Request(
            "POST",
            KINDS["volumes"],
            _volume(name, claim, storage_class),
            f"provision {name} for {where(claim)}",
        )


def _volume(name: str, claim: dict[str, Any], storage_class: dict[str, Any]) -> dict[str, Any]:
    parameters = storage_class.get("parameters") or {}
    fs_type = parameters.get("csi.storage.k8s.io/fstype") or parameters.get("fsType") or "ext4"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": name_of(storage_class),
            "mountOptions": storage_class.get("mountOptions") or [],
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
            "csi": {
                "driver": DRIVER,
                "fsType": fs_type,
                "volumeHandle": name,
                "volumeAttributes": parameters,
            },
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim["metadata"]["namespace"],
                "name": name_of(claim),
                "uid": claim["metadata"]["uid"],
            },
        },
    }


def _source_ready(claim: dict[str, Any], world: World) -> bool:
    """Whether what the claim shall be filled from is there (true for an empty volume)."""
    source = claim["spec"].get("dataSource")
    if source is None:
        return True
    namespace = claim["metadata"]["namespace"]
    if source["kind"] == "VolumeSnapshot":
        return any(
            name_of(item) == source["name"] and item.get("status", {}).get("readyToUse")
            for item in world["snapshots"]
            if item["metadata"]["namespace"] == namespace
        )
    return (namespace, source["name"]) in bound_claims(world)


def _backup_ready(storage_class: dict[str, Any], world: World) -> bool:
    """Whether the backup is complete that a class has its volumes filled from, if any."""
    url = (storage_class.get("parameters") or {}).get("fromBackup")
    if not url:
        return True
    return any(
        item.get("status", {}).get("state") == "Completed" and item["status"].get("url") == url
        for item in world["backups"]
    )


def expand(world: World) -> Iterator[Request]:
    """Grow a volume whose claim asks for more; the API server has checked that it may."""
    volumes = {name_of(item): item for item in world["volumes"]}
    for claim in world["claims"]:
        volume = volumes.get(claim["spec"].get("volumeName", ""))
        if claim.get("status", {}).get("phase") != "Bound" or not ours(volume):
            continue
        assert volume is not None
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        if in_bytes(wanted) > in_bytes(volume["spec"]["capacity"]["storage"]):
            yield Request(
                "PATCH",
                f"{KINDS['volumes']}/{name_of(volume)}",
                {"spec": {"capacity": {"storage": wanted}}},
                f"expand {name_of(volume)} to {wanted}",
            )
        elif in_bytes(wanted) > in_bytes(claim["status"]["capacity"]["storage"]):
            path = f"/api/v1/namespaces/{claim['metadata']['namespace']}/persistentvolumeclaims"
            yield Request(
                "PATCH",
                f"{path}/{name_of(claim)}/status",
                {"status": {"capacity": {"storage": wanted}}},
                f"{where(claim)} has {wanted}",
            )


def attach(world: World) -> Iterator[Request]:
    """Let a volume be attached to a node that lives, unless it is attached elsewhere.

    The Stage volume-attach does the rest. A volume of several writers may be on several nodes.
    """
    alive = {name_of(node) for node in world["nodes"] if has_power(node) and is_ready(node)}
    shared = {
        name_of(volume)
        for volume in world["volumes"]
        if {"ReadWriteMany", "ReadOnlyMany"} & set(volume["spec"]["accessModes"])
    }
    by_volume: dict[str, list[dict[str, Any]]] = {}
    for item in world["attachments"]:
        by_volume.setdefault(item["spec"]["source"].get("persistentVolumeName", ""), []).append(
            item
        )
    for volume, items in by_volume.items():
        for item in items:
            if (
                item["spec"]["attacher"] == DRIVER
                and not item["metadata"].get("deletionTimestamp")
                and ATTACH_ANNOTATION not in item["metadata"].get("annotations", {})
                and item["spec"]["nodeName"] in alive
                and (len(items) == 1 or volume in shared)
            ):
                yield Request(
                    "PATCH",
                    f"{KINDS['attachments']}/{name_of(item)}",
                    {"metadata": {"annotations": {ATTACH_ANNOTATION: "true"}}},
                    f"attach {volume} to {item['spec']['nodeName']}",
                )
