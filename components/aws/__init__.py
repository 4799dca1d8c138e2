"""AWS: a network, an EKS cluster that Longhorn can live in, a bucket for its backups."""

from components.aws.backup_store import S3BackupStore, S3BackupStoreSettings
from components.aws.cluster import EksCluster
from components.aws.network import AwsNetwork
from components.aws.network_settings import AwsNetworkSettings
from components.aws.settings import EksClusterSettings

__all__ = [
    "AwsNetwork",
    "AwsNetworkSettings",
    "EksCluster",
    "EksClusterSettings",
    "S3BackupStore",
    "S3BackupStoreSettings",
]
