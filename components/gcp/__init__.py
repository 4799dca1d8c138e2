"""Google Cloud: a network, a GKE cluster that Longhorn can live in, a bucket for its backups."""

from components.gcp.backup_store import GcsBackupStore, GcsBackupStoreSettings
from components.gcp.cluster import GkeCluster
from components.gcp.network import GcpNetwork, GcpNetworkSettings
from components.gcp.settings import GkeClusterSettings

__all__ = [
    "GcpNetwork",
    "GcpNetworkSettings",
    "GcsBackupStore",
    "GcsBackupStoreSettings",
    "GkeCluster",
    "GkeClusterSettings",
]
