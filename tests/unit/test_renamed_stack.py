"""`pulumi stack rename`: the program names its things after the stack, and data stays."""

import json
import runpy

import pytest

from tests.unit.conftest import ROOT

CLUSTERS = {
    "eks": ("aws:eks/cluster:Cluster", "name"),
    "aks": ("azure-native:containerservice:ManagedCluster", "resourceName"),
    "gke": ("gcp:container/cluster:Cluster", "name"),
}
HOLDS_DATA = ("kubernetes:core/v1:PersistentVolumeClaim", "kubernetes:core/v1:Namespace")


@pytest.fixture
def named(deploy, stack_config):
    """``named("blue", "eks")`` runs the stack file of eks for a stack that is called blue."""

    def run(name: str, file: str, /, **cluster: str):
        config = stack_config(file)
        group = {**json.loads(config["ha-iris:cluster"]), **cluster}
        main = str(ROOT / "__main__.py")
        return deploy(
            lambda: runpy.run_path(main),
            stack=name,
            config={**config, "ha-iris:cluster": json.dumps(group)},
        )

    return run


def test_a_stack_on_a_cluster_that_exists_may_have_any_name(named):
    blue, green = (named(name, "dev") for name in ("blue", "green"))

    holders = [r for token in HOLDS_DATA for r in blue.of_type(token)]
    assert len(holders) == 4
    for holder in holders:
        assert green.named(holder.name).inputs == holder.inputs


@pytest.mark.parametrize("file", CLUSTERS)
def test_a_cluster_that_would_get_another_name_is_protected(named, file):
    token, key = CLUSTERS[file]
    blue, green = (named(name, file).one(token) for name in ("blue", "green"))

    assert (blue.inputs[key], green.inputs[key]) == ("ha-iris-blue", "ha-iris-green")
    assert green.protect


@pytest.mark.parametrize("file", CLUSTERS)
def test_a_cluster_that_keeps_its_name_is_found_again(named, file):
    token, _ = CLUSTERS[file]
    blue = named("blue", file).one(token)
    green = named("green", file, name="ha-iris-blue").one(token)

    assert blue.inputs == green.inputs
