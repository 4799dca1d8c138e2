"""`pulumi up` waits for the operator's kind, and ends when IRIS is ready."""

import asyncio

import pulumi
import pytest

from components.iris.operator import rollout
from components.iris.operator.labels import DEFINITION, DEFINITION_PATH, pods
from components.iris.operator.rollout import OperatorRollout, not_ready, undefined
from components.waiting import Patience

IMAGE = "intersystems/iris:2026.1"
POD_LIST = "/api/v1/namespaces/iris/pods"


def definition(status="True"):
    return {"status": {"conditions": [{"type": "Established", "status": status}]}}


def pod(part="data", *, ready="True", image=IMAGE, **metadata):
    return {
        "metadata": {"labels": {**pods(part), "app": "iris"}, **metadata},
        "spec": {"containers": [{"image": "sidecar"}, {"image": image}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_the_kind_is_there_once_the_api_server_serves_it():
    assert undefined({}.get) == [f"the operator has not made {DEFINITION}"]
    assert undefined({DEFINITION_PATH: {}}.get) == [f"the API server has not taken {DEFINITION} up"]
    assert undefined({DEFINITION_PATH: definition("False")}.get) != []
    assert undefined({DEFINITION_PATH: definition()}.get) == []


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        ([], 0),
        ([pod()], 1),
        ([pod(ready="False")], 0),
        ([pod(image="intersystems/iris:2025.1")], 0),
        ([pod(deletionTimestamp="2026-11-21T12:00:00Z")], 0),
        ([pod("arbiter")], 0),
        ([pod(), pod()], 2),
    ],
)
def test_pods_count_that_are_ready_of_the_image_and_there_to_stay(found, ready):
    waits = not_ready(found, {"data": 2}, {"data": IMAGE})

    assert waits == ([] if ready == 2 else [f"{ready} of 2 pods iris-data ready"])


def test_every_part_of_the_topology_is_waited_for():
    waits = not_ready([pod()], {"data": 1, "compute": 2, "arbiter": 1}, {"data": IMAGE})

    assert waits == ["0 of 2 pods iris-compute ready", "0 of 1 pods iris-arbiter ready"]


@pytest.fixture
def hooks(deploy, monkeypatch):
    """Runs the hooks of an IrisCluster against a cluster that gives these answers."""

    def run(answers, *, which, deletes_by_hand=False):
        monkeypatch.setattr(rollout, "ask", lambda _, read: read(answers.get))
        monkeypatch.setattr(rollout, "DEFINED_SECONDS", 0)
        bindings = []

        def program():
            made = OperatorRollout(
                "iris-operator",
                kubeconfig=pulumi.Output.from_input("kubeconfig"),
                namespace="iris",
                operator_namespace="iris-operator",
                expected={"data": 1},
                images={"data": IMAGE},
                deletes_by_hand=deletes_by_hand,
                patience=Patience(timeout=0, settled=0, every=0),
            )
            bindings.append(made.binding())

        deploy(program)
        loop = asyncio.get_event_loop_policy().get_event_loop()
        told = []
        for hook in getattr(bindings[0], which):
            try:
                loop.run_until_complete(hook.callback(None))
                told.append("fine")
            except RuntimeError as error:
                told.append(str(error))
        return told

    return run


def test_an_iris_cluster_is_made_once_its_kind_is_there(hooks):
    (early,) = hooks({}, which="before_create")

    assert "the operator has not made irisclusters.intersystems.com" in early
    assert "kubectl --namespace iris-operator logs" in early
    assert hooks({DEFINITION_PATH: definition()}, which="before_create") == ["fine"]


@pytest.mark.parametrize("which", ["after_create", "after_update"])
def test_an_update_ends_when_iris_is_ready_and_fails_when_it_does_not_become_so(hooks, which):
    (late,) = hooks({POD_LIST: {"items": [pod(ready="False")]}}, which=which)

    assert "0 of 1 pods iris-data ready" in late
    assert hooks({POD_LIST: {"items": [pod()]}}, which=which) == ["fine"]


def test_nobody_waits_for_pods_that_a_person_deletes(hooks):
    assert hooks({}, which="after_update", deletes_by_hand=True) == []
