"""Snapshots of a stopped database: the way back from an upgrade."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from components.iris.upgrade.steps import Change, Cluster, Refused
from components.kubernetes_api import Api

SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/namespaces/{}/volumesnapshots"
SNAPSHOT_SECONDS = 300
TAKEN = "ha-iris/taken-before"
"""Label by which a person finds what upgrades have left."""

Object = Mapping[str, Any]


async def snapshot(cluster: Cluster, change: Change, snapshot_class: str, *, replicas: int) -> None:
    """Take a snapshot of each volume of the workload, and wait until it can be used.

    Raises:
        Refused: there is none in time, with what the snapshot says.
    """
    workload = await cluster.ask(lambda api: api.get(change.workload))
    path = SNAPSHOTS.format(change.namespace)
    for claim in claims(workload, replicas):
        name = await _taken(cluster, path, snapshot_of(claim, change, snapshot_class))
        cluster.tell(
            f"snapshot {change.namespace}/{name} is the way back; delete it when all is well"
        )


async def _taken(cluster: Cluster, path: str, wanted: Object) -> str:
    """Name of a snapshot, once it can be used."""
    name, said = wanted["metadata"]["name"], ""

    def usable(api: Api) -> bool | None:
        nonlocal said
        status = (api.get(f"{path}/{name}") or {}).get("status") or {}
        said = (status.get("error") or {}).get("message") or said
        return True if status.get("readyToUse") else None

    await cluster.ask(lambda api: api.post(path, wanted))
    if not await cluster.until(usable, SNAPSHOT_SECONDS):
        told = f": {said}" if said else ""
        raise Refused(f"the snapshot {name} was not ready within {SNAPSHOT_SECONDS} s{told}")
    return name


def snapshot_of(claim: str, change: Change, snapshot_class: str) -> dict[str, Any]:
    """A VolumeSnapshot that says what it was taken before."""
    now = datetime.now(UTC)
    # A name that can be told apart at a glance, within the 63 letters of a label.
    return {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": {
            "name": f"{claim[:40].rstrip('-')}-upgrade-{now:%Y%m%d%H%M%S}",
            "labels": {"app.kubernetes.io/part-of": "ha-iris", TAKEN: "upgrade"},
            "annotations": {
                "ha-iris/image-before": change.before,
                "ha-iris/image-after": change.after,
            },
        },
        "spec": {
            "volumeSnapshotClassName": snapshot_class,
            "source": {"persistentVolumeClaimName": claim},
        },
    }


def claims(workload: Object, replicas: int) -> list[str]:
    """Names of the claims that so many pods of a Deployment or StatefulSet use."""
    spec = workload["spec"]
    named = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in spec["template"]["spec"].get("volumes") or []
        if volume.get("persistentVolumeClaim")
    ]
    return named + [
        f"{template['metadata']['name']}-{workload['metadata']['name']}-{ordinal}"
        for ordinal in range(replicas)
        for template in spec.get("volumeClaimTemplates") or []
    ]
