"""What a stack with form operator asks of Kubernetes, in which order, and what outlives what."""

import base64

import pytest

from tests.unit.destroy_order import gone_before
from tests.unit.iris_cluster import CHART, ICR, LICENSED, MIRROR, faults

RELEASE = "kubernetes:helm.sh/v3:Release"
CLUSTER = "kubernetes:intersystems.com/v1alpha1:IrisCluster"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


@pytest.fixture
def operated(iris):
    """Deploys IRIS in form operator."""

    def run(*, operator=None, **settings):
        return iris(form="operator", operator={"chart": CHART, **(operator or {})}, **settings)

    return run


def values(engine):
    return engine.one(RELEASE).inputs["values"]


def test_the_operator_gives_volumes_to_iriss_group_and_needs_no_container_of_roots(operated):
    engine = operated()

    assert values(engine)["operator"] == {"useIrisFsGroup": True}
    assert engine.one(RELEASE).inputs["namespace"] == "iris-operator"
    namespace = engine.named("iris-operator-namespace").inputs["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    iris = engine.named("iris-namespace").inputs["metadata"]
    assert iris["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_images_of_the_chart_are_told_as_its_values_take_them(operated):
    images = {
        "image": f"{ICR}/iris-operator:3.8.42.100",
        "cleaner_image": "localhost:5000/kubectl:1.35",
    }
    found = values(operated(operator=images))

    assert found["operator"] == {
        "useIrisFsGroup": True,
        "registry": "containers.intersystems.com",
        "repository": "intersystems/iris-operator",
        "tag": "3.8.42.100",
    }
    assert found["cleaner"] == {
        "registry": "localhost:5000",
        "repository": "kubectl",
        "tag": "1.35",
    }


def test_a_chart_of_a_registry_comes_in_one_version(operated):
    registry = {"chart": "oci://registry.example.com/iris-operator", "chart_version": "3.8.42"}
    release = operated(operator=registry).one(RELEASE).inputs

    assert (release["chart"], release["version"]) == (registry["chart"], "3.8.42")


@pytest.mark.parametrize("own", [True, False])
def test_the_operators_image_is_pulled_with_its_own_login_or_that_of_iris(operated, own):
    login = {"username": "own", "password": "token"}
    operator = {"registry_login": login} if own else {}
    engine = operated(
        operator=operator, **LICENSED, registry_login={"username": "iris", "password": "token"}
    )

    secret = engine.named("iris-operator-registry-login")
    config = secret.inputs["stringData"][".dockerconfigjson"]
    assert ('"own"' in config) is own
    assert "stringData" in secret.secret_inputs
    assert values(engine)["imagePullSecrets"] == [{"name": "registry-login"}]


def test_the_iris_cluster_is_made_of_published_fields(operated):
    made = operated(operator=MIRROR, **LICENSED).one(CLUSTER).inputs

    assert made["metadata"]["name"] == "iris"
    assert faults(made["spec"]) == []
    assert made["spec"]["licenseKeySecret"]["name"].startswith("iris-license")


def test_the_iris_cluster_is_gone_before_the_operator_that_lets_it_go(operated):
    engine = operated()

    for name in ("iris-operator-release", "iris-operator-namespace", "iris-network", "iris-cpf"):
        assert "iris-cluster" in gone_before(engine, name), name


def test_a_plan_without_the_iris_cluster_is_refused_while_data_is_protected(operated):
    kept = operated().one(CLUSTER)
    free = operated(protect_data=False).one(CLUSTER)

    assert (kept.protect, kept.request.retainOnDelete) == (True, True)
    assert (free.protect, free.request.retainOnDelete) == (False, False)


def test_the_program_makes_no_claim_and_no_pod_of_its_own(operated):
    engine = operated()

    assert engine.of_type("kubernetes:core/v1:PersistentVolumeClaim") == []
    assert engine.of_type("kubernetes:apps/v1:Deployment") == []
    assert engine.of_type("kubernetes:core/v1:Secret") == []


def test_clients_come_by_a_service_of_the_programs_to_the_primary_alone(operated):
    single = operated().named("iris-service").inputs
    mirror = operated(operator=MIRROR, **LICENSED).named("iris-service").inputs

    # The operator has a Service called iris.
    assert single["metadata"]["name"] == "iris-superserver"
    labels = {
        "intersystems.com/kind": "IrisCluster",
        "intersystems.com/name": "iris",
        "intersystems.com/component": "data",
    }
    assert single["spec"]["selector"] == labels
    assert mirror["spec"]["selector"] == {**labels, "intersystems.com/mirrorRole": "primary"}
    # Nobody has published what the operator's containers call their ports.
    assert [port["targetPort"] for port in single["spec"]["ports"]] == [1972, 52773]


def test_the_programs_web_gateway_stands_before_the_operators_database(operated):
    engine = operated(**LICENSED)

    assert "webgateway" not in engine.one(CLUSTER).inputs["spec"]["topology"]
    config = engine.named("iris-web-gateway-config").inputs["stringData"]["CSP.ini"]
    assert "Ip_Address=iris-superserver" in config


def test_the_operators_own_web_gateways_take_its_place(operated):
    engine = operated(operator={"web_gateway": True}, **LICENSED)

    assert engine.of_type("ha-iris:database:WebGateway") == []
    service = engine.named("iris-web-gateway-service").inputs["spec"]
    assert service["selector"]["intersystems.com/component"] == "webgateway"
    assert service["ports"][0]["targetPort"] == 52773
    secret = engine.named("iris-web-gateway-login")
    login = secret.inputs["stringData"]
    assert login["username"] == "webgateway"
    mark, encoded = login["password"][:3], login["password"][3:]
    assert mark == "]]]"
    assert base64.b64decode(encoded).decode() == "generated-iris-web-gateway-credentials-password"
    assert "stringData" in secret.secret_inputs
    merged = engine.named("iris-cpf").inputs["data"]
    assert "CreateUser:Name=webgateway" in merged["common.cpf"]
    assert "Server_Response_Timeout=60" in merged["CSP-merge.ini"]


def test_policies_open_the_operators_pods_to_who_is_named_and_to_the_operator(operated):
    specs = {p.inputs["metadata"]["name"]: p.inputs["spec"] for p in operated().of_type(POLICY)}

    assert specs["iris"]["podSelector"]["matchLabels"]["intersystems.com/component"] == "data"
    door = specs["iris-operator"]
    assert door["podSelector"]["matchLabels"] == {
        "intersystems.com/kind": "IrisCluster",
        "intersystems.com/name": "iris",
    }
    (rule,) = door["ingress"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "iris-operator"}}}
    ]


