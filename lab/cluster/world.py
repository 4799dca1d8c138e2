"""How the stand-ins for Longhorn see the cluster, and what they ask of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lab.cluster import DRIVER, POWER_LABEL

NAMESPACE = "longhorn-system"
STORAGE = "/apis/storage.k8s.io/v1"
SNAPSHOT = "/apis/snapshot.storage.k8s.io/v1"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
LONGHORN = "/apis/longhorn.io/v1beta2"
KINDS = {
    "pods": "/api/v1/pods",
    "nodes": "/api/v1/nodes",
    "claims": "/api/v1/persistentvolumeclaims",
    "volumes": "/api/v1/persistentvolumes",
    "classes": f"{STORAGE}/storageclasses",
    "attachments": f"{STORAGE}/volumeattachments",
    "drivers": f"{STORAGE}/csidrivers",
    "csinodes": f"{STORAGE}/csinodes",
    "snapshots": f"{SNAPSHOT}/volumesnapshots",
    "contents": f"{SNAPSHOT}/volumesnapshotcontents",
    "snapshot classes": f"{SNAPSHOT}/volumesnapshotclasses",
    "deployments": f"{APPS}/deployments",
    "daemonsets": f"{APPS}/daemonsets",
    "settings": f"{LONGHORN}/settings",
    "backups": f"{LONGHORN}/backups",
    "backup targets": f"{LONGHORN}/backuptargets",
    "defaults": f"/api/v1/namespaces/{NAMESPACE}/configmaps",
    "definitions": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "iris clusters": "/apis/intersystems.com/v1alpha1/irisclusters",
    "statefulsets": "/apis/apps/v1/statefulsets",
    "services": "/api/v1/services",
}
"""The objects that are watched, and where they are."""

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}

World = dict[str, list[dict[str, Any]]]
"""The cluster's objects by the names of ``KINDS``."""


@dataclass(frozen=True)
class Request:
    """One write to the API server, and what it means."""

    method: str
    path: str
    body: dict[str, Any] | None
    reason: str


def installed(world: World) -> bool:
    """Whether Longhorn's CSI driver is known to the cluster."""
    return any(name_of(item) == DRIVER for item in world["drivers"])


def bound_claims(world: World) -> dict[tuple[str, str], str]:
    """Volume name of every bound claim, by namespace and name."""
    return {
        (claim["metadata"]["namespace"], name_of(claim)): claim["spec"]["volumeName"]
        for claim in world["claims"]
        if claim.get("status", {}).get("phase") == "Bound"
    }


def claims_of(pod: dict[str, Any]) -> list[tuple[str, str]]:
    """Namespace and name of the claims that the pod mounts, those of ephemeral volumes too."""
    namespace = pod["metadata"]["namespace"]
    found = []
    for volume in pod["spec"].get("volumes", []):
        if "persistentVolumeClaim" in volume:
            found.append((namespace, volume["persistentVolumeClaim"]["claimName"]))
        elif "ephemeral" in volume:
            found.append((namespace, f"{name_of(pod)}-{volume['name']}"))
    return found


def ours(volume: dict[str, Any] | None) -> bool:
    """Whether it is a volume of Longhorn's."""
    return volume is not None and volume["spec"].get("csi", {}).get("driver") == DRIVER


def in_kubelet(volume: dict[str, Any]) -> str:
    """Name under which kubelet and attach-detach controller know the volume."""
    return f"kubernetes.io/csi/{DRIVER}^{volume['spec']['csi']['volumeHandle']}"


def has_power(node: dict[str, Any]) -> bool:
    """Whether the node is one that kwok runs."""
    return node["metadata"].get("labels", {}).get(POWER_LABEL) == "on"


def is_ready(node: dict[str, Any]) -> bool:
    """Whether the node is Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def in_bytes(quantity: str) -> int:
    """A storage quantity such as 20Gi, in bytes."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]|[KMGT]i)?", quantity)
    if not parts:
        raise ValueError(f"{quantity} is no storage quantity")
    return int(float(parts[1]) * _UNITS[parts[2] or ""])


def now() -> str:
    """This moment, as Kubernetes writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def name_of(item: dict[str, Any]) -> str:
    """Name of an object."""
    return item["metadata"]["name"]


def where(item: dict[str, Any]) -> str:
    """Namespace and name of an object."""
    return f"{item['metadata']['namespace']}/{name_of(item)}"
