"""The stack files in the repository name an example network, which nobody may deploy with."""

import json

import pytest
import yaml

from components.settings import EXAMPLES
from stacks import compose
from tests.unit.conftest import ROOT

CLOUDS = ("eks", "aks", "gke")
PREVIEW_OF_THE_LAB = {"lab:standIns": "true"}


def as_in_the_repository(stack: str) -> dict[str, str]:
    """The configuration of a stack file, to the letter."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}


@pytest.mark.parametrize("stack", CLOUDS)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_cluster_that_would_be_closed_to_its_own_deployer_is_refused(refused, stack, preview):
    message = refused(as_in_the_repository(stack), stack=stack, preview=preview)

    assert "ha-iris:cluster.apiAccessCidrs is ['203.0.113.0/24']: 203.0.113.0/24 is an" in message
    assert "(RFC 5737), which no machine has" in message
    assert "put the address there that `pulumi up` comes from" in message


@pytest.mark.parametrize("stack", CLOUDS)
def test_a_preview_against_stand_ins_takes_the_example(deploy, stack):
    config = {**as_in_the_repository(stack), **PREVIEW_OF_THE_LAB}

    assert deploy(compose, stack=stack, config=config, preview=True).resources


@pytest.mark.parametrize("stack", CLOUDS)
def test_an_update_that_calls_itself_a_preview_is_refused_all_the_same(refused, stack):
    config = {**as_in_the_repository(stack), **PREVIEW_OF_THE_LAB}

    assert "RFC 5737" in refused(config, stack=stack, preview=False)


@pytest.mark.parametrize("network", ["192.0.2.7/32", "198.51.100.0/25", "203.0.112.0/22"])
@pytest.mark.parametrize("stack", CLOUDS)
def test_every_network_of_documentation_is_known(refused, stack_config, stack, network):
    config = stack_config(stack)
    cluster = json.loads(config["ha-iris:cluster"])
    config["ha-iris:cluster"] = json.dumps({**cluster, "apiAccessCidrs": [network]})

    assert f"{network} is an address of documentation" in refused(config, stack=stack)
    assert len(EXAMPLES) == 3
