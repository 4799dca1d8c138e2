"""The web entrance and TLS against a real API server with the real kinds of their projects.

The kinds come from the Go modules of Gateway API and cert-manager. Their controllers do not run: no
certificate is issued here, and no request goes through.
"""

import json
import subprocess

import pytest
import yaml

from components.cert_manager.cert_manager import chart_values
from components.cert_manager.settings import CertManagerSettings
from lab import LabError
from tests.crds import CERT_MANAGER, definitions, module
from tests.lab.stack import changes
from tests.unit.entrances import GIVEN, ROUTE53, by_dns, by_ingress, entrance

KINDS = "gateways,httproutes,certificates,issuers,clusterissuers,ingresses"
SUPERSERVER = {"tls": {"superserver": "optional"}}


@pytest.fixture(scope="module")
def kinds(control_plane):
    """The cluster with the kinds of Gateway API and cert-manager."""
    manifest = yaml.safe_dump_all(definitions())
    control_plane.kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
    for crd in definitions():
        name = f"crd/{crd['metadata']['name']}"
        control_plane.kubectl("wait", "--for=condition=Established", name, "--timeout=30s")
    return control_plane


def made(stack):
    """Kind and name of all that there is of these kinds."""
    listed = stack.get(KINDS, "--all-namespaces")["items"]
    return {(thing["kind"], thing["metadata"]["name"]) for thing in listed}


OF_THE_SUPERSERVER = {
    ("Issuer", "iris-superserver-ca-root"),
    ("Issuer", "iris-superserver-ca"),
    ("Certificate", "iris-superserver-ca"),
    ("Certificate", "iris-superserver-tls"),
}
BY_GATEWAY = {
    ("Gateway", "iris-web"),
    ("HTTPRoute", "iris-web"),
    ("HTTPRoute", "iris-web-redirect"),
    ("Certificate", "iris-web"),
    ("Issuer", "iris-letsencrypt-staging"),
}


def test_the_api_server_takes_every_object_and_a_second_up_changes_none(kinds, no_stack):
    no_stack.groups = {"access": entrance(), "iris": SUPERSERVER}
    no_stack.run("up")

    assert made(no_stack) == BY_GATEWAY | OF_THE_SUPERSERVER
    assert changes(no_stack.run("up")) == {}
    outputs = no_stack.engine.outputs()
    assert outputs["portalUrl"] == "https://iris.clinic.org/csp/sys/UtilHome.csp"


def test_a_rule_that_a_kind_has_in_cel_is_enforced_here(kinds):
    twice = {"name": "http", "port": 80, "protocol": "HTTP"}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "twice", "namespace": "default"},
        "spec": {"gatewayClassName": "envoy", "listeners": [twice, {**twice, "port": 81}]},
    }

    # Otherwise the test before this one would say little.
    with pytest.raises(LabError, match="Listener name must be unique within the Gateway"):
        kinds.kubectl("apply", "-f", "-", stdin=json.dumps(gateway))


def test_an_entrance_by_an_ingress_takes_the_place_of_a_gateway(kinds, shared_stack):
    shared_stack.groups = {"access": entrance()}
    shared_stack.run("up")
    claim = shared_stack.claim_uid()
    shared_stack.groups = {"access": by_ingress(certificate=by_dns("route53", ROUTE53))}
    done = changes(shared_stack.run("up"))

    assert made(shared_stack) == {
        ("Ingress", "iris-web"),
        ("Certificate", "iris-web"),
        ("ClusterIssuer", "iris-letsencrypt-staging"),
    }
    # IRIS itself does not notice.
    assert "iris-deployment" not in done
    assert shared_stack.claim_uid() == claim


def test_another_class_is_another_gateway_and_production_another_issuer(kinds, shared_stack):
    shared_stack.groups = {"access": entrance()}
    shared_stack.run("up")
    group = entrance(gateway={"className": "nginx"})
    group["certificate"]["letsEncrypt"] = {
        **group["certificate"]["letsEncrypt"],
        "environment": "production",
    }
    shared_stack.groups = {"access": group}
    done = changes(shared_stack.run("up"))

    assert done["access-gateway"] in ("replace", "create-replacement", "delete-replaced")
    assert done["access-certificate"] == "update"
    assert ("Issuer", "iris-letsencrypt-production") in made(shared_stack)
    assert ("Issuer", "iris-letsencrypt-staging") not in made(shared_stack)


def test_a_gateway_that_exists_gets_routes_and_nothing_else(kinds, shared_stack):
    group = entrance(gateway=GIVEN, certificate={"source": "gateway"})
    shared_stack.groups = {"access": group}
    shared_stack.run("up")

    assert made(shared_stack) == {("HTTPRoute", "iris-web"), ("HTTPRoute", "iris-web-redirect")}


def test_destroy_leaves_no_entrance_behind(kinds, shared_stack):
    shared_stack.groups = {"access": entrance(), "iris": SUPERSERVER}
    shared_stack.run("up")
    shared_stack.run("destroy")

    assert made(shared_stack) == set()


@pytest.mark.parametrize("gateway_api", [True, False])
def test_cert_managers_own_chart_takes_our_values(tmp_path, toolchain, gateway_api):
    settings = CertManagerSettings(
        install=True,
        image_registry="mirror.clinic.org/quay",
        service_account_annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/dns"},
        pod_labels={"azure.workload.identity/use": "true"},
    )
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(chart_values(settings, gateway_api=gateway_api)))
    chart = module(CERT_MANAGER) / "deploy" / "charts" / "cert-manager"

    done = subprocess.run(
        [
            *(toolchain.bin / "helm", "template", "cert-manager", chart),
            *("--namespace", "cert-manager", "-f", values, "--kube-version", "1.36.0"),
        ],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    made = [thing for thing in yaml.safe_load_all(done.stdout) if thing]
    kept = [thing for thing in made if thing["kind"] == "CustomResourceDefinition"]
    assert len(kept) == 6
    assert {crd["metadata"]["annotations"]["helm.sh/resource-policy"] for crd in kept} == {"keep"}
    (controller,) = (
        thing
        for thing in made
        if thing["kind"] == "Deployment" and thing["metadata"]["name"] == "cert-manager"
    )
    template = controller["spec"]["template"]
    assert template["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    images = {container["image"] for container in template["spec"]["containers"]}
    assert all(image.startswith("mirror.clinic.org/quay/") for image in images)
    configs = [thing for thing in made if thing["kind"] == "ConfigMap"]
    enabled = [yaml.safe_load(thing["data"]["config.yaml"])["gatewayAPI"] for thing in configs]
    assert enabled == ([{"enabled": True}] if gateway_api else [])
