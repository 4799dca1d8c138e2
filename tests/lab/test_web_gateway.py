"""The web gateway against a real API server, scheduler and Deployment controller.

No container runs: a gateway here is ready because its pod is. What Apache and the gateway do is
not seen.
"""

import base64
import configparser
import threading
import time

import pytest

from tests.lab.stack import changes, exists
from tests.lab.waiting import eventually

IMAGE = "containers.intersystems.com/intersystems/webgateway-lockeddown"
LICENSED = {"image": "containers.intersystems.com/intersystems/iris:2026.1"}
SELECTOR = "app.kubernetes.io/name=iris-web-gateway"


@pytest.fixture
def licensed(shared_stack):
    """The stack with a licensed image, up."""
    shared_stack.groups = {"iris": LICENSED}
    shared_stack.run("up")
    return shared_stack


def with_gateway(stack, **settings):
    """Give the stack's gateway these settings."""
    stack.groups = {"iris": {**LICENSED, "webGateway": settings}}


def pods(stack):
    """The gateway's pods that are not on their way out."""
    listed = stack.get("pods", "-n", "iris", "-l", SELECTOR)["items"]
    return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def zones(stack):
    """Zone of each node."""
    label = "topology.kubernetes.io/zone"
    nodes = stack.get("nodes")["items"]
    return {node["metadata"]["name"]: node["metadata"]["labels"][label] for node in nodes}


def config(stack):
    """CSP.ini in the Secret that the Deployment mounts."""
    deployment = stack.get("deployment", "iris-web-gateway", "-n", "iris")
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
    secret = stack.get("secret", volume["secret"]["secretName"], "-n", "iris")
    parser = configparser.RawConfigParser()
    parser.read_string(base64.b64decode(secret["data"]["CSP.ini"]).decode())
    return parser


def test_pod_security_restricted_admits_the_gateways_and_the_scheduler_parts_them(licensed):
    namespace = licensed.get("namespace", "iris")["metadata"]["labels"]
    running = pods(licensed)

    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    assert [pod["status"]["phase"] for pod in running] == ["Running", "Running"]
    places = {zones(licensed)[pod["spec"]["nodeName"]] for pod in running}
    assert len(places) == 2
    assert changes(licensed.run("up")) == {}


def test_the_web_service_has_the_gateways_behind_it_and_that_of_the_database_has_not(licensed):
    def behind(service):
        found = licensed.get(
            "endpointslices", "-n", "iris", "-l", f"kubernetes.io/service-name={service}"
        )["items"]
        return [endpoint["targetRef"]["name"] for piece in found for endpoint in piece["endpoints"]]

    gateways = sorted(pod["metadata"]["name"] for pod in pods(licensed))

    eventually(lambda: sorted(behind("iris-web")) == gateways)
    assert len(behind("iris")) == 1
    assert not set(behind("iris")) & set(gateways)


def test_outputs_lead_to_the_gateway(licensed):
    outputs = licensed.engine.outputs(show_secrets=True)

    assert outputs["portalUrl"] == "http://localhost:52773/csp/sys/UtilHome.csp"
    assert outputs["webPortForwardCommand"].endswith("port-forward service/iris-web 52773")


def test_a_new_image_comes_pod_by_pod_with_two_ready_all_the_time(licensed):
    with_gateway(licensed, image=f"{IMAGE}:2026.3")
    seen: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            status = licensed.get("deployment", "iris-web-gateway", "-n", "iris")["status"]
            seen.append(status.get("availableReplicas", 0))
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = licensed.run("up")
    finally:
        done.set()
        watcher.join()

    # The nodes have the image before the pods want it.
    assert changes(result) == {
        "iris-images": "update",
        "iris-web-gateway-deployment": "update",
    }
    assert len(seen) > 5
    assert min(seen) >= 2
    images = {pod["spec"]["containers"][0]["image"] for pod in pods(licensed)}
    assert images == {f"{IMAGE}:2026.3"}


def test_more_and_fewer_gateways_touch_nothing_else(licensed):
    with_gateway(licensed, replicas=3)
    more = licensed.run("up")

    assert changes(more) == {"iris-web-gateway-deployment": "update"}
    assert len({zones(licensed)[pod["spec"]["nodeName"]] for pod in pods(licensed)}) == 3

    with_gateway(licensed, replicas=1)
    one = licensed.run("up")

    # A budget for a single pod would say nothing.
    assert changes(one) == {
        "iris-web-gateway-deployment": "update",
        "iris-web-gateway-disruption-budget": "delete",
    }


def test_a_changed_configuration_is_a_new_secret_and_new_pods(licensed):
    before = {pod["metadata"]["name"] for pod in pods(licensed)}
    with_gateway(licensed, responseSeconds=300)

    planned = changes(licensed.run("preview"))
    licensed.run("up")

    assert set(planned) == {"iris-web-gateway-config", "iris-web-gateway-deployment"}
    assert config(licensed)["SYSTEM"]["Server_Response_Timeout"] == "300"
    assert not before & {pod["metadata"]["name"] for pod in pods(licensed)}


def test_a_new_password_reaches_iris_and_gateway_in_one_update(licensed):
    before = config(licensed)["IRIS"]["Password"]
    (urn,) = (
        resource["urn"]
        for resource in licensed.engine.resources
        if resource["urn"].endswith("::iris-web-gateway-credentials-password")
    )

    done = changes(licensed.run("up", "--replace", urn))

    assert {"iris-cpf", "iris-deployment"} <= set(done)
    assert {"iris-web-gateway-config", "iris-web-gateway-deployment"} <= set(done)
    assert "iris-credentials-password" not in done
    assert config(licensed)["IRIS"]["Password"] != before


def test_switched_off_it_goes_whole_and_the_database_keeps_its_volume(licensed):
    claim = licensed.claim_uid()
    with_gateway(licensed, enabled=False)

    done = changes(licensed.run("up"))

    gone = {name for name, action in done.items() if action.startswith("delete")}
    assert {
        "iris-web-gateway",
        "iris-web-gateway-config",
        "iris-web-gateway-deployment",
        "iris-web-gateway-service",
        "iris-web-gateway-credentials-password",
    } <= gone
    # Its user is no longer in the merge file, which IRIS reads when it starts.
    assert done["iris-deployment"] == "update"
    assert not exists(licensed, "deployment,service,pdb", "-n", "iris", "-l", SELECTOR)
    assert licensed.claim_uid() == claim
    assert "portalUrl" not in licensed.engine.outputs()
