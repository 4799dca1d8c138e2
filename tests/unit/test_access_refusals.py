"""Web entrances that could not work are refused before anything is made."""

import json

import pytest

from tests.unit.entrances import (
    ENVOY,
    GIVEN,
    LETS_ENCRYPT,
    ROUTE53,
    by_dns,
    by_ingress,
    entrance,
    lets_encrypt,
)

LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"
RILB = {"className": "gke-l7-rilb"}

CASES = [
    (entrance(hostname=None), "gateway: there is no entrance without a name; set hostname"),
    ({"controllers": ENVOY}, "there is no entrance without a name; set hostname, or drop contr"),
    (entrance(hostname="*.clinic.org"), "hostname is *.clinic.org: a wildcard is no name"),
    (entrance(hostname="https://iris.clinic.org"), "a host name is no URL: it has no scheme"),
    (entrance(hostname="iris"), "hostname is iris: this is no full host name"),
    (entrance(hostname="10.0.0.1"), "hostname is 10.0.0.1: this is no full host name"),
    (entrance(hostname="Iris.Clinic.org"), "in lower-case letters, digits, hyphens and dots"),
    (entrance(via="nodePort"), "via is nodePort: it must be one of 'gateway' or 'ingress'"),
    (entrance(gateway=None), "nobody says which Gateway; set className to one of"),
    (
        entrance(gateway={"className": "envoy", **GIVEN}),
        "className envoy makes a Gateway and name public takes one that exists; drop one",
    ),
    (entrance(gateway={"name": "public"}), "name is public, in no namespace; set namespace"),
    (
        entrance(gateway={**GIVEN, "address": "public"}),
        "address is of a Gateway that this program makes, and public is somebody else's",
    ),
    (
        entrance(gateway={"className": "envoy", "httpsSection": "web"}),
        "httpsSection is of a Gateway that exists, and className makes one; drop it",
    ),
    (
        by_ingress(gateway={"className": "envoy"}),
        "gateway: via is ingress, and an entrance is one or the other; drop gateway",
    ),
    (
        entrance(ingress={"className": "traefik"}),
        "ingress: via is gateway, and an entrance is one or the other; drop ingress",
    ),
    (by_ingress(ingress=None), "ingress: className is missing: without one, whichever"),
    (entrance(certificate=None), "source is letsEncrypt, and nothing is said of it; set letsEnc"),
    (
        entrance(certificate={"letsEncrypt": {}}),
        "certificate.letsEncrypt.email is missing: Address of the account; set it",
    ),
    (
        entrance(certificate=lets_encrypt(email="ops")),
        "certificate.letsEncrypt.email is ops: it must be text that matches",
    ),
    (entrance(certificate={"source": "secret"}), "source is secret, and nothing is said of it"),
    (
        entrance(certificate={"source": "issuer", "letsEncrypt": LETS_ENCRYPT}),
        "source is issuer, and letsEncrypt is of source letsEncrypt; drop letsEncrypt",
    ),
    (
        entrance(certificate={"source": "gateway"}),
        "source gateway means the listener of a Gateway that exists; set gateway.name",
    ),
    (
        entrance(gateway=GIVEN),
        "source is letsEncrypt, and the listener of a Gateway that exists has its certificate",
    ),
    (
        entrance(hostname="iris.clinic.internal"),
        "hostname is iris.clinic.internal, and nobody owns .internal in public DNS",
    ),
    (
        entrance(certificate=lets_encrypt(challenge="dns01")),
        "challenge is dns01 with 0 DNS providers; set one of letsEncrypt.route53",
    ),
    (
        entrance(
            certificate=lets_encrypt(
                challenge="dns01", route53=ROUTE53, cloudDns={"project": "clinic-dns"}
            )
        ),
        "challenge is dns01 with 2 DNS providers",
    ),
    (
        entrance(certificate=lets_encrypt(route53=ROUTE53)),
        "challenge is http01, and route53 is for dns01; drop it",
    ),
    (entrance(paths=["csp"]), "paths.0 is csp: it must be text that matches"),
    (entrance(paths=[]), "paths is empty: it must be a list or group of at least 1"),
    (
        entrance(controllers=None),
        "access: controllers is missing: nobody says where requests come from, and the",
    ),
]


@pytest.mark.parametrize(("group", "expected"), CASES, ids=[expected for _, expected in CASES])
def test_an_entrance_that_could_not_work_is_refused(refused, stack_config, group, expected):
    message = refused({**stack_config("dev"), "ha-iris:access": json.dumps(group)}, stack="dev")

    assert "ha-iris:access" in message
    assert expected in message


