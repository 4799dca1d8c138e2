"""What Longhorn's CSI driver and the kubelets do next, as a function of what the cluster holds.

The real ones this stands in for: external-provisioner, external-attacher, external-resizer,
external-snapshotter, the kubelet's plugin registration and volume manager. Nothing happens before
the driver's CSIDriver object exists, which Longhorn's chart brings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lab.cluster import ATTACH_ANNOTATION, DRIVER, MOUNTED_ANNOTATION, POWER_LABEL
from lab.cluster.longhorn_manager import DEFAULTS, SETTINGS, apply_defaults
from lab.cluster.requests import Request, World

_STORAGE = "/apis/storage.k8s.io/v1"
_SNAPSHOT = "/apis/snapshot.storage.k8s.io/v1"
KINDS = {
    "pods": "/api/v1/pods",
    "nodes": "/api/v1/nodes",
    "claims": "/api/v1/persistentvolumeclaims",
    "volumes": "/api/v1/persistentvolumes",
    "classes": f"{_STORAGE}/storageclasses",
    "attachments": f"{_STORAGE}/volumeattachments",
    "drivers": f"{_STORAGE}/csidrivers",
    "csinodes": f"{_STORAGE}/csinodes",
    "snapshots": f"{_SNAPSHOT}/volumesnapshots",
    "contents": f"{_SNAPSHOT}/volumesnapshotcontents",
    "snapshot classes": f"{_SNAPSHOT}/volumesnapshotclasses",
    "settings": SETTINGS,
    "defaults": DEFAULTS,
}
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def due(world: World) -> Iterator[Request]:
    """Everything that is due now; empty once the cluster has settled."""
    yield from register(world)
    yield from apply_defaults(world)
    if _installed(world):
        yield from provision(world)
        yield from expand(world)
        yield from attach(world)
        yield from snapshot(world)
    yield from use(world)
    yield from mount(world)


def register(world: World) -> Iterator[Request]:
    """Longhorn's node plugin registers the driver with the kubelet; removal takes it away."""
    on = {_name(node) for node in world["nodes"] if _has_power(node)}
    for item in world["csinodes"]:
        drivers = item["spec"].get("drivers") or []
        there = any(driver["name"] == DRIVER for driver in drivers)
        if _name(item) not in on or there == _installed(world):
            continue
        others = [driver for driver in drivers if driver["name"] != DRIVER]
        ours = {"name": DRIVER, "nodeID": _name(item), "topologyKeys": []}
        yield Request(
            "PATCH",
            f"{_STORAGE}/csinodes/{_name(item)}",
            {"spec": {"drivers": others if there else [*others, ours]}},
            f"{DRIVER} {'leaves' if there else 'registers on'} {_name(item)}",
        )


def provision(world: World) -> Iterator[Request]:
    """A volume for each claim that the PV controller has handed to our provisioner.

    It does so for a WaitForFirstConsumer class only once the scheduler has chosen a node.
    """
    classes = {_name(item): item for item in world["classes"]}
    volumes = {_name(item) for item in world["volumes"]}
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
        ):
            continue
        yield Request(
            "POST",
            KINDS["volumes"],
            _volume(name, claim, storage_class),
            f"provision {name} for {_where(claim)}",
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
            "storageClassName": _name(storage_class),
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
                "name": _name(claim),
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
            _name(item) == source["name"] and item.get("status", {}).get("readyToUse")
            for item in world["snapshots"]
            if item["metadata"]["namespace"] == namespace
        )
    return (namespace, source["name"]) in _bound(world)


def expand(world: World) -> Iterator[Request]:
    """Grow a volume whose claim asks for more; the API server has checked that it may."""
    volumes = {_name(item): item for item in world["volumes"]}
    for claim in world["claims"]:
        volume = volumes.get(claim["spec"].get("volumeName", ""))
        if claim.get("status", {}).get("phase") != "Bound" or not _ours(volume):
            continue
        assert volume is not None
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        if _bytes(wanted) > _bytes(volume["spec"]["capacity"]["storage"]):
            yield Request(
                "PATCH",
                f"{KINDS['volumes']}/{_name(volume)}",
                {"spec": {"capacity": {"storage": wanted}}},
                f"expand {_name(volume)} to {wanted}",
            )
        elif _bytes(wanted) > _bytes(claim["status"]["capacity"]["storage"]):
            path = f"/api/v1/namespaces/{claim['metadata']['namespace']}/persistentvolumeclaims"
            yield Request(
                "PATCH",
                f"{path}/{_name(claim)}/status",
                {"status": {"capacity": {"storage": wanted}}},
                f"{_where(claim)} has {wanted}",
            )


