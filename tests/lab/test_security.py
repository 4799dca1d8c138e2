"""What the API server admits into the database's namespace, and to whom it gives rights there."""

import json
import subprocess

import pytest

from components.node_prep import daemon_set_spec
from lab.engine import EngineError
from tests.lab.stack import changes

WITH_GATEWAY = {"webServer": False}
EVERYBODY = {
    "clients": [{"namespace": "shop"}, {"namespace": "jobs", "pods": {"app": "nightly"}}],
    "web": [{"cidr": "10.20.0.0/16"}],
    "metrics": [{"namespace": "monitoring"}],
    "egress": [{"cidr": "198.51.100.7", "ports": [25, 587]}, {"namespace": "shop"}],
}


@pytest.fixture
def create(stack, tmp_path):
    """``create(object)`` asks the API server to make an object, and makes none."""

    def run(document, *flags):
        file = tmp_path / "object.json"
        file.write_text(json.dumps(document))
        return json.loads(stack.kubectl("create", "-o", "json", "-f", str(file), *flags))

    return run


def pod(template, namespace):
    """A pod of a workload's template."""
    metadata = {"name": "tried", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_the_api_server_keeps_every_policy_as_it_was_sent(stack):
    stack.groups = {"iris": {**WITH_GATEWAY, "networkPolicy": EVERYBODY}}
    stack.run("up")

    found = stack.get("networkpolicies", "-n", "iris")["items"]
    specs = {policy["metadata"]["name"]: policy["spec"] for policy in found}
    assert set(specs) == {
        "namespace",
        "iris",
        "iris-backup",
        "iris-guard",
        "iris-rehearsal",
        "iris-web-gateway",
    }
    assert specs["namespace"]["podSelector"] == {}
    assert specs["namespace"]["policyTypes"] == ["Ingress", "Egress"]
    assert [rule["ports"] for rule in specs["iris"]["ingress"]] == [
        [{"port": 1972, "protocol": "TCP"}]
    ]
    (rule,) = specs["iris-web-gateway"]["ingress"]
    assert len(rule["from"]) == 2
    for job in ("iris-backup", "iris-rehearsal"):  # their pods come and go by schedule
        del specs[job]
    for policy, spec in specs.items():
        chosen = spec["podSelector"].get("matchLabels", {})
        selector = ",".join(f"{key}={value}" for key, value in chosen.items())
        pods = stack.get("pods", "-n", "iris", "-l", selector)["items"]
        assert pods, f"{policy} is for nobody"


def test_a_new_client_restarts_nothing(stack):
    stack.groups = {"iris": {"networkPolicy": {"clients": [{"namespace": "shop"}]}}}

    assert changes(stack.run("preview")) == {"iris-network-iris": "update"}
    stack.run("up")
    stack.groups = {"iris": {"networkPolicy": {"enabled": False}}}
    assert changes(stack.run("up")) == {
        "iris-network-iris": "delete",
        "iris-network-namespace": "delete",
    }


def test_a_policy_that_somebody_deleted_comes_back(stack):
    stack.kubectl("delete", "networkpolicy", "namespace", "-n", "iris")

    stack.run("refresh")
    assert changes(stack.run("up")) == {"iris-network-namespace": "create"}


def test_a_list_that_keeps_nobody_out_is_refused_before_anything_changes(stack):
    service = {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}
    policy = {"clients": [{"namespace": "shop"}]}
    stack.groups = {"iris": {"service": service, "networkPolicy": policy}}

    with pytest.raises(EngineError) as refused:
        stack.run("preview")
    assert "clients would keep nobody out" in "\n".join(refused.value.result.errors)


def test_every_pod_of_the_databases_namespace_is_admitted_under_restricted(stack, create):
    stack.groups = {"iris": WITH_GATEWAY}
    stack.run("up")
    labels = stack.get("namespace", "iris")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"

    workloads = stack.get("deployments", "-n", "iris")["items"]
    assert {w["metadata"]["name"] for w in workloads} == {"iris", "iris-web-gateway"}
    for workload in workloads:
        create(pod(workload["spec"]["template"], "iris"), "--dry-run=server")
        assert workload["status"]["readyReplicas"] == workload["spec"]["replicas"]


def test_the_pod_that_prepares_nodes_is_admitted_in_no_namespace_that_is_restricted(create):
    template = daemon_set_spec("registry.example.com/ubuntu:24.04")["template"]

    with pytest.raises(subprocess.CalledProcessError) as refused:
        create(pod(template, "iris"), "--dry-run=server")
    assert 'violates PodSecurity "restricted' in refused.value.stderr
    create(pod(template, "default"), "--dry-run=server")


@pytest.mark.parametrize(("role", "may"), [("view", False), ("edit", True), ("admin", True)])
@pytest.mark.parametrize(
    ("verb", "part"),
    [("create", "exec"), ("create", "attach"), ("create", "portforward"), ("get", "exec")],
)
def test_who_may_change_the_namespace_is_in_the_database(stack, create, role, may, verb, part):
    somebody = f"somebody-with-{role}"
    if somebody not in stack.kubectl("get", "rolebindings", "-n", "iris", "-o", "name"):
        stack.kubectl(
            "create",
            "rolebinding",
            somebody,
            f"--clusterrole={role}",
            f"--user={somebody}",
            "-n",
            "iris",
        )

    asked = {"namespace": "iris", "verb": verb, "resource": "pods", "subresource": part}
    review = create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": somebody, "resourceAttributes": asked},
        }
    )
    assert review["status"]["allowed"] is may
