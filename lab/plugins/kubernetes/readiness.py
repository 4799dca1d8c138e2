"""When an object is ready, in the sense of pulumi-kubernetes, and what it waits for until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.plugins.kubernetes.cluster import Cluster, Object


def missing(thing: Object, cluster: Cluster) -> list[str]:
    """What the object still waits for; empty once it is ready."""
    status = thing.get("status") or {}
    match thing["kind"]:
        case "Deployment" | "StatefulSet":
            return list(_rollout(thing, status, cluster))
        case "PersistentVolumeClaim" if status.get("phase") != "Bound":
            return [f"the claim is {status.get('phase', 'new')}, not Bound"]
        case "Namespace" if status.get("phase") != "Active":
            return [f"the namespace is {status.get('phase', 'new')}, not Active"]
        case "Pod" if _condition(thing, "Ready") != "True":
            return list(_pod(thing))
        case "Job" if _condition(thing, "Complete") != "True":
            return ["the job has not completed"]
        case "Service":
            return list(_service(thing, status, cluster))
    return []


def _rollout(thing: Object, status: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    wanted = thing["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < thing["metadata"]["generation"]:
        yield "its controller has not seen the last change"
        return
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if updated < wanted or ready < wanted or status.get("replicas", 0) > wanted:
        yield f"{ready} of {wanted} pods are ready, {updated} are of the last version"
        labels = thing["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        for pod in cluster.list("v1", "Pod", thing["metadata"]["namespace"], selector):
            yield from _pod(pod)
        for condition in status.get("conditions") or []:
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                yield condition["message"]


def _pod(pod: Object) -> Iterator[str]:
    name = pod["metadata"]["name"]
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["status"] != "True" and condition.get("message"):
            yield f"pod {name}: {condition.get('reason', '')}: {condition['message']}"
    for container in pod.get("status", {}).get("containerStatuses") or []:
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            yield f"pod {name}: {container['name']} waits: {waiting.get('reason', '')}"


def _service(thing: Object, status: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    spec = thing["spec"]
    if spec.get("type") == "LoadBalancer" and not status.get("loadBalancer", {}).get("ingress"):
        yield "no load balancer has got an address for it"
    if not spec.get("selector") or spec.get("type") == "ExternalName":
        return
    metadata = thing["metadata"]
    slices = cluster.list(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        metadata["namespace"],
        f"kubernetes.io/service-name={metadata['name']}",
    )
    if not any(endpoint for item in slices for endpoint in item.get("endpoints") or []):
        yield "no pod stands behind it"


def _condition(thing: Object, kind: str) -> str:
    conditions = (thing.get("status") or {}).get("conditions") or []
    return next((entry["status"] for entry in conditions if entry["type"] == kind), "Unknown")
