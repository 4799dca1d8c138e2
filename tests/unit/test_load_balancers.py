"""Load balancers: none by default, inside by default, and of the kind that each cloud does best."""

import pytest

CLIENTS = {"type": "LoadBalancer", "sourceRanges": ["10.8.0.0/16"]}
AWS = "service.beta.kubernetes.io/aws-load-balancer"
INTERNAL = {
    "eks": {
        f"{AWS}-type": "nlb",
        f"{AWS}-cross-zone-load-balancing-enabled": "true",
        f"{AWS}-internal": "true",
    },
    "aks": {
        "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
        "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "30",
    },
    "gke": {"networking.gke.io/load-balancer-type": "Internal"},
}
INSIDE = {
    "eks": f"{AWS}-internal",
    "aks": "service.beta.kubernetes.io/azure-load-balancer-internal",
    "gke": "networking.gke.io/load-balancer-type",
}


def annotations(engine, name="iris-service"):
    """Annotations of a Service."""
    return engine.named(name).inputs["metadata"]["annotations"]


@pytest.mark.parametrize("stack", INTERNAL)
def test_a_load_balancer_has_an_address_inside_unless_the_internet_is_asked_for(committed, stack):
    public = {**CLIENTS, "address": "public"}

    inside = annotations(committed(stack, iris={"service": CLIENTS}))
    assert INTERNAL[stack].items() <= inside.items()
    outside = annotations(committed(stack, iris={"service": public}))
    assert outside == {key: inside[key] for key in inside if key != INSIDE[stack]}


@pytest.mark.parametrize("stack", INTERNAL)
def test_a_database_that_stays_inside_the_cluster_asks_no_cloud_for_anything(committed, stack):
    assert annotations(committed(stack)) == {}


@pytest.mark.parametrize("stack", INTERNAL)
def test_the_web_gateways_load_balancer_is_as_the_databases_and_opens_by_itself(committed, stack):
    image = "containers.intersystems.com/intersystems/iris:2026.1"
    engine = committed(stack, iris={"image": image, "webGateway": {"service": CLIENTS}})

    assert INTERNAL[stack].items() <= annotations(engine, "iris-web-gateway-service").items()
    assert annotations(engine) == {}


@pytest.mark.parametrize("stack", INTERNAL)
def test_longhorns_interface_never_has_an_address_of_the_internet(committed, stack):
    engine = committed(stack, longhorn={"ui": {"loadBalancerSourceRanges": ["10.8.0.0/16"]}})

    assert INTERNAL[stack].items() <= annotations(engine, "longhorn-ui").items()


def test_eks_makes_no_load_balancer_that_cuts_connections_after_a_minute(eks):
    for address in ("internal", "public"):
        service = {**CLIENTS, "address": address}
        assert annotations(eks(iris={"service": service}))[f"{AWS}-type"] == "nlb"


@pytest.mark.parametrize("stack", INTERNAL)
def test_another_kind_of_load_balancer_is_another_service(committed, stack):
    # Clouds read these when they make it: EKS would leave the old one behind.
    request = committed(stack, iris={"service": CLIENTS}).named("iris-service").request

    paths = {f'metadata.annotations["{key}"]' for key in INTERNAL[stack]}
    assert paths <= set(request.replaceOnChanges)
    assert request.deleteBeforeReplace


def test_annotations_of_the_stack_file_win(eks):
    service = {**CLIENTS, "annotations": {f"{AWS}-type": "external", "team": "dba"}}

    found = annotations(eks(iris={"service": service}))
    assert (found[f"{AWS}-type"], found["team"]) == ("external", "dba")
    assert found[f"{AWS}-internal"] == "true"


def test_a_public_address_without_a_load_balancer_is_refused(refused, stack_config):
    config = {**stack_config("eks"), "ha-iris:iris": '{"service": {"address": "public"}}'}
    message = refused(config, stack="eks")

    assert "ha-iris:iris.service.address is public: a ClusterIP is reached inside" in message
    assert "set type to LoadBalancer, or drop address" in message


def test_on_a_cluster_that_exists_the_address_is_for_its_own_annotations_to_say(
    refused, stack_config
):
    config = stack_config("dev")
    config["ha-iris:iris"] = (
        '{"service": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"], '
        '"address": "internal"}}'
    )

    message = refused(config, stack="dev")
    assert "service.address is internal, and who makes load balancers in a cluster" in message
    assert "write in service.annotations what yours wants" in message
