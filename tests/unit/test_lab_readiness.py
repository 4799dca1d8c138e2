"""The lab's stand-in for the Kubernetes provider: replaces, waits and tells as the official one."""

from typing import Any

import pytest

from lab.plugins.kubernetes import why
from lab.plugins.kubernetes.changes import changed, replaces
from lab.plugins.kubernetes.cluster import Cluster, Object
from lab.plugins.kubernetes.readiness import NeverReady, missing
from lab.plugins.kubernetes.rollout import REVISION


class Holding(Cluster):
    """A cluster that holds these objects."""

    def __init__(self, *things: Object) -> None:
        self.things = things

    def get(self, thing: Object, *, must_be: bool = False) -> Object | None:
        """The object of this kind and name."""
        names = (thing["kind"], thing["metadata"]["name"])
        return next((t for t in self.things if (t["kind"], t["metadata"]["name"]) == names), None)

    def list(self, api_version: str, kind: str, namespace: str, *_: str, **__: str) -> list[Object]:
        """The objects of a kind."""
        return [thing for thing in self.things if thing["kind"] == kind]


def thing(kind: str, name: str = "iris", api: str = "apps/v1", **fields: Any) -> Object:
    """An object in namespace iris."""
    metadata = {"name": name, "namespace": "iris", "uid": name, "generation": 1}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {}, **fields}


REPLACED = {
    "StorageClass parameters": ("storage.k8s.io/v1", ("parameters", "numberOfReplicas"), True),
    "StorageClass reclaimPolicy": ("storage.k8s.io/v1", ("reclaimPolicy",), False),
    "StorageClass volumeBindingMode": ("storage.k8s.io/v1", ("volumeBindingMode",), False),
    "PriorityClass value": ("scheduling.k8s.io/v1", ("value",), False),
    "ConfigMap immutable": ("v1", ("immutable",), False),
    "ConfigMap data": ("v1", ("data", "a"), True),
    "Secret stringData": ("v1", ("stringData", "a"), True),
    "PersistentVolumeClaim storageClassName": ("v1", ("spec", "storageClassName"), True),
    "PersistentVolumeClaim volumeMode": ("v1", ("spec", "volumeMode"), False),
    "PersistentVolumeClaim storage": ("v1", ("spec", "resources", "requests", "storage"), False),
    "Service clusterIP": ("v1", ("spec", "clusterIP"), True),
    "Service type": ("v1", ("spec", "type"), False),
    "StatefulSet revisionHistoryLimit": ("apps/v1", ("spec", "revisionHistoryLimit"), True),
    "Deployment selector": ("apps/v1", ("spec", "selector", "matchLabels", "app"), True),
    "Job parallelism": ("batch/v1", ("spec", "parallelism"), True),
    "Pod image": ("v1", ("spec", "containers", 0, "image"), True),
    "Role rules": ("rbac.authorization.k8s.io/v1", ("rules",), False),
    "RoleBinding roleRef": ("rbac.authorization.k8s.io/v1", ("roleRef", "name"), True),
}


@pytest.mark.parametrize("what", REPLACED)
def test_the_same_fields_replace_an_object_as_with_the_official_provider(what):
    api, path, expected = REPLACED[what]
    kind = what.split()[0]

    assert replaces({"apiVersion": api, "kind": kind}, path) is expected


def test_another_name_is_another_object_and_a_label_is_not():
    old = {"kind": "Namespace", "metadata": {"name": "iris", "labels": {"a": "1"}}}
    new = {"kind": "Namespace", "metadata": {"name": "other", "labels": {"a": "2"}}}

    found = {path: replaces(new, path) for path, _ in changed(old, new)}

    assert found == {("metadata", "labels", "a"): False, ("metadata", "name"): True}


def deployment(revision: str = "2", **status: Any) -> Object:
    """A Deployment with one claim, as its controller reports it."""
    conditions = status.pop("conditions", {"Available": ("True", "MinimumReplicasAvailable", "")})
    conditions.setdefault("Progressing", ("True", "NewReplicaSetAvailable", ""))
    told = [
        {"type": kind, "status": value, "reason": reason, "message": message}
        for kind, (value, reason, message) in conditions.items()
    ]
    template = {
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    }
    return thing(
        "Deployment",
        metadata={"generation": 2, "annotations": {REVISION: revision}},
        spec={"replicas": 1, "selector": {"matchLabels": {"app": "iris"}}, "template": template},
        status={"observedGeneration": 2, "conditions": told, **status},
    )


def replica_set(revision: str, wanted: int, ready: int) -> Object:
    """A ReplicaSet of that Deployment."""
    return thing(
        "ReplicaSet",
        f"iris-{revision}",
        metadata={"annotations": {REVISION: revision}, "ownerReferences": [{"uid": "iris"}]},
        spec={"replicas": wanted},
        status={"replicas": ready, "readyReplicas": ready},
    )


def claim(phase: str = "Bound") -> Object:
    """The claim that the Deployment mounts."""
    return thing("PersistentVolumeClaim", "data", "v1", status={"phase": phase})


def test_a_deployment_waits_for_the_pods_of_its_last_revision():
    old, new = replica_set("1", 0, 0), replica_set("2", 1, 0)

    assert missing(deployment(), Holding(old, new, claim()))
    assert not missing(deployment(), Holding(old, replica_set("2", 1, 1), claim()))


def test_a_recreated_deployment_passes_for_ready_while_its_old_pods_end():
    # The weakness of the official provider: the new ReplicaSet is not there yet.
    scaled_down = replica_set("1", 0, 1)

    assert not missing(deployment(revision="1"), Holding(scaled_down, claim()))


