"""IRIS as a StatefulSet, and its way there and back, on the real engine and a real API server."""

from collections.abc import Iterator

import pytest

from lab.engine import EngineError
from tests.lab.stack import Stack, changes, exists

TWO = {"form": "statefulset", "instances": 2, "storageGib": 10, "databasesGib": 20}
CARRIED = {"form": "statefulset", "volumesOf": "deployment"}
CLAIMS = {"system-iris-0", "databases-iris-0", "system-iris-1", "databases-iris-1"}


@pytest.fixture
def protected(no_stack: Stack) -> Iterator[Stack]:
    """A stack that is to protect its data, gone after the test with all of it."""
    no_stack.groups = {"protectData": True}
    yield no_stack
    no_stack.groups = {**no_stack.groups, "protectData": False}
    no_stack.run("up")
    no_stack.run("destroy")


def claims(stack: Stack) -> dict[str, str]:
    """Identities of the bound claims of the database's namespace, by name."""
    found = stack.get("persistentvolumeclaims", "-n", "iris")["items"]
    assert {claim["status"]["phase"] for claim in found} == {"Bound"}
    return {claim["metadata"]["name"]: claim["metadata"]["uid"] for claim in found}


def mounted(stack: Stack) -> dict[str, set[str]]:
    """Claims of each running pod of the database, by name."""
    pods = stack.get("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris")["items"]
    return {
        pod["metadata"]["name"]: {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in pod["spec"]["volumes"]
            if "persistentVolumeClaim" in volume
        }
        for pod in pods
    }


def refusal(stack: Stack, capfd: pytest.CaptureFixture[str], **iris: object) -> str:
    """What a preview says that refuses these settings of the database."""
    before = stack.groups
    stack.groups = {**before, "iris": iris}
    with pytest.raises(EngineError):
        stack.run("preview")
    stack.groups = before
    told = capfd.readouterr()
    return told.out + told.err


def stop(stack: Stack, workload: str) -> None:
    """The clean stop that the page about forms begins with."""
    stack.kubectl("-n", "iris", "scale", workload, "--replicas", "0")
    pods = ("pods", "-l", "app.kubernetes.io/name=iris")
    stack.kubectl("-n", "iris", "wait", "--for", "delete", *pods, "--timeout", "60s")


def test_two_instances_run_on_claims_that_pulumi_made_and_that_outlive_them(protected, capfd):
    stack = protected
    stack.groups = {"protectData": True, "iris": TWO}

    stack.run("up")

    made = claims(stack)
    assert made.keys() == CLAIMS
    assert mounted(stack) == {
        "iris-0": {"system-iris-0", "databases-iris-0"},
        "iris-1": {"system-iris-1", "databases-iris-1"},
    }
    labels = stack.get("namespace", "iris")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    databases = stack.get("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris")["items"]
    nodes = {pod["spec"]["nodeName"] for pod in databases}
    assert len(nodes) == 2
    ready = {
        endpoint["targetRef"]["name"]: part["metadata"]["labels"]["kubernetes.io/service-name"]
        for part in stack.get("endpointslices", "-n", "iris")["items"]
        for endpoint in part["endpoints"]
        if part["metadata"]["labels"]["kubernetes.io/service-name"] != "iris-hosts"
    }
    assert ready == {"iris-0": "iris-0", "iris-1": "iris-1"}
    outputs = stack.engine.outputs(show_secrets=True)
    assert outputs["instances"]["iris-1"]["sqlEndpoint"].startswith("iris-1.iris.svc")

    # They grow in place, and nothing restarts.
    stack.groups = {"protectData": True, "iris": {**TWO, "databasesGib": 30}}
    grown = changes(stack.run("up"))
    assert grown == {"iris-databases-0": "update", "iris-databases-1": "update"}

    one = {**TWO, "databasesGib": 30, "instances": 1}
    told = refusal(stack, capfd, **one)
    assert "iris-1 goes. Pulumi refuses to delete its protected claims" in told
    with pytest.raises(EngineError):
        stack.run("destroy")
    assert claims(stack) == made
    # What the page says of fewer instances: the locks of these claims come off one by one.
    for volume in ("system", "databases"):
        (urn,) = (
            resource["urn"]
            for resource in stack.engine.resources
            if resource["urn"].endswith(f"::iris-{volume}-1")
        )
        stack.pulumi("state", "unprotect", urn, "--yes")
    stack.groups = {"protectData": True, "iris": one}
    stack.run("up")
    assert claims(stack) == made
    assert mounted(stack).keys() == {"iris-0"}


def test_another_form_takes_the_volume_along_or_is_refused(protected, capfd):
    stack = protected
    stack.run("up")
    uid = stack.claim_uid()

    assert "new and empty ones" in refusal(stack, capfd, form="statefulset")
    assert "IRIS runs in iris-" in refusal(stack, capfd, **CARRIED)
    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1

    stop(stack, "deployment/iris")
    stack.groups = {"protectData": True, "iris": CARRIED}
    stack.run("up")

    assert mounted(stack) == {"iris-0": {"iris-data"}}
    assert stack.claim_uid() == uid
    assert not exists(stack, "deployment", "iris", "-n", "iris")
    assert changes(stack.run("up")) == {}

    stop(stack, "statefulset/iris")
    stack.groups = {"protectData": True}
    stack.run("up")

    assert list(mounted(stack).values()) == [{"iris-data"}]
    assert claims(stack) == {"iris-data": uid}
    assert not exists(stack, "statefulset", "iris", "-n", "iris")
