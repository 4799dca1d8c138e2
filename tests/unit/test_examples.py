"""The examples for a laptop: small, or on three machines of one's own."""

import json
import re
import runpy

import jsonschema
import pytest
import yaml

from lab.engine.project_copy import stacks_of
from stacks.schema import stack_schema
from tests.unit.conftest import ROOT
from tests.unit.iris_parts import CLAIM, SERVICE

FOLDER = ROOT / "examples"
EXAMPLES = stacks_of(FOLDER)
RELEASE = "kubernetes:helm.sh/v3:Release"
COPIES = {"k3s": 1, "three-k3s": 3, "three-microk8s": 3}
FOLDERS = {"kind": "standard", "microk8s": "microk8s-hostpath"}


def text(example):
    """A stack file as it is committed."""
    return (FOLDER / f"Pulumi.{example}.yaml").read_text()


@pytest.fixture
def engine(deploy, kubeconfig):
    """Runs an example; its kubeconfig is replaced by one that exists."""

    def run(example):
        config = yaml.safe_load(text(example))["config"]
        config["ha-iris:cluster"] |= {"kubeconfig": kubeconfig, "context": "here"}
        config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
        main = str(ROOT / "__main__.py")
        return deploy(lambda: runpy.run_path(main), stack=example, config=config)

    return run


def test_every_example_is_looked_at_here():
    assert sorted([*COPIES, *FOLDERS]) == EXAMPLES


@pytest.mark.parametrize("example", COPIES)
def test_longhorn_keeps_as_many_copies_as_there_are_machines(engine, example):
    ran = engine(example)

    storage_class = ran.named("longhorn-storage-class").inputs["parameters"]
    assert storage_class["numberOfReplicas"] == str(COPIES[example])
    # No zones that the copies could be spread over.
    assert storage_class["replicaZoneSoftAntiAffinity"] == "ignored"
    assert ran.of_type("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass") == []


@pytest.mark.parametrize("example", FOLDERS)
def test_a_folder_of_the_machine_is_the_volume_without_longhorn(engine, example):
    ran = engine(example)

    assert ran.of_type(RELEASE) == []
    assert ran.one(CLAIM).inputs["spec"]["storageClassName"] == FOLDERS[example]


def test_longhorn_finds_the_kubelet_of_microk8s(engine):
    values = engine("three-microk8s").one(RELEASE).inputs["values"]

    assert values["csi"]["kubeletRootDir"] == "/var/snap/microk8s/common/var/lib/kubelet"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_address_is_for_the_machines_own_network_alone(engine, example):
    service = engine(example).one(SERVICE, "iris-service").inputs["spec"]

    has_an_address = example in ("microk8s", "three-k3s", "three-microk8s")
    assert service["type"] == ("LoadBalancer" if has_an_address else "ClusterIP")
    if has_an_address:
        assert service["loadBalancerSourceRanges"] == ["192.168.1.0/24"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_three_copies_are_protected_and_one_may_be_thrown_away(engine, example):
    assert engine(example).one(CLAIM).protect is (COPIES.get(example) == 3)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_fits_the_schema_that_it_names_where_it_is_copied_to(example):
    schema = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text(example))

    assert schema is not None
    assert (ROOT / schema[1]).is_file()
    jsonschema.validate(yaml.safe_load(text(example)), stack_schema())


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_page_says_how_an_example_is_used(example):
    page = (ROOT / "docs" / "laptop.md").read_text()

    assert f"cp examples/Pulumi.{example}.yaml ." in page
    assert f"pulumi stack init {example}\n" in page
    assert f"pulumi up --stack {example}\n" in page


def test_one_node_is_too_few_for_the_three_copies_that_longhorn_keeps(refused, stack_config):
    one = '{"kubeconfig": "%s", "nodes": 1, "zones": 1}'
    config = stack_config("dev")
    path = json.loads(config["ha-iris:cluster"])["kubeconfig"]

    message = refused({"ha-iris:cluster": one % path})

    assert "ha-iris:longhorn: replicas is 3 and the cluster has 1 node(s)" in message
