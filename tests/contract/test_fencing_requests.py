"""What the fencing agent asks of the clouds, against their own descriptions of their APIs.

botocore signs and serialises the same calls, and parses what the played AWS answers; Google's
client says method and path. Azure's requests are checked against its documented paths alone: no
package of the contract tests has the model of Compute.
"""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer
from google.cloud.compute_v1.services.instances.transports.rest_base import (
    _BaseInstancesRestTransport as Instances,
)
from google.cloud.compute_v1.services.zone_operations.transports.rest_base import (
    _BaseZoneOperationsRestTransport as Operations,
)
from google.cloud.compute_v1.types import ResetInstanceRequest

from components.aws.power import power_policy
from components.fencing.program.aws import Aws, signed
from components.fencing.program.azure import Azure
from components.fencing.program.gcp import Gcp
from components.fencing.program.power import PowerError, WrongMachine
from tests.contract.policies import policy_faults

KEYS = {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret/of+nobody", "Token": "tok=/+"}
SESSION = botocore.session.get_session()
VM = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"
    "/virtualMachineScaleSets/aks-a-1-vmss/virtualMachines/0"
)


class Played:
    """A cloud on this machine that answers as it is told, and keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        played = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                url = urlsplit(self.path)
                played.asked.append((self.command, url.path, parse_qs(url.query), body))
                form = {key: values[0] for key, values in parse_qs(body).items()}
                key = form.get("Action") or url.path
                status, text = played.answers.get(key, (404, f"nobody planned for {key}"))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer

            def log_message(self, format, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def forms(self):
        """What was posted as a form, field by field."""
        return [{k: v[0] for k, v in parse_qs(b).items()} for m, _, _, b in self.asked if b]


@pytest.fixture
def cloud():
    played = Played()
    yield played
    played.server.shutdown()
    played.server.server_close()


@pytest.fixture
def aws(cloud, monkeypatch, tmp_path):
    token = tmp_path / "token"
    token.write_text("pod-token")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{cloud.url}/keys")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
    cloud.answers["/keys"] = (200, json.dumps(KEYS))
    endpoints = {"ec2": f"{cloud.url}/", "autoscaling": f"{cloud.url}/"}
    for action in ("StopInstances", "StartInstances", "SuspendProcesses", "ResumeProcesses"):
        cloud.answers[action] = (200, "<r/>")
    cloud.answers["SetInstanceHealth"] = (200, "<r/>")
    cloud.answers["DescribeAutoScalingInstances"] = (200, in_group("eks-a"))
    return Aws("eu-west-1", endpoints)


def instance(state="running", address="10.0.1.7"):
    return (
        '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        "<reservationSet><item><instancesSet><item><instanceId>i-0abc</instanceId>"
        f"<instanceState><code>16</code><name>{state}</name></instanceState>"
        f"<privateIpAddress>{address}</privateIpAddress>"
        "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
    )


def in_group(name):
    return (
        '<DescribeAutoScalingInstancesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">'
        "<DescribeAutoScalingInstancesResult><AutoScalingInstances><member>"
        f"<AutoScalingGroupName>{name}</AutoScalingGroupName>"
        "</member></AutoScalingInstances></DescribeAutoScalingInstancesResult>"
        "</DescribeAutoScalingInstancesResponse>"
    )


def serialised(service, operation, arguments):
    """The form that botocore would post."""
    model = SESSION.get_service_model(service)
    protocol = model.resolved_protocol
    request = create_serializer(protocol).serialize_to_request(
        arguments, model.operation_model(operation)
    )
    body = {k: str(v).lower() if isinstance(v, bool) else v for k, v in request["body"].items()}
    return body


def test_a_request_is_signed_as_botocore_signs_it():
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    url, body = "https://ec2.eu-west-1.amazonaws.com/", b"Action=StopInstances&InstanceId.1=i-0abc"

    headers = signed(url, body, service="ec2", region="eu-west-1", keys=KEYS, now=lambda: moment)

    theirs = AWSRequest("POST", url, data=body, headers={"Content-Type": headers["content-type"]})
    theirs.context["timestamp"] = headers["x-amz-date"]
    theirs.headers["X-Amz-Date"] = headers["x-amz-date"]
    theirs.headers["X-Amz-Security-Token"] = KEYS["Token"]
    keys = Credentials(KEYS["AccessKeyId"], KEYS["SecretAccessKey"], KEYS["Token"])
    auth = SigV4Auth(keys, "ec2", "eu-west-1")
    canonical = auth.canonical_request(theirs)
    signature = auth.signature(auth.string_to_sign(theirs, canonical), theirs)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_stopping_an_instance_asks_aws_what_botocore_would_ask(aws, cloud):
    handle = aws.off("i-0abc", "request")
    aws.on("i-0abc", handle)
    aws.done("i-0abc", handle)

    processes = ["HealthCheck", "ReplaceUnhealthy"]
    group = {"AutoScalingGroupName": "eks-a", "ScalingProcesses": processes}
    healthy = {"InstanceId": "i-0abc", "HealthStatus": "Healthy", "ShouldRespectGracePeriod": False}
    stopped = {"InstanceIds": ["i-0abc"], "Force": True, "SkipOsShutdown": True}
    assert cloud.forms() == [
        serialised("autoscaling", "DescribeAutoScalingInstances", {"InstanceIds": ["i-0abc"]}),
        serialised("autoscaling", "SuspendProcesses", group),
        serialised("ec2", "StopInstances", stopped),
        serialised("ec2", "StartInstances", {"InstanceIds": ["i-0abc"]}),
        serialised("autoscaling", "SetInstanceHealth", healthy),
        serialised("autoscaling", "ResumeProcesses", group),
    ]


@pytest.mark.parametrize(
    ("state", "means"),
    [
        ("pending", "on"),
        ("running", "on"),
        ("stopping", "changing"),
        ("shutting-down", "changing"),
        ("stopped", "off"),
        ("terminated", "off"),
    ],
)
def test_every_state_of_ec2_is_understood_and_two_alone_prove_that_it_is_off(
    aws, cloud, state, means
):
    cloud.answers["DescribeInstances"] = (200, instance(state))
    known = SESSION.get_service_model("ec2").shape_for("InstanceStateName").enum

    assert state in known
    assert len(known) == 6
    assert aws.state("i-0abc", "") == means


@pytest.mark.parametrize(
    ("address", "provider_id", "said"),
    [
        ("10.0.1.8", "aws:///eu-west-1a/i-0abc", "i-0abc has the address 10.0.1.7, and n has 10"),
        ("10.0.1.7", "aws:///eu-west-1a/other", "n names no instance"),
        ("", "aws:///eu-west-1a/i-0abc", "and n has "),
    ],
)
def test_an_instance_that_is_not_the_nodes_is_refused(aws, cloud, address, provider_id, said):
    cloud.answers["DescribeInstances"] = (200, instance())

    with pytest.raises(WrongMachine, match=said):
        aws.identify("n", address, provider_id)
    assert aws.identify("n", "10.0.1.7", "aws:///eu-west-1a/i-0abc") == "i-0abc"


def test_what_aws_refuses_is_told_and_frees_nothing(aws, cloud):
    cloud.answers["StopInstances"] = (403, "UnauthorizedOperation")

    with pytest.raises(PowerError, match="403 UnauthorizedOperation"):
        aws.off("i-0abc", "request")


def test_the_role_on_aws_may_do_what_the_agent_asks_and_no_more(aws, cloud):
    cloud.answers["DescribeInstances"] = (200, instance())
    aws.identify("n", "10.0.1.7", "aws:///eu-west-1a/i-0abc")
    aws.done("i-0abc", aws.off("i-0abc", "r"))
    aws.on("i-0abc", "")
    policy = power_policy("production")

    assert policy_faults("policy_identity", policy) == []
    allowed = [action for s in json.loads(policy)["Statement"] for action in s["Action"]]
    assert {action.partition(":")[2] for action in allowed} == {
        form["Action"] for form in cloud.forms()
    }
    for statement in json.loads(policy)["Statement"]:
        changes = not all(
            action.split(":")[1].startswith("Describe") for action in statement["Action"]
        )
        assert changes == ("Condition" in statement)


def gce(cloud):
    cloud.answers["/token"] = (200, json.dumps({"access_token": "t"}))
    return Gcp(compute=f"{cloud.url}/compute/v1", metadata=f"{cloud.url}/token")


def test_a_reset_asks_google_what_its_client_would_ask_and_is_off_when_done(cloud):
    machine, zone = (
        "projects/p/zones/europe-west1-b/instances/gke-n",
        "projects/p/zones/europe-west1-b",
    )
    power = gce(cloud)
    cloud.answers[f"/compute/v1/{machine}/reset"] = (200, json.dumps({"name": "op-1"}))
    cloud.answers[f"/compute/v1/{zone}/operations/op-1"] = (200, json.dumps({"status": "RUNNING"}))

    handle = power.off(machine, "3f1c")
    assert power.state(machine, "") == "on"
    assert power.state(machine, handle) == "changing"
    cloud.answers[f"/compute/v1/{zone}/operations/op-1"] = (200, json.dumps({"status": "DONE"}))
    assert power.state(machine, handle) == "off"

    names = {"project": "p", "zone": "europe-west1-b", "instance": "gke-n", "operation": "op-1"}
    (reset,) = Instances._BaseReset._get_http_options()
    (get,) = Operations._BaseGet._get_http_options()
    method, path, query, _ = cloud.asked[1]
    assert (method.lower(), path) == (reset["method"], reset["uri"].format(**names))
    assert query == {"requestId": ["3f1c"]}
    assert "request_id" in ResetInstanceRequest.meta.fields
    assert cloud.asked[-1][:2] == ("GET", get["uri"].format(**names))


def test_a_reset_that_failed_proves_nothing(cloud):
    power = gce(cloud)
    failed = {"status": "DONE", "error": {"errors": [{"code": "RESOURCE_NOT_FOUND"}]}}
    cloud.answers["/compute/v1/op"] = (200, json.dumps(failed))

    with pytest.raises(PowerError, match="RESOURCE_NOT_FOUND"):
        power.state("m", "op")


@pytest.mark.parametrize(("name", "address"), [("gke-n", "10.0.0.9"), ("gke-m", "10.0.0.8")])
def test_a_google_machine_that_is_not_the_nodes_is_refused(cloud, name, address):
    path = "/compute/v1/projects/p/zones/z/instances/gke-n"
    told = {"name": "gke-n", "networkInterfaces": [{"networkIP": "10.0.0.8"}]}
    cloud.answers[path] = (200, json.dumps(told))

    with pytest.raises(WrongMachine):
        gce(cloud).identify(name, address, "gce://p/z/gke-n")
    assert gce(cloud).identify("gke-n", "10.0.0.8", "gce://p/z/gke-n").endswith("/gke-n")


@pytest.fixture
def azure(cloud, tmp_path):
    token = tmp_path / "token"
    token.write_text("pod-token")
    cloud.answers["/tenant/oauth2/v2.0/token"] = (
        200,
        json.dumps({"access_token": "t", "expires_in": 3600}),
    )
    return Azure("tenant", "client", token=str(token), login=cloud.url, management=cloud.url)


def test_a_machine_of_a_scale_set_is_powered_off_without_its_systems_shutdown(azure, cloud):
    for verb in ("powerOff", "start"):
        cloud.answers[f"{VM}/{verb}"] = (202, "")

    handle = azure.off(VM, "request")
    azure.on(VM, handle)

    (login,) = cloud.forms()
    assert login["client_assertion"] == "pod-token"
    assert login["grant_type"] == "client_credentials"
    assert [
        (method, path, query.get("skipShutdown")) for method, path, query, _ in cloud.asked[1:]
    ] == [
        ("POST", f"{VM}/powerOff", ["true"]),
        ("POST", f"{VM}/start", None),
    ]


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("PowerState/running", "on"),
        ("PowerState/starting", "on"),
        ("PowerState/stopping", "changing"),
        ("PowerState/stopped", "off"),
        ("PowerState/deallocated", "off"),
        ("PowerState/unknown", "changing"),
    ],
)
def test_a_machine_of_azure_is_off_when_it_says_stopped_or_deallocated(azure, cloud, code, means):
    statuses = [{"code": "ProvisioningState/succeeded"}, {"code": code}]
    cloud.answers[f"{VM}/instanceView"] = (200, json.dumps({"statuses": statuses}))

    assert azure.state(VM, "") == means


def test_a_machine_of_azure_that_is_not_the_nodes_is_refused(azure, cloud):
    told = {"properties": {"osProfile": {"computerName": "aks-a-1-vmss00000A"}}}
    cloud.answers[VM] = (200, json.dumps(told))

    assert azure.identify("aks-a-1-vmss00000a", "10.0.0.4", f"azure://{VM}") == VM
    with pytest.raises(WrongMachine, match="aks-a-1-vmss00000A"):
        azure.identify("aks-a-1-vmss00000b", "10.0.0.4", f"azure://{VM}")
    with pytest.raises(WrongMachine, match="no machine of a scale set"):
        azure.identify("n", "10.0.0.4", "azure:///subscriptions/s/virtualMachines/n")
