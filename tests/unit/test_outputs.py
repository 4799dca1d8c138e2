"""What a stack tells, by the same names on every cloud."""

import re
from types import SimpleNamespace as NS
from typing import Any

import pulumi
import pytest

from components.azure.told import egress_addresses
from tests.unit.conftest import ROOT, changed
from tests.unit.entrances import entrance

PAGE = (ROOT / "docs" / "outputs.md").read_text()
OF_A_CLOUD = {
    "region",
    "network",
    "subnets",
    "egressAddresses",
    "nodeIdentity",
}
OF_A_STORE = {"backupBucket", "backupTarget"}
CLOUDS = ("eks", "aks", "gke")


def listed(heading: str) -> set[str]:
    """Names in the first column of the table under a heading of the page."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_cloud_tells_the_same_and_the_page_lists_it(composed, cloud):
    _, outputs = composed(cloud)

    assert listed("Stacks that make their cluster") == OF_A_CLOUD
    assert listed("Stacks with a store for backups") == OF_A_STORE
    assert set(outputs) == OF_A_CLOUD | OF_A_STORE | listed("Every stack")


def test_an_existing_cluster_tells_what_the_page_lists_for_every_stack(composed):
    _, outputs = composed("dev")

    assert set(outputs) == listed("Every stack")


def test_an_existing_cluster_with_a_store_tells_where_backups_go(composed):
    _, outputs = composed("dev", backup={"nfs": {"server": "nas", "path": "/exports"}})

    assert set(outputs) == OF_A_STORE | listed("Every stack")


def test_a_stack_with_a_web_gateway_tells_what_the_page_lists_beside_that(composed):
    image = "containers.intersystems.com/intersystems/iris:2026.1"
    _, outputs = composed("dev", iris={"image": image})

    assert listed("Stacks with a web gateway") == {"webPortForwardCommand"}
    assert set(outputs) == listed("Every stack") | {"webPortForwardCommand"}


def test_a_stack_with_encrypted_volumes_tells_their_key_too(composed):
    _, outputs = composed("dev", longhorn={"encryption": {"enabled": True}})

    assert set(outputs) == listed("Stacks with encrypted volumes") | listed("Every stack")


def test_a_stack_with_several_instances_tells_of_each(composed, resolve):
    _, outputs = composed("dev", iris={"form": "statefulset", "instances": 2})

    assert listed("Stacks with several instances") == {"instances"}
    assert set(outputs) == listed("Every stack") | {"instances"}
    told = {name: resolve(way) for name, way in outputs["instances"]["iris-1"].items()}
    assert told["sqlEndpoint"] == "iris-1.iris.svc.cluster.local:1972"
    # Both can be forwarded to one machine.
    assert told["portForwardCommand"].endswith("service/iris-1 52774:52773 1973:1972")
    assert told["portalUrl"] == "http://localhost:52774/csp/sys/UtilHome.csp"
    first = outputs["instances"]["iris-0"]
    assert {name: resolve(outputs[name]) for name in first} == {
        name: resolve(way) for name, way in first.items()
    }


@pytest.mark.parametrize("cloud", CLOUDS)
def test_instances_that_the_nodes_cannot_carry_are_refused(cloud, refused, stack_config):
    config = changed(stack_config(cloud), {"iris": {"form": "statefulset", "instances": 6}})

    told = refused(config)
    assert "for each of 3 instances that share a node once another is lost" in told
    assert "or fewer instances" in told


def test_a_stack_with_a_web_entrance_tells_what_the_page_lists_beside_that(composed):
    _, outputs = composed("dev", access=entrance())

    assert listed("Stacks with a web entrance") == {"webHostname", "webAddressCommand"}
    assert set(outputs) == listed("Every stack") | listed("Stacks with a web entrance")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_stack_without_backups_names_no_bucket(composed, cloud):
    _, outputs = composed(cloud, backup={"enabled": False})

    assert not OF_A_STORE & set(outputs)


@pytest.mark.parametrize(
    ("cloud", "told"),
    [
        (
            "eks",
            {
                "region": "eu-west-1",
                "network": "network-vpc-id",
                "subnets": [f"network-private-{number}-id" for number in (1, 2, 3)],
            },
        ),
        ("aks", {"region": "westeurope", "subnets": ["network-nodes-id"]}),
        ("gke", {"region": "europe-west1", "network": "network-vpc-id"}),
    ],
)
def test_outputs_name_what_the_stack_made(composed, resolve, cloud, told):
    _, outputs = composed(cloud)

    assert {name: resolve(outputs[name]) for name in told} == told


def test_the_nat_gateways_addresses_are_told(composed, resolve):
    for nat, addresses in {
        "per-zone": [f"address-of-network-nat-{number}" for number in (1, 2, 3)],
        "single": ["address-of-network-nat-1"],
        "regional": ["regional-address-of-network-nat"],
    }.items():
        _, outputs = composed("eks", network={"nat": nat})

        assert resolve(outputs["egressAddresses"]) == addresses


def test_the_addresses_of_akss_load_balancer_are_asked_of_azure(deploy, resolve):
    ids = [
        "/subscriptions/s/resourceGroups/c-nodes/providers/Microsoft.Network/publicIPAddresses/one",
        "/subscriptions/s/resourcegroups/net/providers/microsoft.network/publicIPAddresses/two",
        "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/publicIPPrefixes/three",
    ]
    balancer = NS(effective_outbound_ips=[NS(id=resource_id) for resource_id in ids])
    profiles = {"balancer": NS(load_balancer_profile=balancer), "none": None}
    told: dict[str, Any] = {}

    def program() -> None:
        for name, profile in profiles.items():
            cluster: Any = NS(network_profile=pulumi.Output.from_input(profile))
            told[name] = egress_addresses(cluster)

    deploy(program)

    assert resolve(told["balancer"]) == ["address-of-one", "address-of-two"]
    assert resolve(told["none"]) == []


def test_an_existing_azure_subnet_tells_its_network(composed, resolve):
    network = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
    _, outputs = composed("aks", network={"existing": {"subnetId": f"{network}/subnets/nodes"}})

    assert resolve(outputs["network"]) == network
    assert resolve(outputs["subnets"]) == [f"{network}/subnets/nodes"]
