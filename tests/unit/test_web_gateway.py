"""The web gateway in front of an IRIS whose image brings no web server."""

import configparser
import re

import pytest
from pydantic import ValidationError

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import Iris, IrisSettings
from components.iris.gateway.config import csp_ini
from tests.unit.iris_parts import DEPLOYMENT, SERVICE, merge_file, pod

LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"
ROOTS = "containers.intersystems.com/intersystems/webgateway:2026.2"
COMMUNITY = "containers.intersystems.com/intersystems/iris-community:2026.2"
DISRUPTION_BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"


def gateway(engine):
    """Spec of the gateway's Deployment."""
    return engine.one(DEPLOYMENT, "iris-web-gateway-deployment").inputs["spec"]


def gateway_pod(engine):
    """Spec of the gateway's pod."""
    return gateway(engine)["template"]["spec"]


def gateway_container(engine):
    """The only container of that pod."""
    (only,) = gateway_pod(engine)["containers"]
    return only


def config(engine):
    """The two files that the gateway is given."""
    return engine.named("iris-web-gateway-config").inputs["stringData"]


def ini(text):
    """CSP.ini as data; names keep their case."""
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def names(engine):
    """Names of everything that a program registered."""
    return [resource.name for resource in engine.resources]


@pytest.fixture
def licensed(iris):
    """Deploys a licensed IRIS with these settings of its web gateway."""

    def run(**settings):
        return iris(image=LICENSED, web_gateway=settings)

    return run


@pytest.mark.parametrize(
    ("image", "enabled", "has_one"),
    [
        (LICENSED, None, True),
        (LICENSED, False, False),
        (COMMUNITY, None, False),
        (COMMUNITY, True, True),
        ("containers.intersystems.com/intersystems/iris:2023.1", None, False),
    ],
)
def test_an_image_without_a_web_server_gets_a_gateway_unless_somebody_says_otherwise(
    iris, image, enabled, has_one
):
    engine = iris(image=image, web_gateway={"enabled": enabled})

    assert ("iris-web-gateway" in names(engine)) is has_one
    assert ("iris-web-gateway-credentials-password" in names(engine)) is has_one


def test_the_gateway_reaches_iris_by_its_service_and_as_its_own_user(licensed):
    engine = licensed()
    told = ini(config(engine)["CSP.ini"])
    service = engine.named("iris-service").inputs

    assert told["IRIS"]["Ip_Address"] == service["metadata"]["name"]
    assert told["IRIS"]["TCP_Port"] == str(service["spec"]["ports"][0]["port"])
    assert told["IRIS"]["Username"] == "webgateway"
    assert told["IRIS"]["Password"] == "generated-iris-web-gateway-credentials-password"


def test_every_path_of_the_gateway_leads_to_iris(licensed):
    told = ini(config(licensed())["CSP.ini"])

    assert told["SYSTEM_INDEX"] == {"IRIS": "Enabled"}
    assert told["APP_PATH_INDEX"] == {"/": "Enabled", "/csp": "Enabled"}
    for path in told["APP_PATH_INDEX"]:
        assert told[f"APP_PATH:{path}"]["Default_Server"] == "IRIS"
        assert told[f"APP_PATH:{path}"]["Alternative_Server_0"] == "1~~~~~~IRIS"


def test_apache_hands_every_path_to_the_gateway_without_a_handler_of_its_own(licensed):
    directives = re.sub(r"^\s*#.*\n", "", config(licensed())["CSP.conf"], flags=re.MULTILINE)

    assert re.search(r"<Location />\s+CSP On\s+</Location>", directives)
    assert "SetHandler" not in directives


def test_the_gateways_own_pages_are_off_and_its_log_does_not_grow_for_ever(licensed):
    told = ini(config(licensed())["CSP.ini"])

    assert told["SYSTEM"]["SM_Forms"] == "Disabled"
    assert told["SYSTEM"]["Event_Log_Rotation_Size"] == "8M"


def test_a_csp_ini_has_the_format_that_the_gateway_reads():
    text = csp_ini(host="iris", port=1972, password="Secret1", response_seconds=300)

    assert text.splitlines()[:5] == [
        "[SYSTEM]",
        "SM_Forms=Disabled",
        "Default_Server=IRIS",
        "Server_Response_Timeout=300",
        "Event_Log_Rotation_Size=8M",
    ]
    assert "[IRIS]\nIp_Address=iris\nTCP_Port=1972\n" in text
    assert re.fullmatch(r"(\[[^\]\n]+\]\n([\w/]+=[^\n]+\n)+\n?)+", text)


