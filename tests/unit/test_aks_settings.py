"""A stack file for Azure that would not end well is refused whole, in words that help."""

import json
import re
from typing import Any

import pulumi
import pytest
import yaml

from components.azure.access_settings import EXAMPLE_GROUP
from stacks import compose
from tests.unit.conftest import ROOT, changed
from tests.unit.test_aks_access import SUBNET


@pytest.fixture
def refusal(refused, stack_config):
    """The message with which the committed stack file, changed, is refused; nothing is made."""

    def run(groups: dict[str, Any], location: str | None = "westeurope", stack: str = "aks") -> str:
        config = changed(stack_config("aks"), groups)
        if location is None:
            del config["azure-native:location"]
        return refused(config, stack=stack)

    return run


CLUSTER = "ha-iris:cluster"

# What stands in the file, and what the message must say of it: the key, the value, the reason
# and the cure.
BAD_STACK_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "AKS Automatic": (
        {"cluster": {"mode": "automatic"}},
        f"{CLUSTER}.mode is automatic: AKS Automatic makes, moves and reimages nodes at will",
    ),
    "Azure Linux": (
        {"cluster": {"nodeImage": "AzureLinux"}},
        f"{CLUSTER}.nodeImage is AzureLinux: Longhorn is verified on Ubuntu and attaches volumes "
        "with iSCSI, which Azure Linux, Flatcar and Windows do not bring; set it to Ubuntu",
    ),
    "ephemeral disk": (
        {"cluster": {"diskType": "Ephemeral"}},
        f"{CLUSTER}.diskType is Ephemeral: an ephemeral disk is empty again whenever Azure "
        "redeploys the machine, and the copies of the data with it; set it to Managed",
    ),
    "Spot": (
        {"cluster": {"capacityType": "spot"}},
        f"{CLUSTER}.capacityType is spot: Azure evicts Spot nodes at will",
    ),
    "two nodes": (
        {"cluster": {"nodes": 2}},
        f"{CLUSTER}.nodes is 2: Longhorn keeps three copies in three zones, each on a node of its "
        "own; set it to 3 or more",
    ),
    "nodes that no three zones share": (
        {"cluster": {"nodes": 4}},
        f"{CLUSTER}.nodes is 4: the three zones have equally many nodes; set it to 3 or 6",
    ),
    "more nodes than pools have names": (
        {"cluster": {"nodes": 30}},
        f"{CLUSTER}.nodes is 30: it must be 27 or less (Nodes in all, spread evenly over the three",
    ),
    "nodes of a set that is not there": (
        {"cluster": {"retiringNodes": 6}},
        f"{CLUSTER}.retiringNodes is 6: no set retires; name the set in retiringNodeSet, or drop",
    ),
    "two copies": (
        {"longhorn": {"replicas": 2}},
        "ha-iris:longhorn: replicas is 2, and AKS reimages a node that is not ready for five "
        "minutes, copy and all, which cannot be turned off; set replicas to 3",
    ),
    "Kubernetes that AKS has dropped": (
        {"cluster": {"kubernetesVersion": "1.33"}},
        f"{CLUSTER}.kubernetesVersion is 1.33: AKS supports it no longer; set it to 1.34 to 1.36",
    ),
    "Kubernetes version without quotes": (
        {"cluster": {"kubernetesVersion": 1.35}},
        f"{CLUSTER}.kubernetesVersion is 1.35: it must be text; put it in quotes",
    ),
    "no VM size": (
        {"cluster": {"nodeType": "m7i.xlarge"}},
        f"{CLUSTER}.nodeType is m7i.xlarge: this is no VM size; write it as in Standard_D4s_v5",
    ),
    "slow disks": (
        {"cluster": {"nodeType": "Standard_D4_v5"}},
        f"{CLUSTER}.nodeType is Standard_D4_v5: a size without an s takes no Premium SSD, and a "
        "database on a standard disk crawls; choose one with it, such as Standard_D4s_v5",
    ),
    "burstable nodes": (
        {"cluster": {"nodeType": "Standard_B4s_v2"}},
        f"{CLUSTER}.nodeType is Standard_B4s_v2: a burstable or one-core machine starves",
    ),
    "small disk": (
        {"cluster": {"diskSizeGib": 64}},
        f"{CLUSTER}.diskSizeGib is 64: it must be 128 or more (Disk of each node",
    ),
    "database larger than a copy's place": (
        {"iris": {"storageGib": 400}},
        "ha-iris:iris: storageGib is 400, and each node's copy may grow to 800 GiB (400 and as "
        "much for the snapshot that Longhorn cuts before a rebuild); of "
        "ha-iris:cluster.diskSizeGib 512 it may fill less than 230.4",
    ),
    "a set that replaces itself": (
        {"cluster": {"retiringNodeSet": "a"}},
        f"{CLUSTER}.retiringNodeSet is a: a set cannot replace itself; give nodeSet a new name",
    ),
    "a name that AKS has no room for": (
        {"cluster": {"nodeSet": "generation2"}},
        f"{CLUSTER}.nodeSet is generation2: it must be text that matches",
    ),
    "API open to the world by default": (
        {"cluster": {"apiAccessCidrs": []}},
        f"{CLUSTER}.apiAccessCidrs is empty: AKS takes an empty list for the whole Internet; list "
        "the networks that may reach the Kubernetes API, such as [203.0.113.0/24], or set "
        "apiEndpoint to private",
    ),
    "API open to the world on purpose": (
        {"cluster": {"apiAccessCidrs": ["0.0.0.0/0"]}},
        "0.0.0.0/0 shows the Kubernetes API to the whole Internet; name the networks",
    ),
    "networks for an API without an address": (
        {"cluster": {"apiEndpoint": "private"}, "network": {"existing": {"subnetId": SUBNET}}},
        "a private API server has no public address that these could reach; drop apiAccessCidrs",
    ),
    "administrator by mail address": (
        {"cluster": {"admins": ["dba@example.com"]}},
        f"{CLUSTER}.admins.0 is dba@example.com: it must be text that matches",
    ),
    "login that nothing uses": (
        {"cluster": {"admins": [], "localAccounts": True, "login": "spn"}},
        f"{CLUSTER}.login is spn: kubelogin is used only where Entra groups administer the cluster;"
        " set admins, or drop login",
    ),
    "nodes that Azure reimages every week": (
        {"cluster": {"nodeOsUpgradeChannel": "NodeImage"}},
        f"{CLUSTER}.nodeOsUpgradeChannel is NodeImage: it must be one of 'None' or 'Unmanaged'",
    ),
    "nobody who could log in": (
        {"cluster": {"admins": []}},
        f"{CLUSTER}.admins is empty: without Entra groups the only login is a certificate that "
        "nothing takes back but the loss of every copy of the database; name the groups (object "
        "IDs) whose members administer the cluster, or set localAccounts to true",
    ),
    "the example of a group": (
        {"cluster": {"admins": [EXAMPLE_GROUP]}},
        f"{CLUSTER}.admins holds {EXAMPLE_GROUP}, an example that no group has: nobody could log "
        "in, `pulumi up` included; put the object ID of a group there that the deployer is in",
    ),
    "a certificate beside the groups": (
        {"cluster": {"localAccounts": True}},
        "with localAccounts a certificate still opens the cluster past these groups; drop",
    ),
    "private API in a network to be made": (
        {"cluster": {"apiEndpoint": "private", "apiAccessCidrs": []}},
        "ha-iris:network: apiEndpoint is private, and a network that this program is yet to make "
        "is one that `pulumi up` cannot run in; name the subnet that it can reach in "
        "existing.subnetId, or set ha-iris:cluster.apiEndpoint to public",
    ),
    "DNS zone of a public API": (
        {"cluster": {"privateDnsZone": "none"}},
        f"{CLUSTER}.privateDnsZone is none: the name of a public API server stands in the public "
        "DNS; drop privateDnsZone, or set apiEndpoint to private",
    ),
    "DNS zone that AKS does not take": (
        {
            "cluster": {
                "privateDnsZone": "/subscriptions/s/resourceGroups/g/providers"
                "/Microsoft.Network/privateDnsZones/example.com"
            }
        },
        "/privateDnsZones/example.com: it must be text that matches",
    ),
    "route table of a network to be made": (
        {"network": {"outboundType": "userDefinedRouting"}},
        "ha-iris:network.outboundType is userDefinedRouting: the program makes neither a route "
        "nor a NAT gateway; name the subnet that has one in existing.subnetId, or set",
    ),
    "addresses that nothing leaves by": (
        {
            "network": {
                "existing": {"subnetId": SUBNET},
                "outboundType": "userAssignedNATGateway",
                "outboundIps": [
                    "/subscriptions/s/resourceGroups/g/providers"
                    "/Microsoft.Network/publicIPAddresses/egress"
                ],
            }
        },
        "with userAssignedNATGateway nodes leave by the subnet's own way; drop outboundIps",
    ),
    "address by its digits": (
        {"network": {"outboundIps": ["20.1.2.3"]}},
        "ha-iris:network.outboundIps.0 is 20.1.2.3: it must be text that matches",
    ),
    "key of a vault by its address": (
        {"cluster": {"secretsKmsKey": "https://v.vault.azure.net/keys/k/0123"}},
        f"{CLUSTER}.secretsKmsKey is https://v.vault.azure.net/keys/k/0123: it must be text that",
    ),
    "blocks that stay and are never written again": (
        {"backup": {"immutableDays": 30}},
        "ha-iris:backup.immutableDays is 30: Azure keeps a block for so long after it was written, "
        "and incremental backups never write one again: the blocks that matter would be the first "
        "to be erasable; set uploads.fullEvery, to 2 with the schedule 17 1 * * 0, or drop "
        "immutableDays",
    ),
    "blocks that stay, where nothing is uploaded but what is frozen": (
        {"backup": {"immutableDays": 30, "uploads": {"enabled": False, "fullEvery": 2}}},
        "ha-iris:backup.immutableDays is 30: Azure keeps a block for so long after it was written, "
        "and incremental backups never write one again: the blocks that matter would be the first "
        "to be erasable; set uploads.enabled to true, as no others are full, set uploads.fullEvery",
    ),
    "blocks that are written again too late": (
        {
            "backup": {
                "immutableDays": 30,
                "uploads": {"fullEvery": 5, "schedule": "17 1 * * 0"},
            }
        },
        "uploads.fullEvery 5 with the schedule 17 1 * * 0 writes every block anew after up to 35 "
        "days, when the old one can be erased already",
    ),
    "backups that cannot go": (
        {
            "backup": {
                "immutableDays": 30,
                "uploads": {"fullEvery": 4},
                "keepOnDestroy": False,
            }
        },
        "ha-iris:backup.keepOnDestroy is false: Azure deletes no account that keeps its blobs "
        "before all of them are gone, so destroy would fail; set it to true, or drop immutableDays",
    ),
    "no room for a rotation": (
        {"network": {"nodesRange": "10.30.0.0/28"}},
        "ha-iris:network.nodesRange is 10.30.0.0/28: Azure keeps five addresses of a subnet, and "
        "nodes are replaced by as many new ones before the old ones go; make it a /27 or larger",
    ),
    "no room for pods": (
        {"network": {"podsRange": "10.244.0.0/22"}},
        "ha-iris:network.podsRange is 10.244.0.0/22: each node takes 256 addresses",
    ),
    "pods where nodes are": (
        {"network": {"nodesRange": "10.244.0.0/16"}},
        "ha-iris:network.podsRange is 10.244.0.0/16: it overlaps nodesRange (10.244.0.0/16); "
        "give each a range of its own",
    ),
    "services where pods are": (
        {"network": {"servicesRange": "10.244.128.0/20"}},
        "ha-iris:network.servicesRange is 10.244.128.0/20: it overlaps podsRange (10.244.0.0/16)",
    ),
    "services that AKS has no room for": (
        {"network": {"servicesRange": "10.64.0.0/10"}},
        "ha-iris:network.servicesRange is 10.64.0.0/10: AKS takes service ranges smaller than",
    ),
    "subnet by name": (
        {"network": {"existing": {"subnetId": "nodes"}}},
        "ha-iris:network.existing.subnetId is nodes: it must be text that matches",
    ),
    "backups for everybody with the key": (
        {"backup": {"accessCidrs": ["0.0.0.0/0"]}},
        "0.0.0.0/0 lets the whole Internet try the account's key; name the networks",
    ),
    "backups for a private network": (
        {"backup": {"accessCidrs": ["10.1.0.0/16"]}},
        "10.1.0.0/16 is a private range, which Azure refuses here; name the public addresses",
    ),
    "account with a hyphen": (
        {"backup": {"existing": {"resourceGroup": "g", "account": "my-backups"}}},
        "ha-iris:backup.existing.account is my-backups: it must be text that matches",
    ),
    "tag that is Azure's": (
        {"tags": {"Azure-team": "dba"}},
        "ha-iris:tags: Azure keeps names that begin like Azure-team to itself; rename it",
    ),
    "tag that Azure refuses": (
        {"tags": {"cost/center": "7"}},
        "ha-iris:tags.cost/center is cost/center: it must be text that matches",
    ),
}


