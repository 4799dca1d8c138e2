"""Why pods are not ready, for a person who waits.

The sentences in brackets are those of pulumi-kubernetes (provider/pkg/await/checker/pod/check.go).
It passes on what containers report; what keeps a pod from a node, a claim from a volume or a
ReplicaSet from making pods it shows in passing or not at all, and this does say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab.plugins.kubernetes.cluster import Cluster, Object

UNTOLD = ("ContainerCreating", "PodInitializing")
"""Reasons of a container that waits as it should."""


def pods(thing: Object, cluster: Cluster) -> Iterator[str]:
    """What stands against the pods that a workload has, or has not."""
    namespace = thing["metadata"]["namespace"]
    for entry in conditions(thing):
        if entry["type"] == "ReplicaFailure" and entry["status"] == "True":
            yield f"[{entry.get('reason', '')}] {entry.get('message', '')}"
    volumes = thing["spec"]["template"]["spec"].get("volumes") or []
    for claim in claims(volumes, namespace, cluster):
        yield from unbound(claim, cluster)
    labels = thing["spec"]["selector"].get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    found = cluster.list("v1", "Pod", namespace, selector)
    for item in found:
        yield from pod(item)
    if not found and thing["kind"] in ("StatefulSet", "DaemonSet"):
        # Only a Deployment has a condition for it.
        yield from last_event(thing, cluster)


def claims(
    volumes: Sequence[Mapping[str, Any]], namespace: str, cluster: Cluster
) -> Iterator[Object]:
    """The claims that pods mount by name; a missing one counts as new."""
    for volume in volumes:
        if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            metadata = {"name": name, "namespace": namespace}
            thing = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
            yield cluster.get(thing) or thing


def unbound(claim: Object, cluster: Cluster) -> Iterator[str]:
    """Why a claim has no volume."""
    phase = (claim.get("status") or {}).get("phase", "missing")
    if phase != "Bound":
        events = "; ".join(last_event(claim, cluster))
        name = claim["metadata"]["name"]
        yield f"PersistentVolumeClaim {name} is {phase}" + (f": {events}" if events else "")


def pod(item: Object) -> Iterator[str]:
    """What one pod waits for."""
    name = item["metadata"]["name"]
    namespace = item["metadata"].get("namespace", "default")
    where = name if namespace == "default" else f"{namespace}/{name}"
    status = item.get("status") or {}
    found = {entry["type"]: entry for entry in status.get("conditions") or []}
    scheduled, ready = found.get("PodScheduled", {}), found.get("Ready", {})
    if scheduled.get("status") == "False":
        yield f"[Pod {where}]: {scheduled.get('message') or scheduled.get('reason', '')}"
    elif ready.get("status") != "True" and status.get("phase") != "Succeeded":
        told = [ready.get("message", ""), *containers(status)]
        if text := " ".join(filter(None, told)):
            yield f"[Pod {where}]: {text}"


def containers(status: Mapping[str, Any]) -> Iterator[str]:
    """What the containers of a pod report that are not ready."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or []:
            if container.get("ready"):
                continue
            state = container.get("state") or {}
            for how in ("waiting", "terminated"):
                entry = state.get(how) or {}
                reason = entry.get("reason", "")
                if reason and reason not in (*UNTOLD, "Completed"):
                    yield f"[{reason}] {entry.get('message', container['name'])}"


def last_event(thing: Object, cluster: Cluster) -> Iterator[str]:
    """The newest event about an object, as ``kubectl describe`` shows it last."""
    metadata = thing["metadata"]
    fields = f"involvedObject.kind={thing['kind']},involvedObject.name={metadata['name']}"
    events = cluster.list("v1", "Event", metadata["namespace"], fields=fields)
    when = [(e.get("lastTimestamp") or e.get("eventTime") or "", e["message"]) for e in events]
    if when:
        yield max(when)[1]


def conditions(thing: Object) -> list[dict[str, Any]]:
    """The conditions in an object's status."""
    return (thing.get("status") or {}).get("conditions") or []
