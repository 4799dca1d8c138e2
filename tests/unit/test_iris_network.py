"""Who may reach IRIS over the network, and whom it may reach."""

import json

import pytest

from tests.unit.iris_parts import DEPLOYMENT, SERVICE

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
INSIDE = {"podSelector": {}}
LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"
COMMUNITY = "containers.intersystems.com/intersystems/iris-community:2026.2"
BALANCED = {"type": "LoadBalancer", "source_ranges": ["203.0.113.0/24"]}
SHOP = {"namespace": "shop"}


def spec(engine, name):
    """Spec of a policy."""
    return engine.named(f"iris-network-{name}").inputs["spec"]


def pods_of(namespace, **labels):
    """The entry of a policy that names pods of a namespace."""
    entry = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return {**entry, "podSelector": {"matchLabels": labels}} if labels else entry


def let_in(engine):
    """Who may reach each port of IRIS from outside of its namespace; None is everybody."""
    return {
        port["port"]: rule.get("from")
        for rule in spec(engine, "iris")["ingress"]
        for port in rule["ports"]
    }


def test_nobody_outside_its_namespace_reaches_iris_unless_named(iris):
    engine = iris()

    assert let_in(engine) == {}
    assert spec(engine, "namespace") == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [INSIDE]}],
    }


def test_the_policy_of_iris_is_for_the_pod_of_iris(iris):
    engine = iris()

    selected = spec(engine, "iris")["podSelector"]["matchLabels"]
    assert selected == engine.one(SERVICE).inputs["spec"]["selector"]
    assert spec(engine, "iris")["policyTypes"] == ["Ingress"]
    namespaces = {p.inputs["metadata"]["namespace"] for p in engine.of_type(POLICY)}
    assert namespaces == {engine.one(DEPLOYMENT).inputs["metadata"]["namespace"]}


def test_clients_reach_the_superserver_alone(iris):
    nightly = {"namespace": "jobs", "pods": {"app": "nightly"}}
    office = {"cidr": "10.20.0.0/16"}
    engine = iris(network_policy={"clients": [SHOP, nightly, office]})

    assert let_in(engine) == {
        1972: [
            pods_of("shop"),
            pods_of("jobs", app="nightly"),
            {"ipBlock": {"cidr": "10.20.0.0/16"}},
        ]
    }


def test_who_reads_metrics_reaches_the_web_server_and_not_the_superserver(iris):
    engine = iris(network_policy={"web": [SHOP], "metrics": [{"namespace": "monitoring"}]})

    assert let_in(engine) == {52773: [pods_of("shop"), pods_of("monitoring")]}


def test_the_web_server_of_an_image_that_brings_none_is_the_gateway(iris):
    engine = iris(image=LICENSED, network_policy={"clients": [SHOP], "web": [SHOP]})

    assert let_in(engine) == {1972: [pods_of("shop")]}
    gateway = spec(engine, "iris-web-gateway")
    assert gateway["ingress"] == [
        {"from": [pods_of("shop")], "ports": [{"port": 52773, "protocol": "TCP"}]}
    ]
    service = engine.one(SERVICE, "iris-web-gateway-service").inputs["spec"]
    assert gateway["podSelector"]["matchLabels"] == service["selector"]


def test_a_load_balancer_of_the_gateway_opens_the_gateway_alone(iris):
    engine = iris(image=LICENSED, web_gateway={"service": BALANCED})

    assert let_in(engine) == {}
    assert spec(engine, "iris-web-gateway")["ingress"] == [
        {"ports": [{"port": 52773, "protocol": "TCP"}]}
    ]


def test_a_load_balancer_that_hides_its_clients_leaves_the_choice_to_its_source_ranges(iris):
    assert let_in(iris(service=BALANCED)) == {1972: None, 52773: None}


