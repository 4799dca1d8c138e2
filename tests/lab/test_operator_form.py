"""Form operator on the real engine, against a real API server, with a played operator.

lab/cluster/iris_operator.py plays InterSystems' operator, from what is public of it. Whether the
real one makes, waits for and lets go of the same is not seen here.
"""

import pytest

from tests.lab.stack import changes, exists
from tests.lab.waiting import eventually

CHART = "./lab/charts/iris-operator"
CLAIMS = ["iris-data", "iris-journal1", "iris-journal2", "iris-wij"]


@pytest.fixture
def operated(no_stack):
    """A stack with form operator, before its first ``up``."""
    no_stack.groups = {"iris": {"form": "operator", "operator": {"chart": CHART}}}
    return no_stack


def volume_claims(stack):
    """The volume claims of the database."""
    return stack.get("persistentvolumeclaims", "-n", "iris")["items"]


def test_it_comes_up_under_restricted_keeps_its_claims_and_goes_without_a_finalizer(operated):
    stack = operated
    # The kind is the operator's to bring, and no operator is there.
    assert not exists(stack, "crd", "irisclusters.intersystems.com")
    assert changes(stack.run("preview"))["iris-cluster"] == "create"
    stack.run("up")

    cluster = stack.get("iriscluster", "iris", "-n", "iris")
    assert cluster["metadata"]["finalizers"]
    namespace = stack.get("namespace", "iris")["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    (pod,) = stack.get("pods", "-n", "iris", "-l", "intersystems.com/name=iris")["items"]
    assert (pod["metadata"]["name"], pod["status"]["phase"]) == ("iris-data-0", "Running")
    found = {c["metadata"]["name"]: c["status"]["phase"] for c in volume_claims(stack)}
    assert found == {f"{claim}-iris-data-0": "Bound" for claim in CLAIMS}
    (piece,) = stack.get(
        "endpointslices", "-n", "iris", "-l", "kubernetes.io/service-name=iris-superserver"
    )["items"]
    assert [point["targetRef"]["name"] for point in piece["endpoints"]] == ["iris-data-0"]

    assert changes(stack.run("up")) == {}
    assert changes(stack.run("refresh")) == {}

    # A change of the pod's size restarts it on the same volumes, and `up` ends when it is ready.
    before = pod["metadata"]["uid"]
    stack.groups["iris"]["cpu"] = 1
    assert changes(stack.run("up")) == {"iris-cluster": "update"}
    (pod,) = stack.get("pods", "-n", "iris", "-l", "intersystems.com/name=iris")["items"]
    assert pod["metadata"]["uid"] != before
    assert pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "1"

    # Claims are the StatefulSet's: they outlive it, and the IrisCluster that it was made for.
    uids = {claim["metadata"]["uid"] for claim in volume_claims(stack)}
    stack.kubectl("delete", "iriscluster", "iris", "-n", "iris", "--timeout=60s")
    eventually(lambda: not exists(stack, "pods", "-n", "iris", "-l", "intersystems.com/name=iris"))
    stack.run("up", "--refresh")
    assert {claim["metadata"]["uid"] for claim in volume_claims(stack)} == uids

    stack.run("destroy")

    assert not exists(stack, "irisclusters", "--all-namespaces")
    assert not exists(stack, "namespace", "iris", "iris-operator")
    # The operator brought it, so it is in nobody's state.
    assert exists(stack, "crd", "irisclusters.intersystems.com")
