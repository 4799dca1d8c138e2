"""What the lab's stand-in for the Kubernetes provider decides without a cluster."""

import pytest

from components.iris.database import ROLLED_OUT
from lab.plugins.kubernetes import wait_for
from lab.plugins.kubernetes.changes import replaces


@pytest.mark.parametrize("content", ["data", "stringData"])
def test_contents_of_a_secret_change_in_place_only_where_the_provider_may(content):
    assert replaces("Secret", (content, "iris.key")) is True
    assert replaces("Secret", (content, "iris.key"), in_place=True) is False


@pytest.mark.parametrize("path", [("type",), ("metadata", "name"), ("metadata", "namespace")])
def test_a_secret_of_another_type_or_name_is_another_secret(path):
    assert replaces("Secret", path, in_place=True) is True


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
