"""When pulumi-kubernetes takes a rollout for done, its weaknesses included.

From provider/pkg/await/deployment.go, statefulset.go and daemonset.go of pulumi-kubernetes, and
the documentation of those kinds in its Python SDK 4.34.2, read on 2026-11-21:

- A Deployment is asked whether the ReplicaSet of its present revision is ready. With the strategy
  Recreate that is for a moment the old one, which has just been scaled to none and lacks none.
- A StatefulSet is not asked whether its controller has seen the last change: until it has, the
  old pods stand for the new ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.plugins.kubernetes import why
from lab.plugins.kubernetes.cluster import Cluster, Object

REVISION = "deployment.kubernetes.io/revision"
NOT_LIVE = "Minimum number of live Pods was not attained"


def deployment(thing: Object, cluster: Cluster, *, applied: bool) -> Iterator[str]:
    """What a Deployment still waits for; ``applied``: after a change, not in a refresh."""
    status = thing.get("status") or {}
    if applied and status.get("observedGeneration") != thing["metadata"]["generation"]:
        yield "its controller has not seen the last change"
        return
    revision = _revision(thing)
    found = {entry["type"]: entry for entry in status.get("conditions") or []}
    available, progressing = found.get("Available", {}), found.get("Progressing", {})
    if available.get("status") != "True" or not revision:
        yield from _told(available, progressing)
        yield NOT_LIVE
    elif revision != "1" and not (
        progressing.get("status") == "True"
        and progressing.get("reason") == "NewReplicaSetAvailable"
    ):
        yield from _told(progressing)
        yield "Minimum number of Pods to consider the application live was not attained"
    elif not _filled(thing, revision, cluster):
        yield (
            "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not "
            "become live"
        )
    elif names := _unbound(thing, cluster):
        yield f'Failed to bind PersistentVolumeClaim(s): "{",".join(names)}"'


def stateful_set(thing: Object) -> Iterator[str]:
    """What a StatefulSet still waits for."""
    status = thing.get("status") or {}
    wanted = thing["spec"].get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    counts = [status.get("replicas", 0), ready]
    strategy = (thing["spec"].get("updateStrategy") or {}).get("type")
    on_delete = thing["metadata"]["generation"] > 1 and strategy == "OnDelete"
    if not on_delete:
        counts.append(status.get("currentReplicas", 0))
    if any(count != wanted for count in counts):
        yield f"{ready} out of {wanted} replicas succeeded readiness checks"
    current, target = status.get("currentRevision", ""), status.get("updateRevision", "")
    if not on_delete and (not current or current != target):
        yield (
            f'StatefulSet controller failed to advance from revision "{current}" to revision '
            f'"{target}"'
        )


def daemon_set(thing: Object) -> Iterator[str]:
    """What a DaemonSet still waits for, as kstatus of Kubernetes' cli-utils computes it."""
    status = thing.get("status") or {}
    if status.get("observedGeneration") != thing["metadata"]["generation"]:
        yield "its controller has not seen the last change"
        return
    wanted = status.get("desiredNumberScheduled", 0)
    counts = {
        "scheduled": "currentNumberScheduled",
        "of the last version": "updatedNumberScheduled",
        "available": "numberAvailable",
        "ready": "numberReady",
    }
    for what, field in counts.items():
        if status.get(field, 0) < wanted:
            yield f"{status.get(field, 0)} of {wanted} pods are {what}"


def _revision(thing: Object) -> str:
    return (thing["metadata"].get("annotations") or {}).get(REVISION, "")


def _filled(thing: Object, revision: str, cluster: Cluster) -> bool:
    """Whether the ReplicaSet of a revision has as many ready pods as it is to have now."""
    uid, namespace = thing["metadata"]["uid"], thing["metadata"]["namespace"]
    for item in cluster.list("apps/v1", "ReplicaSet", namespace):
        owners = item["metadata"].get("ownerReferences") or []
        if any(owner["uid"] == uid for owner in owners) and _revision(item) == revision:
            ready = (item.get("status") or {}).get("readyReplicas", 0)
            return ready >= item["spec"].get("replicas", 1)
    return False


def _unbound(thing: Object, cluster: Cluster) -> list[str]:
    volumes = thing["spec"]["template"]["spec"].get("volumes") or []
    found = why.claims(volumes, thing["metadata"]["namespace"], cluster)
    # A claim that does not exist is none that the official provider sees.
    return [
        claim["metadata"]["name"]
        for claim in found
        if "status" in claim and claim["status"].get("phase") != "Bound"
    ]


def _told(*found: dict[str, str]) -> Iterator[str]:
    for entry in found:
        if entry.get("status") not in (None, "True") and entry.get("message"):
            yield f"[{entry.get('reason', '')}] {entry['message']}"
