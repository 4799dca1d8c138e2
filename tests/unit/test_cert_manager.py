"""cert-manager: taken as it is, or installed from its chart."""

import json

import pytest

from tests.unit.entrances import entrance

RELEASE = "kubernetes:helm.sh/v3:Release"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
INSTALL = {"install": True}


def release(engine):
    """The release of its chart."""
    return engine.one(RELEASE, "cert-manager-release")


def test_nothing_is_installed_where_the_cluster_has_it(committed):
    engine = committed("dev", access=entrance(), iris={"tls": {"superserver": "optional"}})

    assert engine.of_type(CERTIFICATE)
    assert [r.name for r in engine.of_type(RELEASE)] == ["longhorn-release"]


def test_it_is_there_before_every_certificate_and_goes_after_the_last(committed):
    groups = {"access": entrance(), "iris": {"tls": {"superserver": "optional"}}}
    engine = committed("dev", certManager=INSTALL, **groups)

    certificates = engine.of_type(CERTIFICATE)
    assert len(certificates) == 3
    for certificate in certificates:
        assert "cert-manager-release" in certificate.depends_on


def test_its_kinds_outlive_it_with_everybodys_certificates(committed):
    values = release(committed("dev", certManager=INSTALL)).inputs["values"]

    assert values["crds"] == {"enabled": True, "keep": True}


def test_it_is_told_of_gateway_api_only_where_the_entrance_is_one(committed):
    with_gateway = release(committed("dev", certManager=INSTALL, access=entrance()))
    without = release(committed("dev", certManager=INSTALL))

    assert with_gateway.inputs["values"]["config"] == {"gatewayAPI": {"enabled": True}}
    # Without the kinds of Gateway API it would not start.
    assert "config" not in without.inputs["values"]


def test_it_acts_in_dns_as_the_identity_that_a_stack_file_names(committed):
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/dns"}
    use = {"azure.workload.identity/use": "true"}
    settings = {**INSTALL, "serviceAccountAnnotations": role, "podLabels": use}
    values = release(committed("dev", certManager=settings)).inputs["values"]

    assert values["serviceAccount"]["annotations"] == role
    assert values["podLabels"] == use


def test_its_pods_are_admitted_under_restricted(committed):
    engine = committed("dev", certManager=INSTALL)

    labels = engine.named("cert-manager-namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"version": "v1.15.0"}, "certManager.version is v1.15.0: it must be text that matches"),
        ({"chart": "./nowhere"}, "chart is ./nowhere: there is no such folder or archive; name"),
        (
            {"podLabels": {"a": "b"}},
            "a cert-manager that somebody else installed is theirs to annotate; set install",
        ),
    ],
)
def test_a_cert_manager_that_could_not_be_is_refused(refused, stack_config, settings, expected):
    config = {**stack_config("dev"), "ha-iris:certManager": json.dumps(settings)}

    assert expected in refused(config, stack="dev")
