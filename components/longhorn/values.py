"""The chart values that make Longhorn fit for a database, and only those that differ."""

from typing import Any

import pulumi

from components.capacity.disk import disk_shares
from components.longhorn.settings import LonghornSettings

NODE_DOWN_POLICY = "delete-both-statefulset-and-deployment-pod"


def chart_values(
    settings: LonghornSettings,
    *,
    node_count: int,
    dedicated_disk: bool,
    protect_data: bool,
    guarded: bool = False,
    backup_target: pulumi.Input[str] | None = None,
    backup_secret: str = "",
) -> dict[str, Any]:
    """Values of chart 1.12.1 (``chart/values.yaml`` of that release), without any secret.

    Args:
        settings: choices of the stack.
        node_count: nodes that carry copies.
        dedicated_disk: whether the copies' disk is Longhorn's alone.
        protect_data: whether Longhorn refuses to be uninstalled.
        guarded: whether IRIS ends by itself on a node that is cut off.
        backup_target: where backups go; empty: nowhere, and what was there is forgotten; None:
            as it is, which is nowhere in a new cluster.
        backup_secret: name of the Secret with the login; empty: none is needed.
    """
    shares = disk_shares(dedicated=dedicated_disk)
    values: dict[str, Any] = {
        # The program owns the classes: the chart's own one cannot be changed after install.
        "persistence": {"createStorageClass": False, "defaultClass": False},
        # On by default in 1.12.1, and without a rule for iSCSI from the node to the instance
        # manager: network plugins that enforce policy on host traffic then refuse every attach
        # (longhorn/longhorn#13802).
        "networkPolicies": {"restrictInternalTraffic": False},
        "csi": {
            f"{sidecar}ReplicaCount": min(3, node_count)
            for sidecar in ("attacher", "provisioner", "resizer", "snapshotter")
        },
        "longhornUI": {"replicas": min(2, node_count) if settings.ui.enabled else 0},
        "defaultSettings": {
            "defaultDataPath": settings.data_path,
            "defaultReplicaCount": settings.replicas,
            "defaultDataLocality": "best-effort",
            "replicaSoftAntiAffinity": False,
            "replicaAutoBalance": "least-effort",
            # Without it a pod on a dead node stays Terminating, and its volume attached, until
            # the node returns or a person acts.
            "nodeDownPodDeletionPolicy": NODE_DOWN_POLICY,
            # The brake that keeps a node upgrade from draining the node with the last good copy.
            "nodeDrainPolicy": "block-if-contains-last-replica",
            # Five rebuilds at once (the default) starve small nodes (longhorn/longhorn#13087).
            "concurrentReplicaRebuildPerNodeLimit": 2,
            "engineReplicaTimeout": settings.engine_timeout(guarded=guarded),
            "storageOverProvisioningPercentage": settings.over_provisioning_percentage,
            "storageMinimalAvailablePercentage": shares.kept_free,
            "storageReservedPercentageForDefaultDisk": shares.reserved,
            # Longhorn refuses to be uninstalled, volumes and all, while this is false.
            "deletingConfirmationFlag": not protect_data,
            "allowCollectingLonghornUsageMetrics": False,
            "upgradeChecker": False,
        },
    }
    if settings.kubelet_root_dir:
        values["csi"]["kubeletRootDir"] = settings.kubelet_root_dir
    if settings.image_registry:
        values["global"] = {"imageRegistry": settings.image_registry}
    if backup_target is not None:
        values["defaultBackupStore"] = {
            "backupTarget": backup_target,
            "backupTargetCredentialSecret": backup_secret,
        }
    return values


def class_parameters(replicas: int, *, zone_count: int, fs_type: str = "ext4") -> dict[str, str]:
    """Parameters of the StorageClass (Longhorn storage class parameters, 1.12.1).

    A copy per zone is demanded only where there are enough zones: with fewer, the copies that
    find no zone of their own would never be placed and the volume would stay degraded.
    """
    return {
        "numberOfReplicas": str(replicas),
        "staleReplicaTimeout": "2880",
        "dataLocality": "best-effort",
        "dataEngine": "v1",
        "fsType": fs_type,
        "disableRevisionCounter": "true",
        # A trim would mark the snapshots behind the volume's head as removed, those included that a
        # person made before an upgrade (Longhorn, "Trim Filesystem", 1.12.1).
        "unmapMarkSnapChainRemoved": "disabled",
        "replicaSoftAntiAffinity": "disabled",
        "replicaZoneSoftAntiAffinity": "disabled" if zone_count >= max(3, replicas) else "ignored",
    }
