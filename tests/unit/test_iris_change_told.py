"""A person is told whether a change restarts IRIS or reaches it while it runs."""

from functools import partial

import pytest

from components.iris.change_told import fewer_told, live_told, restart_told


def pod(secret: str, *, replicas: int = 1) -> dict:
    return {"spec": {"replicas": replicas, "template": {"spec": {"volumes": [secret]}}}}


def test_another_pod_is_a_restart(told):
    assert told(restart_told, pod("iris-cpf-1"), pod("iris-cpf-2")) == [
        "IRIS restarts: this change makes a new pod, and clients are cut off."
    ]


def test_the_same_pod_is_none(told):
    assert told(restart_told, pod("iris-cpf-1"), pod("iris-cpf-1", replicas=2)) == []


def test_other_actions_in_the_same_secret_are_taken_live(told):
    (line,) = told(
        live_told, {"stringData": {"merge.cpf": "a"}}, {"stringData": {"merge.cpf": "b"}}
    )

    assert "IRIS takes the changed actions while it runs" in line


def test_another_label_of_the_secret_is_nothing_to_iris(told):
    same = {"stringData": {"merge.cpf": "a"}}

    assert told(live_told, same, {**same, "metadata": {"labels": {"a": "b"}}}) == []


def test_the_deployment_tells_and_the_secret_where_it_changes_live(iris):
    assert "iris-restart-told" in iris().hooks
    assert "iris-cpf-live" not in iris().hooks
    assert "iris-cpf-live" in iris(actions={"live": True}).hooks


@pytest.mark.parametrize(
    ("protected", "what"),
    [
        (True, "Pulumi refuses to delete its protected claims"),
        (False, "its claims are deleted with all data"),
    ],
)
def test_an_instance_that_goes_is_a_database_that_goes(told, protected, what):
    binding = partial(fewer_told, protected=protected)

    (line,) = told(binding, pod("a", replicas=3), pod("a", replicas=1))
    assert "instances is 1 and was 3: iris-1, iris-2 goes" in line
    assert what in line


def test_more_instances_are_nothing_to_warn_of(told):
    binding = partial(fewer_told, protected=True)

    assert told(binding, pod("a", replicas=1), pod("a", replicas=2)) == []
