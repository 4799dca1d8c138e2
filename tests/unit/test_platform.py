"""The whole program, from a stack file to the outputs of the stack."""

import json
import runpy
from pathlib import Path

import pulumi
import pytest

from stacks import compose


@pytest.fixture
def existing_stack(deploy, kubeconfig):
    """Runs the program on an existing cluster; returns the engine and the outputs."""

    def run(**groups):
        groups = {"cluster": {"kubeconfig": kubeconfig}, **groups}
        config = {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}
        outputs = {}
        engine = deploy(lambda: outputs.update(compose()), config=config)
        return engine, outputs

    return run


def test_the_development_stack_builds_the_whole_path(deploy, stack_config):
    main = Path(__file__).parents[2] / "__main__.py"

    engine = deploy(lambda: runpy.run_path(str(main)), config=stack_config("dev"))

    kinds = {resource.type for resource in engine.resources if not resource.request.custom}
    assert kinds == {
        "ha-iris:cluster:ExistingCluster",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
        "ha-iris:database:NetworkPolicies",
        "ha-iris:backup:ConsistentSnapshots",
        "ha-iris:backup:Rehearsal",
    }


def test_the_claim_waits_for_longhorn_and_goes_before_it(existing_stack):
    engine, _ = existing_stack()

    claim = engine.one("kubernetes:core/v1:PersistentVolumeClaim")
    assert {"longhorn-release", "longhorn-storage-class"} <= set(claim.depends_on)


def test_every_kubernetes_object_uses_the_clusters_own_provider(existing_stack):
    engine, _ = existing_stack()
    (provider,) = engine.of_type("pulumi:providers:kubernetes")

    for resource in engine.resources:
        if resource.type.startswith("kubernetes:"):
            assert resource.request.provider.startswith(provider.urn), resource.name


def test_outputs_say_how_to_reach_a_database_inside_the_cluster(existing_stack, resolve):
    _, outputs = existing_stack()

    assert set(outputs) == {
        "clusterName",
        "namespace",
        "sqlEndpoint",
        "portalUrl",
        "portForwardCommand",
        "username",
        "password",
        "storageClass",
        "kubeconfig",
        "readme",
    }
    assert resolve(outputs["sqlEndpoint"]) == "iris.iris.svc.cluster.local:1972"
    assert resolve(outputs["portalUrl"]) == "http://localhost:52773/csp/sys/UtilHome.csp"
    assert outputs["portForwardCommand"].endswith(
        "--context here --namespace iris port-forward service/iris 52773 1972"
    )
    assert outputs["storageClass"] == "longhorn-iris"
    assert "${outputs.sqlEndpoint}" in outputs["readme"]


LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"


def test_outputs_lead_to_the_web_gateway_of_an_image_without_a_web_server(existing_stack, resolve):
    _, outputs = existing_stack(iris={"image": LICENSED})

    assert resolve(outputs["portalUrl"]) == "http://localhost:52773/csp/sys/UtilHome.csp"
    assert outputs["webPortForwardCommand"].endswith("port-forward service/iris-web 52773")
    assert outputs["portForwardCommand"].endswith("port-forward service/iris 1972")
    assert "${outputs.webPortForwardCommand}" in outputs["readme"]


def test_outputs_name_the_address_of_a_web_gateway_that_has_one(existing_stack, resolve):
    service = {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}
    _, outputs = existing_stack(iris={"image": LICENSED, "webGateway": {"service": service}})

    assert resolve(outputs["portalUrl"]) == "http://pending:52773/csp/sys/UtilHome.csp"
    assert "webPortForwardCommand" not in outputs
    assert outputs["portForwardCommand"].endswith("port-forward service/iris 1972")


def test_outputs_name_no_portal_where_there_is_neither_web_server_nor_gateway(existing_stack):
    _, outputs = existing_stack(iris={"image": LICENSED, "webGateway": {"enabled": False}})

    assert "portalUrl" not in outputs
    assert "webPortForwardCommand" not in outputs
    assert outputs["portForwardCommand"].endswith("port-forward service/iris 1972")
    assert "portalUrl" not in outputs["readme"]
    assert "webPortForward" not in outputs["readme"]
    assert "${outputs.sqlEndpoint}" in outputs["readme"]


def test_an_address_of_the_web_gateway_in_a_cluster_that_exists_is_refused(refused, kubeconfig):
    service = {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"], "address": "public"}
    iris = {"image": LICENSED, "webGateway": {"service": service}}
    config = {"cluster": {"kubeconfig": kubeconfig}, "iris": iris}

    told = refused({f"ha-iris:{key}": json.dumps(value) for key, value in config.items()})

    assert "ha-iris:iris: webGateway.service.address is public" in told
    assert "webGateway.service.annotations" in told


def test_a_gateway_for_other_nodes_is_refused(refused, kubeconfig):
    image = "containers.intersystems.com/intersystems/webgateway-lockeddown-arm64:2026.2"
    iris = {"image": LICENSED, "webGateway": {"image": image}}
    config = {"cluster": {"kubeconfig": kubeconfig}, "iris": iris}

    told = refused({f"ha-iris:{key}": json.dumps(value) for key, value in config.items()})

    assert f"image {image} does not run on amd64 nodes" in told


def test_a_gateway_that_is_too_old_is_refused_with_key_value_reason_and_cure(refused, kubeconfig):
    iris = {"image": "containers.intersystems.com/intersystems/iris:2027.1"}
    config = {"cluster": {"kubeconfig": kubeconfig}, "iris": iris}

    told = refused({f"ha-iris:{key}": json.dumps(value) for key, value in config.items()})

    assert "ha-iris:iris.webGateway: image is containers.intersystems.com/intersystems/web" in told
    assert "set webGateway.image to its release or a later one" in told


def test_the_user_that_the_password_belongs_to_is_told(existing_stack):
    _, outputs = existing_stack(iris={"username": "operations"})

    assert outputs["username"] == "operations"


@pytest.mark.parametrize("output", ["password", "kubeconfig"])
def test_outputs_that_open_the_database_are_secret(existing_stack, resolve, output):
    _, outputs = existing_stack()

    assert resolve(pulumi.Output.from_input(outputs[output].is_secret())) is True


@pytest.mark.parametrize(("cpu", "told"), [(2, True), (1.5, False)])
def test_a_preview_tells_that_a_deleted_pod_moves_where_a_node_has_no_room_for_two(
    existing_stack, kubeconfig, caplog, cpu, told
):
    caplog.set_level("INFO")
    nodes = {"kubeconfig": kubeconfig, "allocatableCpus": 3.9, "allocatableMemoryGib": 14}

    existing_stack(cluster=nodes, iris={"cpu": cpu})

    assert ("iris.cpu is at most 1.5 and iris.memoryGib 6" in caplog.text) is told


def test_another_storage_class_replaces_longhorn_and_the_loss_is_stated(existing_stack, caplog):
    engine, outputs = existing_stack(iris={"storageClass": "local-path"})

    assert engine.of_type("kubernetes:helm.sh/v3:Release") == []
    claim = engine.one("kubernetes:core/v1:PersistentVolumeClaim").inputs["spec"]
    assert claim["storageClassName"] == "local-path" == outputs["storageClass"]
    assert "Longhorn is not installed" in caplog.text
    assert "waits for a person" in caplog.text
