"""The web entrance: a host name with TLS in front of portal, REST and web applications."""

import pulumi
import pytest

from tests.unit.entrances import (
    AZURE_DNS,
    CLOUD_DNS,
    GIVEN,
    HOST,
    ROUTE53,
    by_dns,
    by_ingress,
    entrance,
    lets_encrypt,
)
from tests.unit.iris_parts import DEPLOYMENT, SERVICE
from tests.unit.test_iris_network import POLICY, let_in, pods_of, spec

LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"
GATEWAY_API = "kubernetes:gateway.networking.k8s.io/v1"
CERT_MANAGER = "kubernetes:cert-manager.io/v1"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
BALANCED = {"type": "LoadBalancer", "sourceRanges": ["10.8.0.0/16"]}


@pytest.fixture
def entered(committed):
    """The development stack with an entrance."""
    return lambda group, **groups: committed("dev", access=group, **groups)


@pytest.fixture
def said(monkeypatch):
    """What a program tells the person at the preview."""
    told: list[str] = []
    for level in ("info", "warn"):
        monkeypatch.setattr(pulumi.log, level, lambda text, *_, **__: told.append(text))
    return told


def route(engine, name="access-route"):
    """Spec of a route."""
    return engine.one(f"{GATEWAY_API}:HTTPRoute", name).inputs["spec"]


def issuer(engine, kind="Issuer"):
    """An issuer."""
    return engine.one(f"{CERT_MANAGER}:{kind}", "access-issuer").inputs


def test_a_stack_without_a_host_name_has_no_entrance(committed):
    types = {resource.type for resource in committed("dev").resources}

    assert not [t for t in types if "gateway.networking" in t or "cert-manager" in t]
    assert INGRESS not in types


def test_requests_for_the_name_reach_the_web_server_that_the_image_brings(entered):
    rule, *others = route(entered(entrance()))["rules"]

    assert others == []
    assert rule["backendRefs"] == [{"name": "iris", "port": 52773}]
    assert route(entered(entrance()))["hostnames"] == [HOST]


def test_requests_for_the_name_reach_the_web_gateways_where_the_image_brings_none(entered):
    engine = entered(entrance(), iris={"image": LICENSED})

    service = engine.named("iris-web-gateway-service").inputs["metadata"]["name"]
    assert route(engine)["rules"][0]["backendRefs"] == [{"name": service, "port": 52773}]


def test_only_the_paths_that_are_named_are_let_through(entered):
    def paths(engine):
        return [match["path"] for match in route(engine)["rules"][0]["matches"]]

    assert paths(entered(entrance())) == [{"type": "PathPrefix", "value": "/csp"}]
    assert paths(entered(entrance(paths=["/csp/sys", "/shop"]))) == [
        {"type": "PathPrefix", "value": "/csp/sys"},
        {"type": "PathPrefix", "value": "/shop"},
    ]
    (rule,) = entered(by_ingress(paths=["/shop"])).one(INGRESS).inputs["spec"]["rules"]
    assert [entry["path"] for entry in rule["http"]["paths"]] == ["/shop"]


def test_requests_by_http_are_sent_to_https(entered):
    engine = entered(entrance())

    redirect = route(engine, "access-redirect")
    assert redirect["parentRefs"][0]["sectionName"] == "http"
    (rule,) = redirect["rules"]
    assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}
    assert route(engine)["parentRefs"][0]["sectionName"] == "https"


def test_the_gateway_shows_the_certificate_that_cert_manager_keeps_renewed(entered):
    engine = entered(entrance())

    gateway = engine.one(f"{GATEWAY_API}:Gateway").inputs["spec"]
    listeners = {listener["name"]: listener for listener in gateway["listeners"]}
    assert {name: entry["port"] for name, entry in listeners.items()} == {"http": 80, "https": 443}
    certificate = engine.one(f"{CERT_MANAGER}:Certificate").inputs["spec"]
    (shown,) = listeners["https"]["tls"]["certificateRefs"]
    assert shown["name"] == certificate["secretName"]
    assert certificate["dnsNames"] == [HOST]


def test_a_gateway_that_exists_is_left_as_it_is(entered):
    engine = entered(entrance(gateway=GIVEN, certificate={"source": "gateway"}))

    assert engine.of_type(f"{GATEWAY_API}:Gateway") == []
    parent = {"name": "public", "namespace": "infra"}
    assert route(engine)["parentRefs"] == [{**parent, "sectionName": "https"}]
    redirect = route(engine, "access-redirect")
    assert redirect["parentRefs"] == [{**parent, "sectionName": "http"}]


