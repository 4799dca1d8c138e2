"""How each Azure resource of the program becomes the body of a request."""

from azure.mgmt.authorization import models as authorization
from azure.mgmt.containerservice import models as containerservice
from azure.mgmt.loganalytics import models as loganalytics
from azure.mgmt.msi import models as msi
from azure.mgmt.network import models as network
from azure.mgmt.resource.locks import models as locks
from azure.mgmt.resource.resources import models as resources
from azure.mgmt.storage import models as storage

from tests.contract.azure_models import AzureModel


def in_url(*names: str) -> frozenset[str]:
    """Inputs that are part of the address of a request, beside the resource group."""
    return frozenset({"resourceGroupName", *names})


AZURE: dict[str, AzureModel] = {
    "azure-native:resources:ResourceGroup": AzureModel(resources.ResourceGroup),
    "azure-native:network:VirtualNetwork": AzureModel(
        network.VirtualNetwork, in_url("virtualNetworkName")
    ),
    "azure-native:network:Subnet": AzureModel(
        network.Subnet, in_url("virtualNetworkName", "subnetName")
    ),
    "azure-native:managedidentity:UserAssignedIdentity": AzureModel(
        msi.Identity, in_url("resourceName")
    ),
    "azure-native:authorization:RoleAssignment": AzureModel(
        authorization.RoleAssignmentCreateParameters,
        frozenset({"scope", "roleAssignmentName"}),
        enums={"principalType": authorization.PrincipalType},
    ),
    "azure-native:authorization:RoleDefinition": AzureModel(
        authorization.RoleDefinition,
        frozenset({"scope", "roleDefinitionId"}),
        renamed={"roleType": "type"},
    ),
    "azure-native:managedidentity:FederatedIdentityCredential": AzureModel(
        msi.FederatedIdentityCredential,
        in_url("resourceName", "federatedIdentityCredentialResourceName"),
    ),
    "azure-native:authorization:ManagementLockByScope": AzureModel(
        locks.ManagementLockObject,
        frozenset({"scope", "lockName"}),
        enums={"level": locks.LockLevel},
    ),
    "azure-native:operationalinsights:Workspace": AzureModel(
        loganalytics.Workspace, in_url("workspaceName")
    ),
    "azure-native:containerservice:ManagedCluster": AzureModel(
        containerservice.ManagedCluster, in_url("resourceName")
    ),
    "azure-native:containerservice:AgentPool": AzureModel(
        containerservice.AgentPool, in_url("resourceName", "agentPoolName")
    ),
    "azure-native:containerservice:MaintenanceConfiguration": AzureModel(
        containerservice.MaintenanceConfiguration, in_url("resourceName", "configName")
    ),
    "azure-native:storage:StorageAccount": AzureModel(
        storage.StorageAccountCreateParameters,
        in_url("accountName"),
        renamed={
            "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
            "networkRuleSet": "networkAcls",
            "virtualNetworkResourceId": "id",
            "iPAddressOrRange": "value",
            "encryptionIdentity": "identity",
            "encryptionUserAssignedIdentity": "userAssignedIdentity",
            "keyVaultProperties": "keyvaultproperties",
            "keyVaultUri": "keyvaulturi",
            "keyName": "keyname",
            "keyVersion": "keyversion",
        },
    ),
    "azure-native:storage:BlobServiceProperties": AzureModel(
        storage.BlobServiceProperties, in_url("accountName", "blobServicesName")
    ),
    "azure-native:storage:ManagementPolicy": AzureModel(
        storage.ManagementPolicy, in_url("accountName", "managementPolicyName")
    ),
    "azure-native:storage:BlobContainer": AzureModel(
        storage.BlobContainer, in_url("accountName", "containerName")
    ),
}