def attach(world: World) -> Iterator[Request]:
    """Let a volume be attached to a node that lives, unless it is attached elsewhere.

    The Stage volume-attach does the rest. A volume of several writers may be on several nodes.
    """
    alive = {_name(node) for node in world["nodes"] if _has_power(node) and _is_ready(node)}
    shared = {
        _name(volume)
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
                    f"{KINDS['attachments']}/{_name(item)}",
                    {"metadata": {"annotations": {ATTACH_ANNOTATION: "true"}}},
                    f"attach {volume} to {item['spec']['nodeName']}",
                )


def use(world: World) -> Iterator[Request]:
    """Each living kubelet reports which volumes its pods use (node.status.volumesInUse).

    The attach-detach controller does not detach a volume that is in use. What a node without
    power last reported stays, as on a crashed machine.
    """
    volumes = {_name(item): item for item in world["volumes"]}
    bound = _bound(world)
    wanted: dict[str, set[str]] = {}
    for pod in world["pods"]:
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for claim in _claims(pod):
            volume = volumes.get(bound.get(claim, ""))
            if _ours(volume) and (node := pod["spec"].get("nodeName")):
                assert volume is not None
                wanted.setdefault(node, set()).add(_in_kubelet(volume))
    for node in world["nodes"]:
        uses = sorted(wanted.get(_name(node), set()))
        if _has_power(node) and sorted(node.get("status", {}).get("volumesInUse") or []) != uses:
            yield Request(
                "PATCH",
                f"{KINDS['nodes']}/{_name(node)}/status",
                {"status": {"volumesInUse": uses}},
                f"{_name(node)} uses {len(uses)} volumes",
            )


def mount(world: World) -> Iterator[Request]:
    """Mount the volumes of a pod's claims once all of them are attached to its node.

    The Stage pod-started goes on from there.
    """
    volumes = {_name(item): item for item in world["volumes"]}
    nodes = {_name(item): item for item in world["nodes"]}
    bound = _bound(world)
    attached = {
        (item["spec"]["source"].get("persistentVolumeName"), item["spec"]["nodeName"])
        for item in world["attachments"]
        if item.get("status", {}).get("attached") and not item["metadata"].get("deletionTimestamp")
    }
    for pod in world["pods"]:
        claims = _claims(pod)
        node = nodes.get(pod["spec"].get("nodeName", ""))
        if (
            not claims
            or node is None
            or not _has_power(node)
            or pod["metadata"].get("deletionTimestamp")
            or MOUNTED_ANNOTATION in pod["metadata"].get("annotations", {})
            or not all(claim in bound for claim in claims)
        ):
            continue
        needed = [volume for claim in claims if (volume := volumes.get(bound[claim]))]
        status = node.get("status", {})
        reported = {item["name"] for item in status.get("volumesAttached") or []}
        reported &= set(status.get("volumesInUse") or [])
        if len(needed) == len(claims) and all(
            (_name(volume), _name(node)) in attached and _in_kubelet(volume) in reported
            for volume in needed
            if _ours(volume)
        ):
            namespace = pod["metadata"]["namespace"]
            yield Request(
                "PATCH",
                f"/api/v1/namespaces/{namespace}/pods/{_name(pod)}",
                {"metadata": {"annotations": {MOUNTED_ANNOTATION: _now()}}},
                f"mount {len(needed)} volumes of {_where(pod)} on {_name(node)}",
            )


