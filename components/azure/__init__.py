"""Azure: a network, an AKS cluster that Longhorn can live in, a storage account for its backups."""

from components.azure.backup_settings import BlobBackupStoreSettings
from components.azure.backup_store import BlobBackupStore
from components.azure.cluster import AksCluster
from components.azure.network import AzureNetwork, AzureNetworkSettings
from components.azure.settings import AksClusterSettings

__all__ = [
    "AksCluster",
    "AksClusterSettings",
    "AzureNetwork",
    "AzureNetworkSettings",
    "BlobBackupStore",
    "BlobBackupStoreSettings",
]
