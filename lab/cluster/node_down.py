"""What longhorn-manager does for the pods of a node that is down, in the order of version 1.12.1.

`handlePodDeletionIfNodeDown` frees the volume of a pod that is being deleted at once, and removes
the pod itself on a later look, once its grace has passed. It looks when the pod has changed and,
as every informer, each 30 seconds again, in each of the managers that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lab.cluster.rhythm import Rhythm
from lab.cluster.world import (
    KINDS,
    Request,
    World,
    bound_claims,
    claims_of,
    is_ready,
    name_of,
    ours,
    where,
)

RESYNC_SECONDS = 30
"""Resync period of longhorn-manager's informers (util/client/client.go)."""

SETTING = "node-down-pod-deletion-policy"
OWNERS = {
    "do-nothing": (),
    "delete-statefulset-pod": ("StatefulSet",),
    "delete-deployment-pod": ("ReplicaSet",),
    "delete-both-statefulset-and-deployment-pod": ("StatefulSet", "ReplicaSet"),
}
"""Whose pods each policy is for."""


class NodeDown:
    """The managers of a lab's Longhorn, and what each has seen of the pods."""

    def __init__(self, resync: Rhythm | None = None) -> None:
        self.resync = resync or Rhythm(RESYNC_SECONDS)
        self._seen: dict[str, str] = {}

    def free(self, world: World) -> Iterator[Request]:
        """Free the volumes of pods that are being deleted on nodes that are not Ready."""
        up = {name_of(node) for node in world["nodes"] if is_ready(node)}
        looked = self.resync.beats(up)
        owners = OWNERS[_policy(world)]
        volumes = {name_of(item): item for item in world["volumes"]}
        bound = bound_claims(world)
        seen, self._seen = self._seen, {}
        for pod in world["pods"]:
            version = pod["metadata"]["resourceVersion"]
            self._seen[pod["metadata"]["uid"]] = version
            node = pod["spec"].get("nodeName")
            ends = pod["metadata"].get("deletionTimestamp")
            if not (ends and node and node not in up and _owned_by(pod, owners)):
                continue
            if not (looked or seen.get(pod["metadata"]["uid"]) != version):
                continue
            held = {bound.get(claim, "") for claim in claims_of(pod)}
            held = {volume for volume in held if ours(volumes.get(volume))}
            attached = [
                item
                for item in world["attachments"]
                if item["spec"]["nodeName"] == node
                and item["spec"]["source"].get("persistentVolumeName") in held
            ]
            for item in attached:
                if not item["metadata"].get("deletionTimestamp"):
                    path = f"{KINDS['attachments']}/{name_of(item)}"
                    yield Request("DELETE", path, None, f"free the volume of {where(pod)}")
            if held and not attached and datetime.fromisoformat(ends) <= datetime.now(UTC):
                path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{name_of(pod)}"
                now = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
                yield Request("DELETE", path, now, f"remove {where(pod)}, whose node is down")


def _policy(world: World) -> str:
    for setting in world["settings"]:
        if name_of(setting) == SETTING:
            return setting["value"]
    return "do-nothing"


def _owned_by(pod: dict[str, Any], kinds: tuple[str, ...]) -> bool:
    return any(owner["kind"] in kinds for owner in pod["metadata"].get("ownerReferences", []))