@pytest.mark.parametrize("stack", ["eks", "aks", "gke"])
def test_lets_encrypt_cannot_come_by_an_address_of_the_network(refused, stack_config, stack):
    config = {**stack_config(stack), "ha-iris:access": json.dumps(entrance())}

    message = refused(config, stack=stack)
    assert "challenge is http01: Let's Encrypt comes by port 80 from the Internet" in message
    assert "set the challenge to dns01, or gateway.address to public" in message


def test_lets_encrypt_cannot_come_by_googles_internal_load_balancer(refused, stack_config):
    group = entrance(gateway=RILB, controllers=[{"cidr": "10.8.0.0/23"}])
    message = refused({**stack_config("gke"), "ha-iris:access": json.dumps(group)}, stack="gke")

    assert "challenge is http01" in message
    assert "(on GKE, another gateway.className)" in message


def test_googles_internal_load_balancer_needs_to_be_let_in(refused, stack_config):
    group = entrance(gateway=RILB, controllers=None, certificate=by_dns("route53", ROUTE53))
    message = refused({**stack_config("gke"), "ha-iris:access": json.dumps(group)}, stack="gke")

    assert "requests of a gke-l7-rilb come from the proxy-only subnet of its region" in message


def test_gkes_controller_has_to_be_on(refused, stack_config):
    group = entrance(gateway={"className": "gke-l7-global-external-managed"})
    message = refused({**stack_config("gke"), "ha-iris:access": json.dumps(group)}, stack="gke")

    assert "GKE's own controller serves, and it is off; set cluster.gatewayApi to true" in message


def test_a_class_of_gke_is_nowhere_else(refused, stack_config):
    group = entrance(gateway={"className": "gke-l7-global-external-managed"})
    message = refused({**stack_config("eks"), "ha-iris:access": json.dumps(group)}, stack="eks")

    assert "gateway.className is gke-l7-global-external-managed, which is GKE's" in message


def test_a_name_without_a_web_server_leads_nowhere(refused, stack_config):
    config = stack_config("dev")
    config["ha-iris:iris"] = json.dumps({"image": LICENSED, "webGateway": {"enabled": False}})
    message = refused({**config, "ha-iris:access": json.dumps(entrance())}, stack="dev")

    assert "leads to a web server, and this stack has none; set iris.webGateway.enabled" in message


def test_a_controller_that_is_named_where_everybody_gets_in_is_refused(refused, stack_config):
    config = stack_config("dev")
    service = {"type": "LoadBalancer", "sourceRanges": ["10.8.0.0/16"]}
    config["ha-iris:iris"] = json.dumps({"service": service})
    message = refused({**config, "ha-iris:access": json.dumps(entrance())}, stack="dev")

    assert "which opens it to every pod; set its type to ClusterIP, or" in message


def test_the_address_of_a_gateway_in_a_cluster_that_exists_is_not_ours_to_say(
    refused, stack_config
):
    group = entrance(gateway={"className": "envoy", "address": "public"})
    message = refused({**stack_config("dev"), "ha-iris:access": json.dumps(group)}, stack="dev")

    assert "gateway.address is public, and who makes load balancers in a cluster" in message


def test_a_name_in_dns_is_one_of_a_load_balancer(refused, stack_config):
    config = stack_config("dev")
    config["ha-iris:iris"] = json.dumps({"service": {"hostname": "sql.clinic.org"}})

    message = refused(config, stack="dev")
    assert "service.hostname is sql.clinic.org: a ClusterIP is reached inside" in message
    assert "set type to LoadBalancer, or drop hostname" in message


def test_a_name_for_several_instances_is_refused(refused, stack_config):
    several = {"form": "statefulset", "instances": 2}
    config = {**stack_config("dev"), "ha-iris:iris": json.dumps(several)}
    message = refused({**config, "ha-iris:access": json.dumps(entrance())}, stack="dev")
    assert "leads to one web server, and iris.instances is 2" in message

    balanced = {
        "type": "LoadBalancer",
        "hostname": "sql.clinic.org",
        "sourceRanges": ["10.0.0.0/8"],
    }
    config["ha-iris:iris"] = json.dumps({**several, "service": balanced})
    assert "each of 2 instances has a load balancer of its own; drop hostname" in refused(
        config, stack="dev"
    )
