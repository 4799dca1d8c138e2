"""What a stack file must not ask of the operator, with reason and cure."""

import pytest
from pydantic import ValidationError

from components.iris import IrisSettings
from components.iris.operator.settings import OperatorSettings
from components.iris.volumes import sizes_gib
from tests.unit.iris_cluster import CHART, ICR, LICENSED, MIRROR, settings

MANY = {"databases": [{"name": "APP"}]}
BAD = [
    ({"chart": None}, {}, "download the archive iris_operator from the WRC"),
    ({"chart": "no/such/folder"}, {}, "there is no such folder or archive"),
    ({"chart": "oci://registry.example.com/iris-operator"}, {}, "set the one that you have tried"),
    ({"chart_version": "3.8.42"}, {}, "drop chartVersion"),
    ({"image": f"{ICR}/iris-operator@sha256:{'0' * 64}"}, {}, "registry, repository and tag apart"),
    ({"image": "iris-operator:3.8"}, {}, "registry, repository and tag apart"),
    ({"image": f"{ICR}/iris-operator:latest"}, {}, "such a tag moves"),
    ({"mirrored": True}, LICENSED, "the backup of a mirror does not take over"),
    ({"arbiter_image": f"{ICR}/arbiter:2026.1"}, {}, "between members of a mirror only"),
    ({"mirror_map": ("primary", "backup")}, {}, "the data nodes are no mirrors"),
    ({**MIRROR, "mirror_map": ("backup", "primary")}, LICENSED, "begin with both"),
    ({**MIRROR, "mirror_map": ("primary",)}, LICENSED, "begin with both"),
    ({**MIRROR, "mirror_map": ("primary", "backup", "backup")}, LICENSED, "others are drasync"),
    (MIRROR, {}, "Community Edition knows neither mirrors nor shards nor ECP"),
    ({"shards": 2}, {}, "operator.shards is 2, and Community Edition"),
    ({"compute": {"replicas": 1}}, {}, "operator.compute.replicas is 1, and Community Edition"),
    ({"compute": {"image": f"{ICR}/iris:2026.1"}}, LICENSED, "no compute node to run it"),
    ({"preferred_zones": ("a", "a")}, {}, "a zone stands there twice"),
    ({"namespace": "iris"}, {}, "refuses the operator's own pods"),
    (MIRROR, {**LICENSED, "actions": MANY}, "which nobody mirrors"),
    ({"shards": 2}, {**LICENSED, "actions": MANY}, "which nobody mirrors"),
    ({}, {"actions": {"live": True}}, "actions.live has no effect"),
    ({}, {"hostname": "other"}, "iris.hostname has no effect"),
    ({}, {"entrypoint": ("/tini", "--", "/iris-main")}, "iris.entrypoint has no effect"),
    ({}, {"hung_seconds": 60}, "iris.hungSeconds has no effect"),
    ({}, {"termination_grace_period_seconds": 120}, "has no effect"),
    ({}, {"guard": {"isolated_seconds": 10}}, "iris.guard.isolatedSeconds has no effect"),
    ({}, {"guard": {"enabled": True}}, "iris.guard.enabled has no effect"),
    ({}, {"upgrade": {"stop_first": True}}, "iris.upgrade.stopFirst has no effect"),
    ({}, {"pre_pull": {"timeout_seconds": 600}}, "iris.prePull.timeoutSeconds has no effect"),
    ({}, {"cpf": {"config": ["wijdir=/data/wij/"]}}, "wijdir in iris.cpf is set by the operator"),
    ({}, {"cpf": {"Journal": ["AlternateDirectory=/data/"]}}, "AlternateDirectory in iris.cpf"),
]


@pytest.mark.parametrize(("operator", "given", "reason"), BAD)
def test_it_is_refused(operator, given, reason):
    with pytest.raises(ValidationError, match=reason.replace(".", r"\.")) as refusal:
        settings(operator, **given)

    assert len(refusal.value.errors()) == 1


def test_the_form_needs_the_chart_and_says_where_it_comes_from():
    with pytest.raises(ValidationError, match="InterSystems publishes the operator's chart to its"):
        IrisSettings(form="operator")


def test_an_operator_that_the_form_does_not_ask_is_refused():
    with pytest.raises(ValidationError, match="form is deployment, which asks no operator"):
        IrisSettings(operator=OperatorSettings(chart=CHART))


def test_a_registry_has_the_chart_in_a_version():
    chosen = settings(
        {"chart": "oci://registry.example.com/iris-operator", "chart_version": "3.8.42"}
    )

    assert chosen.operator is not None


def test_databases_are_made_where_a_single_node_holds_them():
    assert settings({"compute": {"replicas": 2}}, **LICENSED, actions=MANY).actions.databases


def test_longhorn_keeps_copies_of_every_volume_of_every_node():
    assert sizes_gib(settings()) == [40, 10, 20, 20]
    assert sizes_gib(settings({**MIRROR, "shards": 3}, **LICENSED)) == 6 * [40, 10, 20, 20]
    with_compute = settings({"compute": {"replicas": 2}}, **LICENSED)
    assert sizes_gib(with_compute) == [40, 10, 20, 20, 10, 10]


def test_every_data_node_and_application_server_needs_room_on_a_node():
    many = {**MIRROR, "shards": 2, "compute": {"replicas": 3}}

    assert settings().pods() == 1
    assert settings(many, **LICENSED).pods() == 7