def snapshot(world: World) -> Iterator[Request]:
    """Take the VolumeSnapshots of our class, and drop what a deleted one leaves under Delete."""
    classes = {_name(c): c for c in world["snapshot classes"] if c["driver"] == DRIVER}
    contents = {_name(item): item for item in world["contents"]}
    bound = _bound(world)
    volumes = {_name(item): item for item in world["volumes"]}
    alive = {item["metadata"]["uid"] for item in world["snapshots"]}
    for item in world["snapshots"]:
        if item.get("status", {}).get("readyToUse") or item["metadata"].get("deletionTimestamp"):
            continue
        claim = item["spec"]["source"].get("persistentVolumeClaimName")
        volume = volumes.get(bound.get((item["metadata"]["namespace"], claim or ""), ""))
        class_ = classes.get(item["spec"].get("volumeSnapshotClassName", ""))
        name = f"snapcontent-{item['metadata']['uid']}"
        if class_ is None or not _ours(volume):
            continue
        assert volume is not None
        if name not in contents:
            yield Request("POST", KINDS["contents"], _content(name, item, volume, class_), name)
            continue
        size = volume["spec"]["capacity"]["storage"]
        handle = f"snap://{_name(volume)}/snapshot-{item['metadata']['uid']}"
        taken = {"readyToUse": True, "restoreSize": _bytes(size), "snapshotHandle": handle}
        yield Request(
            "PATCH",
            f"{KINDS['contents']}/{name}/status",
            {"status": taken | {"creationTime": int(datetime.now(UTC).timestamp() * 10**9)}},
            f"snapshot of {_name(volume)} is taken",
        )
        ready = {"readyToUse": True, "restoreSize": size, "boundVolumeSnapshotContentName": name}
        path = f"{_SNAPSHOT}/namespaces/{item['metadata']['namespace']}/volumesnapshots"
        yield Request(
            "PATCH",
            f"{path}/{_name(item)}/status",
            {"status": ready | {"creationTime": _now()}},
            f"{_where(item)} is ready to use",
        )
    for name, item in contents.items():
        if (
            item["spec"]["driver"] == DRIVER
            and item["spec"]["deletionPolicy"] == "Delete"
            and not item["metadata"].get("deletionTimestamp")
            and item["spec"]["volumeSnapshotRef"].get("uid") not in alive
        ):
            yield Request("DELETE", f"{KINDS['contents']}/{name}", None, f"delete {name}")


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
            "volumeSnapshotClassName": _name(class_),
            "volumeSnapshotRef": {
                "apiVersion": "snapshot.storage.k8s.io/v1",
                "kind": "VolumeSnapshot",
                "namespace": item["metadata"]["namespace"],
                "name": _name(item),
                "uid": item["metadata"]["uid"],
            },
        },
    }


def _installed(world: World) -> bool:
    return any(_name(item) == DRIVER for item in world["drivers"])


def _bound(world: World) -> dict[tuple[str, str], str]:
    """Volume name of every bound claim, by namespace and name."""
    return {
        (claim["metadata"]["namespace"], _name(claim)): claim["spec"]["volumeName"]
        for claim in world["claims"]
        if claim.get("status", {}).get("phase") == "Bound"
    }


def _claims(pod: dict[str, Any]) -> list[tuple[str, str]]:
    """Namespace and name of the claims that the pod mounts, those of ephemeral volumes too."""
    namespace = pod["metadata"]["namespace"]
    found = []
    for volume in pod["spec"].get("volumes", []):
        if "persistentVolumeClaim" in volume:
            found.append((namespace, volume["persistentVolumeClaim"]["claimName"]))
        elif "ephemeral" in volume:
            found.append((namespace, f"{_name(pod)}-{volume['name']}"))
    return found


def _ours(volume: dict[str, Any] | None) -> bool:
    return volume is not None and volume["spec"].get("csi", {}).get("driver") == DRIVER


def _in_kubelet(volume: dict[str, Any]) -> str:
    """Name under which kubelet and attach-detach controller know the volume."""
    return f"kubernetes.io/csi/{DRIVER}^{volume['spec']['csi']['volumeHandle']}"


def _has_power(node: dict[str, Any]) -> bool:
    return node["metadata"].get("labels", {}).get(POWER_LABEL) == "on"


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _bytes(quantity: str) -> int:
    """A storage quantity such as 20Gi, in bytes."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]|[KMGT]i)?", quantity)
    if not parts:
        raise ValueError(f"{quantity} is no storage quantity")
    return int(float(parts[1]) * _UNITS[parts[2] or ""])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _name(item: dict[str, Any]) -> str:
    return item["metadata"]["name"]


def _where(item: dict[str, Any]) -> str:
    return f"{item['metadata']['namespace']}/{_name(item)}"
