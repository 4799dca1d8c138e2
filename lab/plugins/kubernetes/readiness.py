"""When an object is ready, in the sense of pulumi-kubernetes, and what it waits for until then.

Source: provider/pkg/await/awaiters.go and the awaiters beside it, and what the Python SDK 4.34.2
says about each kind, read on 2026-11-21. A kind that is not here is ready at once, there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.plugins.kubernetes import rollout, why
from lab.plugins.kubernetes.cluster import Cluster, Object

LIMIT_SECONDS = {"PersistentVolumeClaim": 300, "PersistentVolume": 300, "ResourceQuota": 60}
"""Kinds that are given less than ten minutes, whatever else is said."""
AFTER_CHANGES_ONLY = ("PersistentVolumeClaim", "PersistentVolume", "ResourceQuota")
"""Kinds whose readiness a refresh does not look at."""


class NeverReady(Exception):
    """Waiting is of no use; says why."""


def missing(thing: Object, cluster: Cluster, *, applied: bool = True) -> list[str]:
    """What the object still waits for; empty once it is ready.

    ``applied``: it has just been created or changed; a refresh asks without.

    Raises:
        NeverReady: it has failed for good.
    """
    if not applied and thing["kind"] in AFTER_CHANGES_ONLY:
        return []
    status = thing.get("status") or {}
    match thing["kind"]:
        case "Deployment":
            waits = [*rollout.deployment(thing, cluster, applied=applied)]
        case "StatefulSet":
            waits = [*rollout.stateful_set(thing)]
        case "DaemonSet":
            waits = [*rollout.daemon_set(thing)]
        case "PersistentVolumeClaim" if not _bound(thing, status, cluster):
            return [*why.unbound(thing, cluster)]
        case "PersistentVolume" if status.get("phase") not in ("Available", "Bound"):
            return [f"the volume is {status.get('phase', 'new')}, neither Available nor Bound"]
        case "ResourceQuota" if status.get("hard") != thing["spec"].get("hard"):
            return ["its controller has not taken over the quota"]
        case "Pod":
            return _pod(thing)
        case "Job":
            return _job(thing, status)
        case "Service":
            return [*_service(thing, status, cluster)]
        case "Ingress":
            return [*_ingress(thing, status, cluster)]
        case _:
            return []
    return [*waits, *why.pods(thing, cluster)] if waits else []


def _bound(claim: Object, status: Mapping[str, Any], cluster: Cluster) -> bool:
    """A claim that waits for its first pod is as far as it can be."""
    if status.get("phase") == "Bound":
        return True
    metadata = {"name": claim["spec"].get("storageClassName") or ""}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}
    found = cluster.get(kind) if metadata["name"] else None
    waits = found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"
    return waits and status.get("phase") == "Pending"


def _pod(thing: Object) -> list[str]:
    status = thing.get("status") or {}
    ready = _condition(thing, "Ready") == "True" and status.get("phase") == "Running"
    if ready or status.get("phase") == "Succeeded":
        return []
    return [*why.pod(thing)] or ["the pod is not ready"]


def _job(thing: Object, status: Mapping[str, Any]) -> list[str]:
    if _condition(thing, "Failed") == "True":
        told = [e.get("message", "") for e in why.conditions(thing) if e["type"] == "Failed"]
        raise NeverReady(f"the job has failed: {' '.join(told)}")
    done = status.get("startTime") and _condition(thing, "Complete") == "True"
    return [] if done else ["the job has not completed"]


def _service(thing: Object, status: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    spec = thing["spec"]
    if spec.get("type") == "LoadBalancer" and not status.get("loadBalancer", {}).get("ingress"):
        yield "Service was not allocated an IP address; does your cloud provider support this?"
    headless = spec.get("clusterIP") == "None"
    if headless or not spec.get("selector") or spec.get("type") == "ExternalName":
        return
    endpoints = _endpoints(thing["metadata"], cluster)
    if endpoints is None:
        yield "its endpoints are not there yet"
    elif any(subset.get("notReadyAddresses") for subset in endpoints.get("subsets") or []):
        yield "some of the pods behind it are not ready"


def _ingress(thing: Object, status: Mapping[str, Any], cluster: Cluster) -> Iterator[str]:
    for rule in thing["spec"].get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            name = (path["backend"].get("service") or {}).get("name")
            place = {"name": name, "namespace": thing["metadata"]["namespace"]}
            kind = {"apiVersion": "v1", "kind": "Service", "metadata": place}
            service = cluster.get(kind) if name else None
            outside = service is not None and service["spec"].get("type") == "ExternalName"
            if name and not outside and _endpoints(place, cluster) is None:
                yield f"no endpoints of service {name} for path {path.get('path', '/')}"
    if not (status.get("loadBalancer") or {}).get("ingress"):
        yield "no entry in .status.loadBalancer.ingress"


def _endpoints(metadata: Mapping[str, Any], cluster: Cluster) -> Object | None:
    place = {"name": metadata["name"], "namespace": metadata["namespace"]}
    return cluster.get({"apiVersion": "v1", "kind": "Endpoints", "metadata": place})


def _condition(thing: Object, kind: str) -> str:
    return next((e["status"] for e in why.conditions(thing) if e["type"] == kind), "Unknown")