def test_a_load_balancer_that_shows_its_clients_lets_in_its_source_ranges_alone(iris):
    service = {**BALANCED, "external_traffic_policy": "Local"}
    engine = iris(service=service)

    named = [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
    assert let_in(engine) == {1972: named, 52773: named}
    assert engine.one(SERVICE).inputs["spec"]["externalTrafficPolicy"] == "Local"


def test_policies_add_up_where_clients_come_from_inside_and_outside(iris):
    service = {**BALANCED, "external_traffic_policy": "Local"}
    rules = spec(iris(service=service, network_policy={"clients": [SHOP]}), "iris")["ingress"]

    sources = [entry for rule in rules for entry in rule["from"]]
    assert sources == [pods_of("shop"), {"ipBlock": {"cidr": "203.0.113.0/24"}}]


def test_iris_reaches_everything_unless_asked_otherwise(iris):
    assert all(
        "Egress" not in policy.inputs["spec"]["policyTypes"] for policy in iris().of_type(POLICY)
    )


def test_iris_that_may_reach_nothing_still_reaches_dns_and_its_own_namespace(iris):
    policy = spec(iris(network_policy={"egress": []}), "namespace")

    assert policy["policyTypes"] == ["Ingress", "Egress"]
    dns = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    assert policy["egress"] == [{"to": [INSIDE]}, {"ports": dns}]


def test_iris_reaches_what_it_is_allowed_to(iris):
    mail = {"cidr": "198.51.100.7", "ports": [25, 587]}
    policy = spec(iris(network_policy={"egress": [mail, SHOP]}), "namespace")

    assert policy["egress"][2:] == [
        {
            "to": [{"ipBlock": {"cidr": "198.51.100.7/32"}}],
            "ports": [{"port": 25, "protocol": "TCP"}, {"port": 587, "protocol": "TCP"}],
        },
        {"to": [pods_of("shop")]},
    ]


def test_the_policies_are_there_before_iris_and_go_after_it(iris):
    engine = iris()

    policies = {policy.name for policy in engine.of_type(POLICY)}
    assert policies == {"iris-network-namespace", "iris-network-iris"}
    assert policies <= set(engine.one(DEPLOYMENT).depends_on)


def test_policies_can_be_left_to_somebody_else(iris):
    engine = iris(network_policy={"enabled": False})

    assert engine.of_type(POLICY) == []


@pytest.mark.parametrize("image", [COMMUNITY, LICENSED])
def test_every_port_of_every_service_is_opened_to_those_who_are_named(iris, image):
    engine = iris(image=image, network_policy={"clients": [SHOP], "web": [SHOP]})
    policies = [policy.inputs["spec"] for policy in engine.of_type(POLICY)]

    services = [s.inputs for s in engine.of_type(SERVICE) if s.name.startswith("iris-")]
    for service in services:
        for port in service["spec"]["ports"]:
            opened = [
                rule
                for policy in policies
                for rule in policy["ingress"]
                if policy["podSelector"].get("matchLabels", {}).items()
                <= service["spec"]["selector"].items()
                and port["port"] in [entry["port"] for entry in rule.get("ports", [])]
            ]
            assert opened, f"{service['metadata']['name']}: {port['name']}"
    assert services


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"clients": [{"pods": {"app": "shop"}}]},
            "networkPolicy.clients.0.pods: labels of pods say nothing without",
        ),
        (
            {"web": [{}]},
            "networkPolicy.web.0.cidr is missing: an entry is either pods or a network; give it",
        ),
        (
            {"egress": [{"namespace": "mail", "cidr": "10.0.0.0/8"}]},
            "networkPolicy.egress.0.cidr is 10.0.0.0/8: an entry is either pods or a network",
        ),
        (
            {"egress": [{"namespace": "mail", "ports": [0]}]},
            "networkPolicy.egress.0.ports.0 is 0: it must be 1 or more",
        ),
        (
            {"clients": [{"cidr": "10.0.0.1/8"}]},
            "networkPolicy.clients.0.cidr is 10.0.0.1/8: the address has bits beyond its network",
        ),
    ],
)
def test_an_entry_that_names_nobody_is_refused(refused, stack_config, settings, expected):
    config = {**stack_config("dev"), "ha-iris:iris": json.dumps({"networkPolicy": settings})}

    assert f"ha-iris:iris.{expected}" in refused(config, stack="dev")


def test_a_list_of_clients_that_keeps_nobody_out_is_refused(refused, stack_config):
    iris = {
        "service": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]},
        "networkPolicy": {"clients": [SHOP]},
    }
    message = refused({**stack_config("dev"), "ha-iris:iris": json.dumps(iris)}, stack="dev")

    assert "ha-iris:iris.networkPolicy: clients would keep nobody out" in message
    assert "set service.externalTrafficPolicy to Local, or drop clients" in message


def test_readers_of_a_gateway_that_keeps_nobody_out_are_refused(refused, stack_config):
    iris = {
        "image": LICENSED,
        "webGateway": {"service": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}},
        "networkPolicy": {"clients": [SHOP], "metrics": [SHOP]},
    }
    message = refused({**stack_config("dev"), "ha-iris:iris": json.dumps(iris)}, stack="dev")

    assert "ha-iris:iris.networkPolicy: metrics would keep nobody out" in message
    assert "set webGateway.service.externalTrafficPolicy to Local, or drop metrics" in message


def test_clients_inside_the_cluster_have_no_traffic_policy(refused, stack_config):
    config = stack_config("dev")
    config["ha-iris:iris"] = '{"service": {"externalTrafficPolicy": "Local"}}'

    message = refused(config, stack="dev")
    assert "ha-iris:iris.service.externalTrafficPolicy is Local: a ClusterIP is reached" in message
    assert "set type to LoadBalancer, or drop externalTrafficPolicy" in message
