"""What the lab's stand-in for Longhorn's volumes does: bind, move, retain, snapshot, grow."""

from __future__ import annotations

import time

import pytest

from lab.cluster.control_plane import ControlPlane
from tests.lab.cluster import get, workload
from tests.lab.waiting import eventually


def test_a_deployment_with_a_claim_becomes_ready_behind_its_service(control_plane: ControlPlane):
    workload(control_plane, "ready", "Retain", "WaitForFirstConsumer")

    control_plane.kubectl("-n", "ready", "rollout", "status", "deploy/iris", "--timeout=20s")

    slices = get(control_plane, "-n", "ready", "endpointslices")["items"]
    assert [e["conditions"]["ready"] for s in slices for e in s["endpoints"]] == [True]
    service = get(control_plane, "-n", "ready", "service", "iris")
    assert service["status"]["loadBalancer"]["ingress"][0]["ip"] == "127.0.0.1"
    pod = get(control_plane, "-n", "ready", "pods")["items"][0]
    node = get(control_plane, "node", pod["spec"]["nodeName"])
    assert len(node["status"]["volumesInUse"]) == len(node["status"]["volumesAttached"]) == 1


@pytest.mark.parametrize(("policy", "left"), [("Retain", ["Released"]), ("Delete", [])])
def test_a_volume_outlives_its_claim_only_if_its_class_retains_it(
    control_plane: ControlPlane, policy: str, left: list[str]
):
    name = f"reclaim-{policy.lower()}"
    workload(control_plane, name, policy)
    control_plane.kubectl("-n", name, "rollout", "status", "deploy/iris", "--timeout=20s")
    (volume,) = volumes(control_plane, name)
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == policy

    control_plane.kubectl("delete", "namespace", name, "--timeout=30s")

    eventually(
        lambda: [v["status"]["phase"] for v in volumes(control_plane, name)] == left, seconds=30
    )
    time.sleep(2)  # a wrong deletion would come now
    assert [v["status"]["phase"] for v in volumes(control_plane, name)] == left


def volumes(plane: ControlPlane, storage_class: str) -> list[dict]:
    found = get(plane, "persistentvolumes")["items"]
    return [v for v in found if v["spec"]["storageClassName"] == storage_class]


def test_a_deleted_database_pod_comes_back_with_the_same_volume(control_plane: ControlPlane):
    workload(control_plane, "again", "Retain")
    control_plane.kubectl("-n", "again", "rollout", "status", "deploy/iris", "--timeout=20s")
    (volume,) = volumes(control_plane, "again")

    control_plane.kubectl("-n", "again", "delete", "pods", "--all", "--timeout=20s")
    control_plane.kubectl("-n", "again", "rollout", "status", "deploy/iris", "--timeout=30s")

    assert [v["metadata"]["name"] for v in volumes(control_plane, "again")] == [
        volume["metadata"]["name"]
    ]


def test_a_snapshot_becomes_ready_and_fills_a_new_claim(control_plane: ControlPlane):
    workload(control_plane, "snapshots", "Delete")
    control_plane.kubectl("-n", "snapshots", "rollout", "status", "deploy/iris", "--timeout=20s")
    control_plane.kubectl(
        "apply",
        "-f",
        "-",
        stdin="""
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshotClass
metadata: {name: snapshots}
driver: driver.longhorn.io
deletionPolicy: Delete
parameters: {type: snap}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: restored, namespace: snapshots}
spec:
  storageClassName: snapshots
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 10Gi}}
  dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: nightly}
---
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: nightly, namespace: snapshots}
spec: {volumeSnapshotClassName: snapshots, source: {persistentVolumeClaimName: data}}
""",
    )
    ready = ("-n", "snapshots", "wait", "--timeout=20s")
    control_plane.kubectl(*ready, "--for=jsonpath={.status.readyToUse}=true", "vs/nightly")
    control_plane.kubectl(*ready, "--for=jsonpath={.status.phase}=Bound", "pvc/restored")

    control_plane.kubectl("-n", "snapshots", "delete", "volumesnapshot", "nightly")

    eventually(lambda: get(control_plane, "volumesnapshotcontents")["items"] == [], seconds=15)


def test_a_claim_grows_with_its_request(control_plane: ControlPlane):
    workload(control_plane, "grow", "Delete")
    control_plane.kubectl("-n", "grow", "rollout", "status", "deploy/iris", "--timeout=20s")

    more = '{"spec":{"resources":{"requests":{"storage":"20Gi"}}}}'
    control_plane.kubectl("-n", "grow", "patch", "pvc", "data", "-p", more)

    bound = ("-n", "grow", "pvc", "data")
    eventually(
        lambda: get(control_plane, *bound)["status"]["capacity"]["storage"] == "20Gi", seconds=15
    )
