"""How each Azure resource of the program becomes the body of a request."""

from azure.mgmt.authorization import models as authorization
from azure.mgmt.containerservice import models as containerservice
from azure.mgmt.msi import models as msi
from azure.mgmt.network import models as network
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
    "azure-native:network:NatGateway": AzureModel(network.NatGateway, in_url("natGatewayName")),
    "azure-native:network:PublicIPAddress": AzureModel(
        network.PublicIPAddress, in_url("publicIpAddressName")
    ),
    "azure-native:network:NetworkSecurityGroup": AzureModel(
        network.NetworkSecurityGroup, in_url("networkSecurityGroupName")
    ),
    "azure-native:managedidentity:UserAssignedIdentity": AzureModel(
        msi.Identity, in_url("resourceName")
    ),
    "azure-native:authorization:RoleAssignment": AzureModel(
        authorization.RoleAssignmentCreateParameters,
        frozenset({"scope", "roleAssignmentName"}),
        enums={"principalType": authorization.PrincipalType},
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
        renamed={"enableHttpsTrafficOnly": "supportsHttpsTrafficOnly"},
    ),
    "azure-native:storage:BlobContainer": AzureModel(
        storage.BlobContainer, in_url("accountName", "containerName")
    ),
}
