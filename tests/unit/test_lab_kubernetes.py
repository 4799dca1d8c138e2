"""What the lab's stand-in for the Kubernetes provider decides without a cluster."""

from typing import Any, cast

import pytest
from google.protobuf import struct_pb2

from components.iris.forms.workload import ROLLED_OUT
from lab.plugins.kubernetes import wait_for
from lab.plugins.kubernetes.changes import replaces
from lab.plugins.kubernetes.provider import KubernetesStandIn
from lab.plugins.protocol import Engine, provider_pb2

SECRET = {"apiVersion": "v1", "kind": "Secret"}


@pytest.mark.parametrize("content", ["data", "stringData"])
def test_contents_of_a_secret_change_in_place_only_where_the_provider_may(content):
    assert replaces(SECRET, (content, "iris.key")) is True
    assert replaces(SECRET, (content, "iris.key"), in_place=True) is False


@pytest.mark.parametrize("path", [("type",), ("metadata", "name"), ("metadata", "namespace")])
def test_a_secret_of_another_type_or_name_is_another_secret(path):
    assert replaces(SECRET, path, in_place=True) is True


def as_struct(value: dict[str, Any]) -> struct_pb2.Struct:
    """Inputs as the protocol carries them."""
    struct = struct_pb2.Struct()
    struct.update(value)
    return struct


@pytest.mark.parametrize(
    ("immutable", "provider_may", "is_replaced"),
    [(False, True, False), (True, True, True), (False, False, True)],
)
def test_a_new_licence_key_plans_no_new_secret(immutable, provider_may, is_replaced):
    def secret(key: str) -> struct_pb2.Struct:
        fixed = {"immutable": True} if immutable else {}
        metadata = {"name": "iris-license", "namespace": "iris"}
        about = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        return as_struct({**about, **fixed, "stringData": {"iris.key": key}})

    stand_in = KubernetesStandIn(Engine([]))
    stand_in._secrets_change = provider_may

    plan = stand_in.Diff(
        provider_pb2.DiffRequest(
            type="kubernetes:core/v1:Secret", old_inputs=secret("one"), news=secret("another")
        ),
        cast(Any, None),
    )

    assert list(plan.diffs) == ["stringData"]
    assert bool(plan.replaces) is is_replaced


def test_what_the_program_waits_for_is_understood():
    condition = wait_for.parse(ROLLED_OUT)

    assert condition is not None
    assert condition[0] == ("observedGeneration", ["metadata", "generation"])
    assert len(condition) == 4


@pytest.mark.parametrize(
    "text",
    [
        "condition=Available",
        "jsonpath={.status.phase}=Running",
        "jsonpath={[?@.replicas >= $.spec.replicas]}",
        "jsonpath={[?@.replicas == $.spec.replicas || @.phase == $.spec.phase]}",
        "",
    ],
)
def test_another_form_of_waiting_is_not_guessed_at(text):
    assert wait_for.parse(text) is None


def test_fields_that_are_missing_equal_nothing_that_is_there():
    condition = [("updatedReplicas", ["spec", "replicas"])]

    assert wait_for.holds(condition, {"spec": {"replicas": 0}, "status": {}}) is False
    assert wait_for.holds(condition, {"spec": {"replicas": 0}, "status": "?"}) is False
