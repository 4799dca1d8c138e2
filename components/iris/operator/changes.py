"""What must not change under an IrisCluster that holds data."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi

from components.iris.image import Image
from components.iris.image_change import EDITION, RELEASE, edition_warning, stream_warning
from components.iris.image_change import refusal as image_refusal

VOLUMES = {
    "storageDB": "iris.storageGib",
    "storageWIJ": "iris.operator.storage.wijGib",
    "storageJournal1": "iris.operator.storage.journal1Gib",
    "storageJournal2": "iris.operator.storage.journal2Gib",
}
"""Volumes of a data node, and the setting of each one's size."""


def topology_change(name: str, *, older_image_allowed: bool) -> pulumi.ResourceHookBinding:
    """A hook that refuses what would leave data behind, in previews too, and tells of a restart."""

    def check(change: pulumi.ResourceHookArgs) -> None:
        before, after = _data(change.old_inputs), _data(change.new_inputs)
        faults = refusals(before, after)
        old, new = _image(change.old_inputs), _image(change.new_inputs)
        if old and new and (fault := image_refusal(old, new, older_allowed=older_image_allowed)):
            faults.append(fault)
        if faults:
            raise ValueError("; and ".join(faults))
        if old and new and old != new:
            for warning in (edition_warning(old, new), stream_warning(old, new)):
                if warning:
                    pulumi.log.warn(warning)
        if _spec(change.old_inputs) != _spec(change.new_inputs):
            pulumi.log.info(
                "The operator starts IRIS anew where this change reaches its pods, and clients "
                "are cut off."
            )

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, check, options)])


def refusals(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Why these data nodes must not follow those; empty if they may."""
    if not before or not after:
        return []
    faults: list[str] = []
    if bool(before.get("mirrored")) != bool(after.get("mirrored")):
        faults.append(
            "ha-iris:iris.operator.mirrored changes: the operator names pods and volumes of a "
            "mirror in another way, so an empty database would start beside the one with the "
            "data; set it back, and move the data to a new stack by a backup (docs/operator.md)"
        )
    old, new = before.get("shards") or 0, after.get("shards") or 0
    if new < old or (old == 0 and new):
        faults.append(
            f"ha-iris:iris.operator.shards goes from {old} to {new}: "
            + (
                "what is on a shard is nowhere else"
                if new < old
                else "a node that is not sharded does not become the first shard of a cluster"
            )
            + "; set it back (docs/operator.md)"
        )
    for volume, setting in VOLUMES.items():
        faults += _volume(setting, before.get(volume) or {}, after.get(volume) or {})
    return faults


def _volume(setting: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = _size(before), _size(after)
    if not old or not new:
        return []
    if old != new:
        return [
            f"ha-iris:{setting} goes from {old} to {new}: a StatefulSet, as the operator makes "
            "one, keeps the sizes that it was made with; set it back, and let the claims grow as "
            "docs/operator.md says"
        ]
    one, other = before.get("storageClassName"), after.get("storageClassName")
    if one != other:
        return [
            f"the volume of ha-iris:{setting} changes its StorageClass from {one} to {other}: "
            "Kubernetes moves no volume to another class; set the class back (docs/operator.md)"
        ]
    return []


def _size(volume: Mapping[str, Any]) -> str | None:
    size = ((volume.get("resources") or {}).get("requests") or {}).get("storage")
    return size if isinstance(size, str) and re.fullmatch(r"\d+Gi", size) else None


def _spec(inputs: Mapping[str, Any] | None) -> Mapping[str, Any]:
    spec = (inputs or {}).get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _image(inputs: Mapping[str, Any] | None) -> Image | None:
    """The image of the data nodes, and what a stack file told of it."""
    name = _data(inputs).get("image")
    told = ((inputs or {}).get("metadata") or {}).get("annotations") or {}
    return Image(name, told.get(EDITION), told.get(RELEASE)) if name else None


def _data(inputs: Mapping[str, Any] | None) -> Mapping[str, Any]:
    topology = _spec(inputs).get("topology")
    data = topology.get("data") if isinstance(topology, Mapping) else None
    return data if isinstance(data, Mapping) else {}
