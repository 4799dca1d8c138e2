"""Longhorn's objects as its API server would give them, for a cluster of three zones."""

from typing import Any

LABEL = "cloud.example/group"


def node(name: str, group: str, *, ready: bool = True) -> dict[str, Any]:
    """A node as Kubernetes knows it."""
    return {
        "metadata": {"name": name, "labels": {LABEL: group}},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}]},
    }


def storage_node(name: str, *, ready: bool = True, disk: str | None = None) -> dict[str, Any]:
    """The same node as Longhorn knows it, with one disk."""
    healthy = [{"type": "Ready", "status": "True"}]
    return {
        "metadata": {"name": name},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "diskStatus": {
                "default": {"diskUUID": disk or f"disk-of-{name}", "conditions": healthy}
            },
        },
    }


def replica(
    name: str, node: str, *, failed: bool = False, whole: bool = True, state: str = "running"
) -> dict[str, Any]:
    """A copy of pvc-1."""
    return {
        "metadata": {"name": name},
        "spec": {
            "volumeName": "pvc-1",
            "active": True,
            "nodeID": node,
            "diskID": f"disk-of-{node}",
            "healthyAt": "2026-11-21T10:00:00Z" if whole else "",
            "failedAt": "2026-11-21T11:00:00Z" if failed else "",
        },
        "status": {"currentState": state},
    }


def engine(modes: dict[str, str], node: str, *, rebuilt: int | None = None) -> dict[str, Any]:
    """What writes to the copies of pvc-1."""
    rebuilds = {"tcp://10.0.0.9:10000": {"isRebuilding": True, "progress": rebuilt}}
    return {
        "metadata": {"name": "pvc-1-e-0"},
        "spec": {"volumeName": "pvc-1", "active": True, "nodeID": node},
        "status": {
            "replicaModeMap": modes,
            "rebuildStatus": rebuilds if rebuilt is not None else None,
        },
    }


def volume(
    robustness: str = "healthy", *, state: str = "attached", wanted: int = 3
) -> dict[str, Any]:
    """pvc-1 itself."""
    return {
        "metadata": {"name": "pvc-1"},
        "spec": {"numberOfReplicas": wanted},
        "status": {"state": state, "robustness": robustness},
    }
