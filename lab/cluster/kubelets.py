"""The volume part of the kubelets: drivers registered, volumes reported in use and mounted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.cluster import DRIVER, MOUNTED_ANNOTATION
from lab.cluster.rhythm import Rhythm
from lab.cluster.world import (
    KINDS,
    STORAGE,
    Request,
    World,
    bound_claims,
    claims_of,
    has_power,
    in_kubelet,
    installed,
    name_of,
    now,
    ours,
    where,
)


def register(world: World) -> Iterator[Request]:
    """Longhorn's node plugin registers the driver with the kubelet; removal takes it away."""
    on = {name_of(node) for node in world["nodes"] if has_power(node)}
    for item in world["csinodes"]:
        drivers = item["spec"].get("drivers") or []
        there = any(driver["name"] == DRIVER for driver in drivers)
        if name_of(item) not in on or there == installed(world):
            continue
        others = [driver for driver in drivers if driver["name"] != DRIVER]
        ours = {"name": DRIVER, "nodeID": name_of(item), "topologyKeys": []}
        yield Request(
            "PATCH",
            f"{STORAGE}/csinodes/{name_of(item)}",
            {"spec": {"drivers": others if there else [*others, ours]}},
            f"{DRIVER} {'leaves' if there else 'registers on'} {name_of(item)}",
        )


def use(world: World, status: Rhythm) -> Iterator[Request]:
    """Each living kubelet reports which volumes its pods use (node.status.volumesInUse).

    It does so with its status, which a real one sends every ten seconds.

    The attach-detach controller does not detach a volume that is in use. What a node without
    power last reported stays, as on a crashed machine.
    """
    volumes = {name_of(item): item for item in world["volumes"]}
    bound = bound_claims(world)
    wanted: dict[str, set[str]] = {}
    for pod in world["pods"]:
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for claim in claims_of(pod):
            volume = volumes.get(bound.get(claim, ""))
            if ours(volume) and (node := pod["spec"].get("nodeName")):
                assert volume is not None
                wanted.setdefault(node, set()).add(in_kubelet(volume))
    told_now = status.beats(name_of(node) for node in world["nodes"] if has_power(node))
    for node in world["nodes"]:
        uses = sorted(wanted.get(name_of(node), set()))
        told = sorted(node.get("status", {}).get("volumesInUse") or [])
        if name_of(node) in told_now and told != uses:
            yield Request(
                "PATCH",
                f"{KINDS['nodes']}/{name_of(node)}/status",
                {"status": {"volumesInUse": uses}},
                f"{name_of(node)} uses {len(uses)} volumes",
            )


def mount(world: World) -> Iterator[Request]:
    """Mount the volumes of a pod's claims once all of them are attached to its node.

    A database waits besides until the one before it, on the same node, has stopped: that is what
    the lock in components/iris/scripts/one_instance.sh does to a container that is there already.
    The Stage pod-started goes on from there.
    """
    volumes = {name_of(item): item for item in world["volumes"]}
    nodes = {name_of(item): item for item in world["nodes"]}
    bound = bound_claims(world)
    attached = {
        (item["spec"]["source"].get("persistentVolumeName"), item["spec"]["nodeName"])
        for item in world["attachments"]
        if item.get("status", {}).get("attached") and not item["metadata"].get("deletionTimestamp")
    }
    for pod in world["pods"]:
        claims = claims_of(pod)
        node = nodes.get(pod["spec"].get("nodeName", ""))
        if (
            not claims
            or node is None
            or not has_power(node)
            or pod["metadata"].get("deletionTimestamp")
            or MOUNTED_ANNOTATION in pod["metadata"].get("annotations", {})
            or not all(claim in bound for claim in claims)
            or any(_runs_beside(other, pod) for other in world["pods"])
        ):
            continue
        needed = [volume for claim in claims if (volume := volumes.get(bound[claim]))]
        status = node.get("status", {})
        reported = {item["name"] for item in status.get("volumesAttached") or []}
        reported &= set(status.get("volumesInUse") or [])
        if len(needed) == len(claims) and all(
            (name_of(volume), name_of(node)) in attached and in_kubelet(volume) in reported
            for volume in needed
            if ours(volume)
        ):
            namespace = pod["metadata"]["namespace"]
            yield Request(
                "PATCH",
                f"/api/v1/namespaces/{namespace}/pods/{name_of(pod)}",
                {"metadata": {"annotations": {MOUNTED_ANNOTATION: now()}}},
                f"mount {len(needed)} volumes of {where(pod)} on {name_of(node)}",
            )


def _runs_beside(other: dict[str, Any], pod: dict[str, Any]) -> bool:
    """Whether another pod on the pod's node has one of its volumes and has not stopped."""
    statuses = other.get("status", {}).get("containerStatuses") or []
    return (
        other["metadata"]["uid"] != pod["metadata"]["uid"]
        and other["spec"].get("nodeName") == pod["spec"].get("nodeName")
        and any("running" in (status.get("state") or {}) for status in statuses)
        and bool(set(claims_of(other)) & set(claims_of(pod)))
    )
