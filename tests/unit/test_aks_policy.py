"""The role that docs/aks.md gives to a deployer, against what the program creates."""

import json
import re

import pytest

from tests.unit.conftest import ROOT
from tests.unit.test_aks_access import HUB, PRIVATE, ZONE
from tests.unit.test_aks_access import ROLE as GRANT
from tests.unit.test_aks_keys import DISK_KEYS, KEY, VERSION

ROLE = json.loads((ROOT / "docs" / "policies" / "aks-deployer.json").read_text())

PROVIDERS = {
    "authorization": "Microsoft.Authorization",
    "containerservice": "Microsoft.ContainerService",
    "managedidentity": "Microsoft.ManagedIdentity",
    "monitor": "Microsoft.Insights",
    "network": "Microsoft.Network",
    "operationalinsights": "Microsoft.OperationalInsights",
    "resources": "Microsoft.Resources",
    "storage": "Microsoft.Storage",
}
PATHS = {
    "AgentPool": "managedClusters/agentPools",
    "BlobContainer": "storageAccounts/blobServices/containers",
    "BlobServiceProperties": "storageAccounts/blobServices",
    "DiagnosticSetting": "diagnosticSettings",
    "MaintenanceConfiguration": "managedClusters/maintenanceConfigurations",
    "ManagedCluster": "managedClusters",
    "ManagementLockByScope": "locks",
    "ManagementPolicy": "storageAccounts/managementPolicies",
    "ResourceGroup": "subscriptions/resourceGroups",
    "RoleAssignment": "roleAssignments",
    "StorageAccount": "storageAccounts",
    "Subnet": "virtualNetworks/subnets",
    "UserAssignedIdentity": "userAssignedIdentities",
    "VirtualNetwork": "virtualNetworks",
    "Workspace": "workspaces",
}
"""Resource type in Azure Resource Manager, by the name that azure-native has for it."""

CANNOT_BE_DELETED = {"Microsoft.Storage/storageAccounts/blobServices"}
"""Part of every storage account: azure-native resets it."""


def test_the_deployer_may_create_read_and_delete_all_that_the_program_makes(aks):
    azure = [r.type.split(":") for r in aks().resources if r.type.startswith("azure-native:")]
    made = {f"{PROVIDERS[module]}/{PATHS[kind]}" for _, module, kind in azure}

    needed = {
        f"{kind}/{verb}"
        for kind in made
        for verb in ("read", "write", "delete")
        if not (verb == "delete" and kind in CANNOT_BE_DELETED)
    }
    assert needed - set(ROLE["Actions"]) == set()


def test_the_deployer_may_write_nothing_that_the_program_does_not_make(aks):
    azure = [r.type.split(":") for r in aks().resources if r.type.startswith("azure-native:")]
    made = {f"{PROVIDERS[module]}/{PATHS[kind]}" for _, module, kind in azure}

    verbs = ("/write", "/delete")
    changes = {action.rsplit("/", 1)[0] for action in ROLE["Actions"] if action.endswith(verbs)}
    assert changes - made == set()


def test_the_deployer_has_no_wildcard_and_reads_no_data():
    assert [action for action in ROLE["Actions"] if "*" in action] == []
    assert ROLE["DataActions"] == []
    # A credential that opens the cluster past Entra and its groups.
    assert not any("listClusterAdminCredential" in action for action in ROLE["Actions"])


ADDRESS = "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/publicIPAddresses/egress"


@pytest.fixture
def all_grants(aks):
    """Inputs of each role assignment that some setting makes the program create."""
    own_keys = {"diskEncryptionSetId": DISK_KEYS, "secretsKmsKey": f"{KEY}/versions/{VERSION}"}
    variants = [
        aks(cluster=own_keys, network={"outboundIps": [ADDRESS]}, backup={"kmsKey": KEY}),
        aks(cluster={**PRIVATE, "privateDnsZone": ZONE}, network=HUB),
    ]
    return [grant.inputs for engine in variants for grant in engine.of_type(GRANT)]


def test_the_deployer_may_grant_the_roles_that_the_program_grants_and_no_other(all_grants):
    page = (ROOT / "docs" / "aks.md").read_text()
    conditions = re.findall(r"GuidEquals \{([^}]*)\}", page)

    granted = {grant["roleDefinitionId"].rsplit("/")[-1] for grant in all_grants}
    assert len(conditions) == 2
    for condition in conditions:
        assert {role.strip() for role in condition.split(",")} == granted


@pytest.mark.parametrize(
    "action",
    [
        "Microsoft.Compute/diskEncryptionSets/read",
        "Microsoft.Network/privateDnsZones/read",
        "Microsoft.Network/publicIPAddresses/join/action",
    ],
)
def test_the_deployer_may_hand_what_somebody_else_made_to_the_cluster(all_grants, action):
    kind = action.rsplit("/", 2 if action.endswith("join/action") else 1)[0]

    assert any(f"/providers/{kind}/" in grant["scope"] for grant in all_grants)
    assert action in ROLE["Actions"]