def test_switched_off_policies_leave_no_door_of_the_operators(operated):
    assert operated(network_policy={"enabled": False}).of_type(POLICY) == []


def test_the_merge_files_are_secret_in_the_state_and_new_ones_are_a_new_config_map(operated):
    config = operated().named("iris-cpf")

    assert config.type == "kubernetes:core/v1:ConfigMap"
    assert config.inputs["immutable"] is True
    assert "name" not in config.inputs["metadata"]
    assert "data" in config.secret_inputs
    assert "PasswordHash=" in config.inputs["data"]["common.cpf"]


def test_another_form_asks_for_no_operator(iris):
    engine = iris()

    assert engine.of_type(CLUSTER) == []
    assert engine.of_type(RELEASE) == []


@pytest.mark.parametrize("mirrored", [False, True])
def test_snapshots_freeze_the_node_that_writes(composed, mirrored):
    operator = {"chart": CHART}
    if mirrored:
        operator |= {"mirrored": True, "arbiterImage": MIRROR["arbiter_image"]}
    iris = {"form": "operator", "operator": operator, "image": LICENSED["image"]}
    engine, _ = composed("dev", iris=iris)

    (told,) = [
        config.inputs["data"]["settings.json"]
        for config in engine.of_type("kubernetes:core/v1:ConfigMap")
        if "settings.json" in config.inputs["data"]
    ]
    assert "intersystems.com/component=data" in told
    assert ("intersystems.com/mirrorRole=primary" in told) is mirrored
    # The operator names its hosts, and a mirror's primary changes: none of them is called gone.
    assert '"instances": []' in told
