"""What the fencing agent asks of AWS, against botocore and against moto's EC2 and Auto Scaling.

botocore signs and serialises the same calls. moto plays the services of AWS in this process: it
knows states of instances and suspended processes, and no rights, no hung machine and no time.
"""

import json
from datetime import UTC, datetime

import boto3
import botocore.session
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer
from moto import mock_aws

from components.aws.power import power_policy
from components.fencing.program import aws as program
from components.fencing.program.aws import Aws, signed
from components.fencing.program.power import PowerError, WrongMachine
from tests.contract.policies import policy_faults
from tests.unit.fencing_world import World

KEYS = {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret/of+nobody", "Token": "tok=/+"}
IMAGE = "ami-12c6146b"
"""One that moto knows."""

SESSION = botocore.session.get_session()


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
        serialised("autoscaling", "DescribeAutoScalingInstances", {"InstanceIds": ["i-0abc"]}),
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


@pytest.fixture
def refused():
    """Actions that AWS refuses for the time being."""
    return set()


@pytest.fixture
def moto(monkeypatch, refused):
    """AWS as moto plays it, with one machine in a group of its own; gives the machine's ID."""

    def through_requests(method, url, *, headers=None, body=None):
        if any(f"Action={action}&".encode() in (body or b"") for action in refused):
            raise PowerError("503 RequestLimitExceeded")
        answer = requests.request(method, url, headers=headers, data=body, timeout=10)
        if answer.status_code >= 400:
            raise PowerError(f"{answer.status_code} {answer.text}")
        return answer.text

    # moto stands in the way of requests, not of urllib.
    monkeypatch.setattr(program, "call", through_requests)
    monkeypatch.setattr(program, "keys", lambda: KEYS)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    with mock_aws():
        ec2 = boto3.client("ec2", "eu-west-1")
        groups = boto3.client("autoscaling", "eu-west-1")
        ec2.create_launch_template(
            LaunchTemplateName="nodes",
            LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "m7i.xlarge"},
        )
        groups.create_auto_scaling_group(
            AutoScalingGroupName="eks-a",
            LaunchTemplate={"LaunchTemplateName": "nodes"},
            MinSize=1,
            MaxSize=2,
            DesiredCapacity=1,
            AvailabilityZones=["eu-west-1a"],
        )
        (machine,) = groups.describe_auto_scaling_instances()["AutoScalingInstances"]
        yield machine["InstanceId"], ec2, groups


def suspended(groups):
    """What Auto Scaling does not do for the time being."""
    (group,) = groups.describe_auto_scaling_groups()["AutoScalingGroups"]
    return {process["ProcessName"] for process in group["SuspendedProcesses"]}


def test_a_node_that_comes_back_after_a_stop_that_aws_refused_leaves_its_group_looking(
    moto, refused
):
    machine, ec2, groups = moto
    (found,) = ec2.describe_instances(InstanceIds=[machine])["Reservations"]
    world = World()
    for one in world.agents:
        one.agent.fence.power = Aws("eu-west-1")
    node = world.node("a")
    node["spec"]["providerID"] = f"aws:///eu-west-1a/{machine}"
    node["status"]["addresses"][0]["address"] = found["Instances"][0]["PrivateIpAddress"]

    refused.add("StopInstances")
    world.crash("a")
    world.until(lambda: suspended(groups))
    assert suspended(groups) == {"HealthCheck", "ReplaceUnhealthy"}
    refused.add("ResumeProcesses")
    world.power_on("a")
    world.run(60)
    assert world.phase("a") == "asked"
    refused.remove("ResumeProcesses")
    world.until(lambda: world.phase("a") is None)

    assert world.events()[-1].startswith("FenceGivenUp")
    assert suspended(groups) == set()


def test_a_machine_is_stopped_and_started_while_its_group_looks_away(moto):
    machine, ec2, groups = moto
    aws = Aws("eu-west-1")

    def power():
        (found,) = ec2.describe_instances(InstanceIds=[machine])["Reservations"]
        return found["Instances"][0]["State"]["Name"]

    (found,) = ec2.describe_instances(InstanceIds=[machine])["Reservations"]
    address = found["Instances"][0]["PrivateIpAddress"]
    assert aws.identify("n", address, f"aws:///eu-west-1a/{machine}") == machine
    assert aws.state(machine, "") == "on"

    handle = aws.off(machine, "request")
    assert (handle, power(), aws.state(machine, handle)) == ("eks-a", "stopped", "off")
    assert suspended(groups) == {"HealthCheck", "ReplaceUnhealthy"}
    assert aws.off(machine, "request") == handle
    aws.on(machine, handle)
    assert (power(), aws.state(machine, handle)) == ("running", "on")
    assert suspended(groups) == {"HealthCheck", "ReplaceUnhealthy"}
    aws.done(machine, handle)
    assert suspended(groups) == set()
    (one,) = groups.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert (one["InstanceId"], one["HealthStatus"].upper()) == (machine, "HEALTHY")

    # The group gives it up while a fence is at work: it must look at its others again all the same.
    handle = aws.off(machine, "request")
    groups.detach_instances(
        AutoScalingGroupName=handle, InstanceIds=[machine], ShouldDecrementDesiredCapacity=False
    )
    ec2.terminate_instances(InstanceIds=[machine])
    assert aws.state(machine, handle) == "off"
    aws.done(machine, handle)
    assert suspended(groups) == set()
