"""What is made for the web entrance and for TLS, against the kinds of Gateway API and cert-manager.

Their modules are those that tests/crds pins. Rules in CEL are looked at in the lab alone.
"""

import json

import pytest

from components.cert_manager.settings import VERSION
from tests.crds import CERT_MANAGER, GATEWAY_API, definitions, faults, module, schemas
from tests.unit.entrances import ENTRANCES

OURS = ("gateway.networking.k8s.io", "cert-manager.io")
TLS = {"superserver": "optional"}


def objects(engine):
    """Objects of the two projects that a program registered."""
    return [
        {key: value for key, value in resource.inputs.items() if key != "__fieldManager"}
        for resource in engine.resources
        if any(resource.type.startswith(f"kubernetes:{group}/") for group in OURS)
    ]


def test_the_pinned_modules_describe_the_kinds_that_we_make():
    assert {
        ("gateway.networking.k8s.io/v1", "Gateway"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("cert-manager.io/v1", "Certificate"),
        ("cert-manager.io/v1", "Issuer"),
        ("cert-manager.io/v1", "ClusterIssuer"),
    } <= set(schemas())
    versions = {
        crd["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"]
        for crd in definitions()
        if crd["spec"]["group"] == "gateway.networking.k8s.io"
    }
    assert versions == {module(GATEWAY_API).name.partition("@")[2]}


def test_the_chart_that_is_installed_is_of_the_module_that_objects_are_checked_against():
    assert module(CERT_MANAGER).name.partition("@")[2] == VERSION


@pytest.mark.parametrize("kind", ENTRANCES)
def test_every_entrance_is_made_of_objects_that_their_kinds_allow(committed, kind):
    made = objects(committed("dev", access=ENTRANCES[kind]))

    assert [fault for thing in made for fault in faults(thing)] == []
    assert made or "Ingress with a Secret" in kind


@pytest.mark.parametrize(
    "tls", [TLS, {**TLS, "issuer": {"name": "clinic"}}, {**TLS, "days": 30}], ids=str
)
def test_certificates_of_the_superserver_are_such_as_cert_manager_takes(committed, tls):
    made = objects(committed("dev", iris={"tls": tls}))

    assert {thing["kind"] for thing in made} >= {"Certificate"}
    assert [fault for thing in made for fault in faults(thing)] == []


def test_a_field_that_a_kind_does_not_have_is_found(committed):
    (route,) = (
        thing
        for thing in objects(committed("dev", access=ENTRANCES["a Gateway without TLS"]))
        if thing["kind"] == "HTTPRoute"
    )
    route = json.loads(json.dumps(route))
    route["spec"]["rules"][0]["backend"] = "iris"
    route["spec"]["hostnames"] = ["Not A Name"]

    assert len(faults(route)) == 2