def test_the_container_copies_its_configuration_from_a_read_only_secret(licensed):
    engine = licensed()
    container = gateway_container(engine)
    (volume,) = gateway_pod(engine)["volumes"]
    (mount,) = container["volumeMounts"]
    files = {entry["name"]: entry["value"] for entry in container["env"]}

    assert volume["secret"]["secretName"] == "iris-web-gateway-config-autonamed"
    assert mount["readOnly"] is True
    assert files == {
        "ISC_CSP_INI_FILE": f"{mount['mountPath']}/CSP.ini",
        "ISC_CSP_CONF_FILE": f"{mount['mountPath']}/CSP.conf",
    }
    # Its owner may write a copy that keeps the mode, and nobody else may read it.
    assert volume["secret"]["defaultMode"] == 0o640
    assert "command" not in container


def test_iris_learns_the_gateways_user_without_roles_and_takes_each_new_password(licensed):
    lines = [line for line in merge_file(licensed()).splitlines() if "webgateway" in line]

    assert [line.split(",")[0] for line in lines] == [
        "CreateUser:Name=webgateway",
        "ModifyUser:Name=webgateway",
    ]
    for line in lines:
        assert "Roles" not in line
        assert line.endswith("ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1")
        assert re.search(r'PasswordHash="[0-9a-f]{128},[0-9a-f]{128},10000,SHA512"', line)


def test_the_gateways_user_has_another_password_than_the_owner(licensed):
    owner, _, gateway_user = re.findall(
        r'(?:CreateUser|ModifyUser):Name=\w+,PasswordHash="(\w+)', merge_file(licensed())
    )

    assert owner != gateway_user


def test_no_user_is_made_for_a_gateway_that_is_not_there(iris):
    assert "webgateway" not in merge_file(iris())
    assert "webgateway" not in merge_file(iris(image=LICENSED, web_gateway={"enabled": False}))


def test_the_gateways_password_is_secret_and_protected_by_nothing(licensed):
    engine = licensed()

    assert "stringData" in engine.named("iris-web-gateway-config").secret_inputs
    ours = [resource for resource in engine.resources if "web-gateway" in resource.name]
    assert len(ours) > 5
    assert [resource.name for resource in ours if resource.protect] == []
    assert engine.named("iris-credentials-password").protect is True


def test_a_gateway_is_always_there_while_others_come_and_go(licensed):
    spec = gateway(licensed())

    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["minReadySeconds"] == 10


def test_a_drain_takes_one_gateway_at_a_time_and_is_never_held_up_by_a_single_one(licensed):
    engine = licensed()
    budget = engine.one(DISRUPTION_BUDGET).inputs["spec"]

    assert budget["maxUnavailable"] == 1
    labels = gateway(engine)["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert licensed(replicas=1).of_type(DISRUPTION_BUDGET) == []


@pytest.mark.parametrize(
    ("nodes", "zones", "spread_over"),
    [
        (3, 3, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]),
        (3, 1, ["kubernetes.io/hostname"]),
        (1, 1, []),
    ],
)
def test_a_lost_zone_or_node_never_takes_all_gateways(
    deploy, kubeconfig, nodes, zones, spread_over
):
    def program():
        settings = ExistingClusterSettings(kubeconfig=kubeconfig, nodes=nodes, zones=zones)
        Iris(
            "iris",
            IrisSettings(image=LICENSED),
            cluster=ExistingCluster("cluster", settings),
            storage_class="local-path",
            storage_ready=[],
            protect_data=False,
        )

    engine = deploy(program)
    constraints = gateway_pod(engine)["topologySpreadConstraints"]

    assert [constraint["topologyKey"] for constraint in constraints] == spread_over
    labels = gateway(engine)["template"]["metadata"]["labels"]
    for constraint in constraints:
        assert constraint["whenUnsatisfiable"] == "DoNotSchedule"
        assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
        assert constraint["nodeTaintsPolicy"] == "Honor"


def test_a_database_that_is_down_neither_restarts_nor_hides_its_gateways(licensed):
    container = gateway_container(licensed())

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": "webserver"}
        assert "httpGet" not in container[probe]


def test_the_gateways_pod_fits_the_restricted_profile(licensed):
    engine = licensed()
    security = gateway_pod(engine)["securityContext"]

    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["fsGroup"] == 51773
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert gateway_container(engine)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert gateway_pod(engine)["automountServiceAccountToken"] is False