def test_a_gateway_that_exists_redirects_nothing_unless_its_listener_for_http_is_named(entered):
    given = {key: value for key, value in GIVEN.items() if key != "httpSection"}
    engine = entered(entrance(gateway=given, certificate={"source": "gateway"}))

    assert [r.name for r in engine.of_type(f"{GATEWAY_API}:HTTPRoute")] == ["access-route"]


@pytest.mark.parametrize("stack", ["eks", "aks", "gke"])
def test_a_gateways_load_balancer_has_an_address_inside_unless_the_internet_is_asked_for(
    committed, stack
):
    def annotations(address):
        gateway = {"className": "envoy", **({"address": address} if address else {})}
        group = entrance(gateway=gateway, certificate=by_dns("route53", ROUTE53))
        made = committed(stack, access=group).one(f"{GATEWAY_API}:Gateway").inputs["spec"]
        return made.get("infrastructure", {}).get("annotations", {})

    service = committed(stack, iris={"service": BALANCED}).named("iris-service")
    assert annotations(None) == service.inputs["metadata"]["annotations"]
    assert annotations("public") != annotations(None)


def test_another_kind_of_load_balancer_is_another_gateway(entered):
    request = entered(entrance()).one(f"{GATEWAY_API}:Gateway").request

    assert set(request.replaceOnChanges) == {"spec.gatewayClassName", "spec.infrastructure"}
    assert request.deleteBeforeReplace


def test_googles_load_balancer_asks_for_an_open_port_and_is_let_in(committed):
    group = entrance(gateway={"className": "gke-l7-global-external-managed"}, controllers=None)
    engine = committed("gke", access=group, cluster={"gatewayApi": True})

    cluster = engine.one("gcp:container/cluster:Cluster").inputs
    assert cluster["gatewayApiConfig"] == {"channel": "CHANNEL_STANDARD"}
    check = engine.named("access-health-check").inputs["spec"]
    assert check["default"]["config"]["type"] == "TCP"
    assert check["targetRef"] == {"group": "", "kind": "Service", "name": "iris"}
    blocks = [peer["ipBlock"]["cidr"] for peer in let_in(engine)[52773]]
    assert blocks == ["130.211.0.0/22", "35.191.0.0/16"]
    assert "infrastructure" not in engine.one(f"{GATEWAY_API}:Gateway").inputs["spec"]


def test_an_ingress_names_its_class_and_its_certificate(entered):
    group = by_ingress()
    group["ingress"]["annotations"] = {"example.com/sticky": "true"}
    ingress = entered(group).one(INGRESS).inputs

    assert ingress["spec"]["ingressClassName"] == "traefik"
    assert ingress["spec"]["tls"] == [{"hosts": [HOST], "secretName": "iris-web-tls"}]
    assert ingress["metadata"]["annotations"]["example.com/sticky"] == "true"


def test_lets_encrypt_is_the_staging_environment_unless_production_is_asked_for(entered):
    staging = issuer(entered(entrance()))
    production = issuer(entered(entrance(certificate=lets_encrypt(environment="production"))))

    assert "acme-staging" in staging["spec"]["acme"]["server"]
    assert "staging" not in production["spec"]["acme"]["server"]
    # A certificate is issued anew when it names another issuer.
    assert staging["metadata"]["name"] != production["metadata"]["name"]
    accounts = {i["spec"]["acme"]["privateKeySecretRef"]["name"] for i in (staging, production)}
    assert len(accounts) == 2


def test_lets_encrypt_finds_its_answer_by_the_same_gateway_or_ingress(entered):
    (solver,) = issuer(entered(entrance()))["spec"]["acme"]["solvers"]
    (parent,) = solver["http01"]["gatewayHTTPRoute"]["parentRefs"]
    assert (parent["name"], parent["sectionName"]) == ("iris-web", "http")

    (solver,) = issuer(entered(by_ingress()))["spec"]["acme"]["solvers"]
    assert solver["http01"]["ingress"]["ingressClassName"] == "traefik"


