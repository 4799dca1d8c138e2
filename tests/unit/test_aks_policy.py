"""The role that docs/aks.md gives to a deployer, against what the program creates."""

import json

from tests.unit.conftest import ROOT

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
