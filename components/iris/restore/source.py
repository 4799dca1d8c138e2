"""How Kubernetes and Longhorn are told what a volume is filled from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.restore.source_settings import HANDLE, SourceSettings

SNAPSHOTS = "snapshot.storage.k8s.io"
DRIVER = "driver.longhorn.io"


@dataclass(frozen=True)
class Filled:
    """What a claim says so that its volume is filled."""

    storage_class: str
    spec: Mapping[str, Any]
    after: list[pulumi.Resource]
    """What must be there before."""


def filled(
    name: str,
    source: SourceSettings | None,
    *,
    namespace: pulumi.Input[str],
    storage_class: str,
    class_parameters: Mapping[str, str] | None,
    reclaim_policy: str,
    is_copy: bool = False,
    owner: str = "",
    opts: pulumi.ResourceOptions,
) -> Filled:
    """Make what a source needs.

    Args:
        name: prefix of the Pulumi resources.
        source: what the volume is filled from; None: it begins empty.
        namespace: where the claim is.
        storage_class: class of an empty volume.
        class_parameters: its parameters, where this program made it.
        reclaim_policy: that of the class.
        is_copy: whether the volume goes with its claim, whatever that of the class is.
        owner: who has the volume, where several may begin with one source.
        opts: options of the resources.
    """
    if source is None:
        return Filled(storage_class, {}, [])
    made: list[pulumi.Resource] = []
    if source.backup is not None and class_parameters is None:
        raise ValueError(f"class {storage_class} is not made here, and nobody can add a backup")
    if class_parameters is not None and (source.backup is not None or is_copy):
        parameters = dict(class_parameters)
        # The one documented way to Longhorn's fromBackup for a volume of Kubernetes ("Storage
        # Class Parameters", 1.12.1). Longhorn's own name of a backup's volume, which a snapshot
        # handle would need, is another in each cluster (longhorn#10366). A claim grows only as
        # long as its class is there.
        if source.backup is not None:
            parameters["fromBackup"] = source.backup
        storage_class = f"{storage_class}-{_digest((source.backup or source.told()) + owner)}"
        if is_copy:
            storage_class, reclaim_policy = f"{storage_class}-copy", "Delete"
        own = k8s.storage.v1.StorageClass(
            f"{name}-class",
            metadata={"name": storage_class},
            provisioner=DRIVER,
            allow_volume_expansion=True,
            reclaim_policy=reclaim_policy,
            volume_binding_mode="WaitForFirstConsumer",
            parameters=parameters,
            opts=pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(
                    replace_on_changes=["reclaimPolicy"], delete_before_replace=True
                ),
            ),
        )
        made.append(own)
    if source.backup is not None:
        return Filled(storage_class, {}, made)
    if source.claim is not None:
        return Filled(
            storage_class,
            {"dataSource": {"kind": "PersistentVolumeClaim", "name": source.claim}},
            made,
        )
    assert source.snapshot is not None
    if not source.snapshot.startswith(HANDLE):
        return Filled(storage_class, _from_snapshot(source.snapshot), made)
    called = f"restore-{_digest(source.snapshot + owner)}"
    content_name = pulumi.Output.concat(namespace, f"-{called}")
    content = k8s.apiextensions.CustomResource(
        f"{name}-content",
        api_version=f"{SNAPSHOTS}/v1",
        kind="VolumeSnapshotContent",
        metadata={"name": content_name},
        spec={
            # Whoever deletes this leaves the snapshot.
            "deletionPolicy": "Retain",
            "driver": DRIVER,
            "source": {"snapshotHandle": source.snapshot},
            "volumeSnapshotRef": {"name": called, "namespace": namespace},
        },
        opts=opts,
    )
    snapshot = k8s.apiextensions.CustomResource(
        f"{name}-snapshot",
        api_version=f"{SNAPSHOTS}/v1",
        kind="VolumeSnapshot",
        metadata={"name": called, "namespace": namespace},
        spec={"source": {"volumeSnapshotContentName": content_name}},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[content])),
    )
    return Filled(storage_class, _from_snapshot(called), [*made, snapshot])


def _from_snapshot(name: str) -> dict[str, Any]:
    return {"dataSource": {"apiGroup": SNAPSHOTS, "kind": "VolumeSnapshot", "name": name}}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
