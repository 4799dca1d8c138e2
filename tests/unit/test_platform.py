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


def test_outputs_name_no_portal_where_the_image_has_none(existing_stack):
    image = "containers.intersystems.com/intersystems/iris:2026.1"
    _, outputs = existing_stack(iris={"image": image})

    assert "portalUrl" not in outputs
    assert outputs["portForwardCommand"].endswith("port-forward service/iris 1972")
    assert "portalUrl" not in outputs["readme"]
    assert "${outputs.sqlEndpoint}" in outputs["readme"]


def test_the_user_that_the_password_belongs_to_is_told(existing_stack):
    _, outputs = existing_stack(iris={"username": "operations"})

    assert outputs["username"] == "operations"


@pytest.mark.parametrize("output", ["password", "kubeconfig"])
def test_outputs_that_open_the_database_are_secret(existing_stack, resolve, output):
    _, outputs = existing_stack()

    assert resolve(pulumi.Output.from_input(outputs[output].is_secret())) is True


def test_another_storage_class_replaces_longhorn_and_the_loss_is_stated(existing_stack, caplog):
    engine, outputs = existing_stack(iris={"storageClass": "local-path"})

    assert engine.of_type("kubernetes:helm.sh/v3:Release") == []
    claim = engine.one("kubernetes:core/v1:PersistentVolumeClaim").inputs["spec"]
    assert claim["storageClassName"] == "local-path" == outputs["storageClass"]
    assert "Longhorn is not installed" in caplog.text
    assert "waits for a person" in caplog.text
