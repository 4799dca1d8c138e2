"""What the lab's stand-in for InterSystems' operator does next."""

import pytest

from lab.cluster.iris_operator import FINALIZER, WANTED, operate
from lab.cluster.world import KINDS
from tests.unit.iris_cluster import DEFINITION, LICENSED, MIRROR, spec


def operator(*, ready=True, fs_group="true"):
    """The pod that the stand-in's chart makes."""
    env = [{"name": "ISC_USE_IRIS_FSGROUP", "value": fs_group}]
    return {
        "metadata": {"name": "operator", "namespace": "o", "labels": {"app": "iris-operator"}},
        "spec": {"containers": [{"env": env}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def cluster(made=None, **metadata):
    """An IrisCluster that the operator has seen."""
    found = {"name": "iris", "namespace": "iris", "finalizers": [FINALIZER], **metadata}
    return {"metadata": found, "spec": made or spec(), "status": {"phase": "Creating"}}


def requests(*, pods=(), **kinds):
    """What is due in a cluster that holds these."""
    world = {name: [] for name in KINDS} | {"definitions": [DEFINITION], **kinds}
    return [*operate({**world, "pods": [*pods]})]


def bodies(kind, **world):
    """What would be made of a kind, by name."""
    found = [r.body for r in requests(pods=[world.pop("by", operator())], **world) if r.body]
    return {body["metadata"]["name"]: body for body in found if body.get("kind") == kind}


def test_the_kind_comes_with_the_operators_pod_and_not_before():
    assert requests(pods=[operator(ready=False)], definitions=[]) == []
    (request,) = requests(pods=[operator()], definitions=[])
    assert request.body == DEFINITION


def test_a_dead_operator_lets_no_iris_cluster_go():
    gone = cluster(deletionTimestamp="2026-11-21T12:00:00Z")

    assert requests(**{"iris clusters": [gone]}) == []
    (let_go,) = requests(pods=[operator()], **{"iris clusters": [gone]})
    assert let_go.body == {"metadata": {"finalizers": []}}


def test_what_it_made_goes_before_the_iris_cluster_and_claims_stay():
    gone = cluster(deletionTimestamp="2026-11-21T12:00:00Z")
    made = {"metadata": {"name": "iris-data", "namespace": "iris", "annotations": {WANTED: "x"}}}

    (request,) = requests(pods=[operator()], statefulsets=[made], **{"iris clusters": [gone]})

    assert request.method == "DELETE"
    assert request.path == "/apis/apps/v1/namespaces/iris/statefulsets/iris-data"


def test_names_are_those_that_users_of_the_real_one_have_shown():
    single = bodies("StatefulSet", **{"iris clusters": [cluster()]})
    many = {**MIRROR, "shards": 2, "compute": {"replicas": 3}}
    mirror = bodies("StatefulSet", **{"iris clusters": [cluster(spec(many, **LICENSED))]})

    (data,) = single.values()
    claims = [claim["metadata"]["name"] for claim in data["spec"]["volumeClaimTemplates"]]
    assert data["metadata"]["name"] == "iris-data"
    assert claims == ["iris-data", "iris-wij", "iris-journal1", "iris-journal2"]
    assert {name: body["spec"]["replicas"] for name, body in mirror.items()} == {
        "iris-data-0": 2,
        "iris-data-1": 2,
        "iris-compute": 3,
        "iris-arbiter": 1,
    }
    services = bodies("Service", **{"iris clusters": [cluster()]})
    assert services.keys() == {"iris", "iris-svc"}


@pytest.mark.parametrize(("fs_group", "by_root"), [("true", False), ("false", True)])
def test_without_use_iris_fs_group_a_container_of_roots_prepares_the_volumes(fs_group, by_root):
    by = operator(fs_group=fs_group)
    (data,) = bodies("StatefulSet", by=by, **{"iris clusters": [cluster()]}).values()

    pod = data["spec"]["template"]["spec"]
    assert [one["securityContext"]["runAsUser"] for one in pod.get("initContainers", [])] == (
        [0] if by_root else []
    )


def test_a_change_reaches_the_pods_and_leaves_the_claims_as_they_are():
    (made,) = bodies("StatefulSet", **{"iris clusters": [cluster()]}).values()
    live = {**made, "spec": {**made["spec"]}}
    changed = cluster(spec(cpu=5))

    found = requests(pods=[operator()], statefulsets=[live], **{"iris clusters": [changed]})
    (patch,) = [one for one in found if one.method == "PATCH" and one.path.endswith("iris-data")]

    assert patch.body
    container = patch.body["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"]["cpu"] == "5"
    assert "volumeClaimTemplates" not in patch.body["spec"]


def test_an_iris_cluster_that_is_as_wanted_is_left_alone():
    world = {"iris clusters": [cluster()]}
    sets = [*bodies("StatefulSet", **world).values()]
    services = [*bodies("Service", **world).values()]
    for one in sets:
        one["status"] = {"readyReplicas": one["spec"]["replicas"]}

    found = requests(pods=[operator()], statefulsets=sets, services=services, **world)

    assert [request.body for request in found] == [{"status": {"phase": "Running"}}]