def test_who_answers_lets_encrypt_is_reached_through_the_closed_namespace(entered):
    engine = entered(entrance())

    policy = engine.one(POLICY, "access-solver-network").inputs["spec"]
    assert policy["podSelector"]["matchLabels"] == {"acme.cert-manager.io/http01-solver": "true"}
    assert policy["ingress"] == [{"ports": [{"port": 8089, "protocol": "TCP"}]}]
    by_record = entered(entrance(certificate=by_dns("route53", ROUTE53)))
    assert "access-solver-network" not in {p.name for p in by_record.of_type(POLICY)}


@pytest.mark.parametrize(
    ("provider", "zone", "expected"),
    [
        ("route53", ROUTE53, {"region": "eu-central-1", "hostedZoneID": "Z0123456789ABC"}),
        (
            "azureDns",
            AZURE_DNS,
            {
                "subscriptionID": AZURE_DNS["subscriptionId"],
                "resourceGroupName": "dns",
                "hostedZoneName": "clinic.org",
                "managedIdentity": {"clientID": AZURE_DNS["clientId"]},
            },
        ),
        ("cloudDns", CLOUD_DNS, {"project": "clinic-dns", "hostedZoneName": "clinic-org"}),
    ],
)
def test_a_record_in_dns_is_written_with_the_identity_of_cert_managers_pod(
    entered, provider, zone, expected
):
    # Which it lends to a ClusterIssuer alone; no key is in the state.
    made = issuer(entered(entrance(certificate=by_dns(provider, zone))), "ClusterIssuer")

    assert "namespace" not in made["metadata"]
    ((_, solver),) = made["spec"]["acme"]["solvers"][0]["dns01"].items()
    assert solver == expected


def test_the_controller_reaches_the_web_server_and_not_the_superserver(entered):
    assert let_in(entered(entrance())) == {52773: [pods_of("envoy-gateway-system")]}

    engine = entered(entrance(), iris={"image": LICENSED})
    assert let_in(engine) == {}
    (rule,) = spec(engine, "iris-web-gateway")["ingress"]
    assert rule["from"] == [pods_of("envoy-gateway-system")]


def test_the_entrance_opens_after_iris_and_closes_before_it(entered):
    engine = entered(entrance())

    for resource in engine.resources:
        if resource.type.startswith((GATEWAY_API, CERT_MANAGER)):
            assert "iris-deployment" in resource.depends_on, resource.name
    assert engine.one(DEPLOYMENT).name == "iris-deployment"


def test_outputs_tell_the_name_with_https_and_what_the_record_in_dns_is_for(composed, resolve):
    _, outputs = composed("dev", access=entrance())

    assert outputs["portalUrl"] == f"https://{HOST}/csp/sys/UtilHome.csp"
    assert outputs["webHostname"] == HOST
    assert "get gateway.gateway.networking.k8s.io iris-web" in outputs["webAddressCommand"]
    assert "${outputs.webAddressCommand}" in outputs["readme"]
    _, outputs = composed("dev", access=entrance(certificate={"source": "none"}))
    assert outputs["portalUrl"].startswith("http://")


def test_nobody_is_sent_to_a_port_forward_where_there_is_a_name(composed):
    _, outputs = composed("dev", access=entrance(), iris={"image": LICENSED})

    assert "webPortForwardCommand" not in outputs


def test_a_load_balancer_of_the_database_is_told_by_its_name_in_dns(composed, resolve):
    service = {**BALANCED, "hostname": "sql.clinic.org"}
    engine, outputs = composed("eks", iris={"service": service})

    assert resolve(outputs["sqlEndpoint"]) == "sql.clinic.org:1972"
    made = engine.one(SERVICE, "iris-service").inputs["metadata"]["annotations"]
    assert made["external-dns.alpha.kubernetes.io/hostname"] == "sql.clinic.org"


def test_the_preview_says_what_stage_the_certificate_is_of(said, composed):
    composed("dev", access=entrance())
    assert any("staging environment, which no browser trusts" in text for text in said)
    said.clear()
    composed("dev", access=entrance(certificate=lets_encrypt(environment="production")))
    assert any("five a week" in text and "try staging first" in text for text in said)


@pytest.mark.parametrize("path", ["/", "/api", "/API/monitor"])
def test_the_preview_warns_of_metrics_that_ask_for_no_login(said, composed, path):
    composed("dev", access=entrance(paths=[path]))

    assert any("/api/monitor" in text for text in said)


def test_the_preview_warns_of_passwords_in_clear(said, composed):
    composed("dev", access=entrance(certificate={"source": "none"}))

    assert any("in clear" in text for text in said)