def test_a_changed_deployment_is_not_looked_at_before_its_controller_has_been_there():
    stale = deployment(observedGeneration=1)

    assert missing(stale, Holding(replica_set("2", 1, 1), claim()))
    assert not missing(stale, Holding(replica_set("2", 1, 1), claim()), applied=False)


def event(kind: str, name: str, message: str) -> Object:
    """What a controller says about an object."""
    return thing(
        "Event",
        f"{name}.1",
        "v1",
        involvedObject={"kind": kind, "name": name},
        lastTimestamp="2026-11-21T12:00:00Z",
        message=message,
    )


def unready(reasons: list[str], *things: Object) -> str:
    """What is told of a Deployment that has no minimum of pods."""
    failed = (
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    conditions: dict[str, tuple[str, str, str]] = {"Available": failed}
    if reasons:
        conditions["ReplicaFailure"] = ("True", "FailedCreate", " ".join(reasons))
    return "\n".join(missing(deployment("1", conditions=conditions), Holding(*things)))


def test_a_deployment_without_enough_pods_says_what_the_official_provider_says():
    told = unready([], replica_set("1", 1, 0), claim())

    assert "[MinimumReplicasUnavailable] Deployment does not have minimum availability." in told
    assert "Minimum number of live Pods was not attained" in told


def test_a_deployment_says_which_claim_has_no_volume_and_why():
    waiting = "waiting for a volume to be created by the external provisioner 'driver.longhorn.io'"
    told = unready([], claim("Pending"), event("PersistentVolumeClaim", "data", waiting))

    assert f"PersistentVolumeClaim data is Pending: {waiting}" in told


def test_a_deployment_says_that_a_quota_or_pod_security_refuses_its_pods():
    refused = 'pods "iris-1" is forbidden: violates PodSecurity "restricted:latest"'

    assert f"[FailedCreate] {refused}" in unready([refused], claim())


POD = {
    "no node fits": (
        {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                         "message": "0/3 nodes are available: 3 Insufficient memory."}]},
        "[Pod iris/iris-1]: 0/3 nodes are available: 3 Insufficient memory.",
    ),
    "no image": (
        {"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady",
                         "message": "containers with unready status: [iris]"}],
         "containerStatuses": [{"name": "iris", "ready": False, "state": {"waiting": {
             "reason": "ImagePullBackOff", "message": 'Back-off pulling image "iris:no"'}}}]},
        "[Pod iris/iris-1]: containers with unready status: [iris] "
        '[ImagePullBackOff] Back-off pulling image "iris:no"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", POD)
def test_a_pod_that_is_not_ready_says_why(cause):
    status, expected = POD[cause]

    assert list(why.pod(thing("Pod", "iris-1", "v1", status=status))) == [expected]


def endpoints(**subset: Any) -> Object:
    """What stands behind service iris."""
    return thing("Endpoints", api="v1", subsets=[subset] if subset else None)


def service(**spec: Any) -> Object:
    """A Service named iris."""
    return thing("Service", api="v1", spec={"selector": {"app": "iris"}, **spec}, status={})


def test_a_service_is_ready_without_pods_and_not_while_one_of_them_is_not():
    address = [{"ip": "10.0.0.1"}]

    assert not missing(service(), Holding(endpoints()))
    assert not missing(service(), Holding(endpoints(addresses=address)))
    assert missing(service(), Holding(endpoints(notReadyAddresses=address)))
    assert missing(service(), Holding())
    assert not missing(service(selector=None), Holding())
    assert not missing(service(clusterIP="None"), Holding())


def test_a_load_balancer_waits_for_its_address():
    waiting = service(type="LoadBalancer")
    served = {**waiting, "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}

    assert "was not allocated an IP address" in missing(waiting, Holding(endpoints()))[0]
    assert not missing(served, Holding(endpoints()))


def test_a_claim_that_waits_for_its_first_pod_is_ready_and_a_refresh_asks_no_claim():
    bound_late = thing("StorageClass", "late", volumeBindingMode="WaitForFirstConsumer")
    at_once = thing("StorageClass", "now", volumeBindingMode="Immediate")
    pending = claim("Pending")

    pending["spec"] = {"storageClassName": "late"}
    assert not missing(pending, Holding(bound_late, at_once))
    pending["spec"] = {"storageClassName": "now"}
    assert missing(pending, Holding(bound_late, at_once))
    assert not missing(pending, Holding(bound_late, at_once), applied=False)


def test_a_stateful_set_passes_for_ready_before_its_controller_has_seen_a_change():
    # The weakness of the official provider: it does not compare the generations.
    counts = {"replicas": 1, "readyReplicas": 1, "currentReplicas": 1}
    status = {**counts, "observedGeneration": 1, "currentRevision": "a", "updateRevision": "a"}
    spec = {"replicas": 1, "selector": {}, "template": {"spec": {}}}
    changing = {**status, "updateRevision": "b"}

    assert not missing(
        thing("StatefulSet", metadata={"generation": 2}, spec=spec, status=status), Holding()
    )
    told = missing(thing("StatefulSet", spec=spec, status=changing), Holding())
    assert told[0] == 'StatefulSet controller failed to advance from revision "a" to revision "b"'


def test_a_job_that_has_failed_is_not_waited_for():
    failed = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}

    with pytest.raises(NeverReady, match="BackoffLimitExceeded"):
        missing(thing("Job", status={"conditions": [failed]}), Holding())