@pytest.mark.parametrize("what", BAD_STACK_FILES)
def test_a_bad_stack_file_is_refused_with_key_value_reason_and_cure(refusal, what):
    groups, expected = BAD_STACK_FILES[what]

    message = refusal(groups)

    assert expected in message
    assert message.startswith("ha-iris: Pulumi.aks.yaml is not a stack this program can build:\n")


def test_a_stack_without_a_cluster_group_is_told_what_has_no_default(deploy):
    def program():
        with pytest.raises(pulumi.RunError, match=r"ha-iris:cluster is missing: The AKS cluster"):
            compose()

    config = {"ha-iris:cloud": "azure", "azure-native:location": "westeurope"}
    assert deploy(program, config=config).resources == []


def test_a_stack_without_a_region_is_told_how_to_name_one(refusal):
    message = refusal({}, location=None)

    assert "azure-native:location is missing" in message
    assert "pulumi config set azure-native:location" in message


def test_a_stack_whose_name_is_no_cluster_name_is_told_to_give_one(refusal):
    message = refusal({}, stack="Prod.EU")

    assert re.search(r"ha-iris:cluster\.name is missing: ha-iris-Prod\.EU, .*; set it", message)


def test_a_subnet_that_exists_is_accepted_with_its_whole_id(deploy, stack_config):
    config = stack_config("aks")
    config["ha-iris:network"] = json.dumps({"existing": {"subnetId": SUBNET}})

    assert deploy(compose, stack="aks", config=config).resources


def test_the_committed_stack_file_can_be_previewed_with_the_example_of_a_group(deploy):
    config = yaml.safe_load((ROOT / "Pulumi.aks.yaml").read_text())["config"]
    assert config["ha-iris:cluster"]["admins"] == [EXAMPLE_GROUP]

    config["ha-iris:cluster"]["apiAccessCidrs"] = ["198.41.0.0/24"]
    config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
    assert deploy(compose, stack="aks", config=config, preview=True).resources