def test_a_gateway_is_limited_in_processors_memory_and_disk(licensed):
    resources = gateway_container(licensed(cpu=1.5, memory_mib=768))["resources"]

    assert resources["limits"] == {"cpu": "1.5", "memory": "768Mi", "ephemeral-storage": "2Gi"}
    assert resources["requests"].items() >= {"cpu": "1.5", "memory": "768Mi"}.items()


def test_the_databases_service_never_sends_a_client_to_a_gateway(licensed):
    engine = licensed()
    database = engine.named("iris-service").inputs["spec"]["selector"]
    web = engine.named("iris-web-gateway-service").inputs["spec"]["selector"]
    gateways = gateway(engine)["template"]["metadata"]["labels"]
    instances = engine.named("iris-deployment").inputs["spec"]["template"]["metadata"]["labels"]

    assert web.items() <= gateways.items()
    assert not database.items() <= gateways.items()
    assert not web.items() <= instances.items()


def test_a_clients_session_stays_with_one_gateway(licensed):
    spec = licensed().named("iris-web-gateway-service").inputs["spec"]

    assert spec["sessionAffinity"] == "ClientIP"
    assert [(port["name"], port["port"]) for port in spec["ports"]] == [("webserver", 52773)]


def test_the_gateway_is_closed_to_the_outside_until_its_own_settings_open_it(iris):
    service = {"type": "LoadBalancer", "source_ranges": ["203.0.113.0/24"]}
    inside = iris(image=LICENSED, service=service).named("iris-web-gateway-service")
    outside = iris(image=LICENSED, web_gateway={"service": service}).named(
        "iris-web-gateway-service"
    )

    assert inside.inputs["spec"]["type"] == "ClusterIP"
    assert outside.inputs["spec"]["type"] == "LoadBalancer"
    assert outside.inputs["spec"]["loadBalancerSourceRanges"] == ["203.0.113.0/24"]


def test_database_and_gateway_do_not_wait_for_each_other(licensed):
    engine = licensed()
    made = {resource.name: set(resource.depends_on) for resource in engine.resources}

    assert "iris-deployment" not in made["iris-web-gateway-deployment"]
    assert "iris-web-gateway-deployment" not in made["iris-deployment"]
    assert "iris-web-gateway-deployment" in made["iris-web-gateway-service"]


def test_the_gateways_image_is_pulled_with_the_login_of_iris(iris):
    engine = iris(image=LICENSED, registry_login={"username": "user", "password": "token"})

    assert gateway_pod(engine)["serviceAccountName"] == pod(engine)["serviceAccountName"]
    assert gateway_container(engine)["image"].endswith("/webgateway-lockeddown:2026.2")


def test_what_changes_at_the_gateway_does_not_restart_the_database(licensed):
    before = licensed()
    for change in (
        {"replicas": 3},
        {"cpu": 1},
        {"response_seconds": 300},
        {"image": "registry.example.com/webgateway-lockeddown:2027.1"},
    ):
        after = licensed(**change)
        assert pod(after) == pod(before)
        assert merge_file(after) == merge_file(before)
        assert gateway(after) != gateway(before) or config(after) != config(before)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"image": "containers.intersystems.com/intersystems/iris:2027.1"},
            "no web gateway older than IRIS, which iris.image containers.intersystems.com",
        ),
        (
            {"image": LICENSED, "username": "WebGateway"},
            "the gateway logs in to IRIS as webgateway",
        ),
        (
            {"image": LICENSED, "web_gateway": {"image": "a/webgateway-lockeddown:latest-em"}},
            "such a tag moves",
        ),
        (
            {
                "image": LICENSED,
                "web_gateway": {
                    "image": "containers.intersystems.com/intersystems/webgateway:2026.2"
                },
            },
            "use webgateway-lockeddown",
        ),
        ({"image": LICENSED, "web_gateway": {"replicas": 0}}, "greater than or equal to 1"),
    ],
)
def test_what_could_not_work_is_refused_with_its_cure(settings, told):
    with pytest.raises(ValidationError, match=re.escape(told)):
        IrisSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"image": "a/iris:2027.1", "web_gateway": {"enabled": False}},
        {"image": "a/iris:2027.1", "web_gateway": {"image": "a/webgateway-lockeddown:2027.1"}},
        {"image": COMMUNITY, "username": "webgateway"},
        {"image": f"a/iris@sha256:{'0' * 64}"},
    ],
)
def test_what_concerns_no_gateway_or_a_new_enough_one_is_accepted(settings):
    IrisSettings(**settings)


def test_there_is_one_service_where_the_image_has_its_own_web_server(iris):
    assert [service.name for service in iris().of_type(SERVICE)] == ["iris-service"]
