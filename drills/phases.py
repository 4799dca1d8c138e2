"""Where the seconds went: what the cluster did, one phase after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NAMES = (
    "noticed",
    "evicted",
    "fenced",
    "detached",
    "attached",
    "started",
    "ready",
    "routed",
)
"""The phases in their usual order. Fenced only happens where something fences."""

FENCE = "fencing.ha-iris/fence"
"""Annotation of a node from the moment at which the fencing agent has noticed that it is silent to
the end of its fence, when the node and its copies are as before."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


@dataclass(frozen=True)
class Seen:
    """One change of one object, as the API server told it."""

    at: float
    """When it was seen, seconds of the Unix clock."""
    kind: str
    """pods, nodes, attachments or endpoints."""
    gone: bool
    item: dict[str, Any]


def is_ready(item: dict[str, Any]) -> bool:
    """Whether a pod or a node has the condition Ready."""
    conditions = item.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def phases(
    seen: Iterable[Seen], *, fault: float, pod: str, nodes: frozenset[str]
) -> dict[str, float]:
    """Seconds from the fault to the end of each phase that was seen.

    Args:
        seen: every change, in the order of time.
        fault: when the fault was begun.
        pod: UID of the database's pod at that moment.
        nodes: the nodes that the fault hits.
    """
    found: dict[str, float] = {}
    heir: str | None = None
    old_volumes: set[str] = set()

    def mark(phase: str, at: float) -> None:
        found.setdefault(phase, round(at - fault, 3))

    for change in seen:
        item, meta = change.item, change.item["metadata"]
        after = change.at >= fault
        if change.kind == "pods":
            if meta["uid"] == pod:
                if after and (change.gone or meta.get("deletionTimestamp")):
                    mark("noticed", change.at)
                    mark("evicted", change.at)
                # A container that starts anew in the same pod is its own heir.
                if after and _restarted(item) and heir is None:
                    mark("noticed", change.at)
                    heir = pod
            elif after and not change.gone and heir in (None, pod) and not _ended(item):
                heir = meta["uid"]
            if after and meta["uid"] == heir and not change.gone:
                if _running(item) and (heir != pod or "noticed" in found):
                    mark("started", change.at)
                if is_ready(item) and "started" in found:
                    mark("ready", change.at)
        elif change.kind == "nodes" and meta["name"] in nodes and after:
            if not is_ready(item) or FENCE in (meta.get("annotations") or {}):
                mark("noticed", change.at)
            if any(t["key"] == OUT_OF_SERVICE for t in item["spec"].get("taints") or []):
                mark("fenced", change.at)
        elif change.kind == "attachments":
            name = meta["name"]
            if not after:
                old_volumes.add(name)
                if change.gone:
                    old_volumes.discard(name)
            elif change.gone and name in old_volumes:
                mark("detached", change.at)
            elif (
                not change.gone
                and item.get("status", {}).get("attached")
                and (name not in old_volumes or "detached" in found)
            ):
                mark("attached", change.at)
        elif change.kind == "endpoints" and "ready" in found and heir in _ready_pods(item):
            mark("routed", change.at)
    return {name: found[name] for name in NAMES if name in found}


def _restarted(pod: dict[str, Any]) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return any("terminated" in (s.get("state") or {}) for s in statuses) or any(
        (s.get("lastState") or {}).get("terminated") for s in statuses
    )


def _ended(pod: dict[str, Any]) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _running(pod: dict[str, Any]) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return any("running" in (s.get("state") or {}) for s in statuses)


def _ready_pods(slice_: dict[str, Any]) -> set[str]:
    """UIDs of the pods to which an EndpointSlice leads."""
    return {
        (endpoint.get("targetRef") or {}).get("uid", "")
        for endpoint in slice_.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready")
    }
