"""The volume part of the kubelets: drivers registered, volumes reported in use and mounted."""

from __future__ import annotations

from collections.abc import Iterator

from lab.cluster import DRIVER, MOUNTED_ANNOTATION
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


def use(world: World) -> Iterator[Request]:
    """Each living kubelet reports which volumes its pods use (node.status.volumesInUse).

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
    for node in world["nodes"]:
        uses = sorted(wanted.get(name_of(node), set()))
        if has_power(node) and sorted(node.get("status", {}).get("volumesInUse") or []) != uses:
            yield Request(
                "PATCH",
                f"{KINDS['nodes']}/{name_of(node)}/status",
                {"status": {"volumesInUse": uses}},
                f"{name_of(node)} uses {len(uses)} volumes",
            )


def mount(world: World) -> Iterator[Request]:
    """Mount the volumes of a pod's claims once all of them are attached to its node.

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
