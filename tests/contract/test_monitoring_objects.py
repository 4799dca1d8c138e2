"""Monitors and rules against the schemas of the Prometheus Operator itself."""

from dataclasses import replace
from typing import Any

import pytest

from components.monitoring.definitions import KINDS, VERSION
from components.monitoring.monitors import (
    Read,
    cert_manager_monitor,
    fencing_monitor,
    longhorn_monitor,
    pod_monitor,
)
from components.monitoring.rules import rule_files
from components.monitoring.settings import MonitoringSettings
from tests.crds import PROMETHEUS_OPERATOR, definitions, faults
from tests.watched import WATCHED

SETTINGS = MonitoringSettings(enabled=True, credentials_secret="prometheus-login")
ITSELF = Read("iris", {"app.kubernetes.io/name": "iris"}, gateway=None, named_ports=True)


def thing(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": VERSION, "kind": kind, "metadata": {"name": "one"}, "spec": spec}


OBJECTS = {
    "of IRIS": thing("PodMonitor", pod_monitor(SETTINGS, ITSELF)),
    "of an operator's IRIS": thing(
        "PodMonitor", pod_monitor(SETTINGS, replace(ITSELF, named_ports=False))
    ),
    "of the gateways": thing(
        "PodMonitor", pod_monitor(SETTINGS, replace(ITSELF, gateway="iris-web.iris.svc:52773"))
    ),
    "of Longhorn": thing("ServiceMonitor", longhorn_monitor(SETTINGS, "longhorn-system")),
    "of cert-manager": thing("PodMonitor", cert_manager_monitor(SETTINGS, "cert-manager")),
    "of the fencing agents": thing("PodMonitor", fencing_monitor(SETTINGS)),
    **{name: thing("PrometheusRule", rules) for name, rules in rule_files(WATCHED).items()},
}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_prometheus_operator_knows_every_field(name: str):
    assert faults(OBJECTS[name]) == []


def test_a_field_that_it_does_not_know_would_be_found():
    wrong = thing("PodMonitor", {**pod_monitor(SETTINGS, ITSELF), "podMetricsEndpoint": []})

    assert faults(wrong) == [
        "$.spec: Additional properties are not allowed ('podMetricsEndpoint' was unexpected)"
    ]


def test_the_kinds_that_a_cluster_is_asked_for_are_those_of_the_operator():
    theirs = {
        crd["spec"]["names"]["kind"]: crd["spec"]["names"]["plural"]
        for crd in definitions(PROMETHEUS_OPERATOR)
    }

    assert KINDS.items() <= theirs.items()
