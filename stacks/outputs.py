"""What a stack tells of the cloud that it made, by the same names on every cloud.

docs/outputs.md lists them; a test keeps page and program in step.
"""

from collections.abc import Sequence

import pulumi

from components.longhorn import BackupStore


def cloud_outputs(
    *,
    region: str,
    network: pulumi.Input[str],
    subnets: Sequence[pulumi.Input[str]],
    egress_addresses: pulumi.Input[Sequence[pulumi.Input[str]]],
    node_identity: pulumi.Input[str],
    backup_store: BackupStore | None,
) -> dict[str, pulumi.Input[object]]:
    """Outputs of a stack whose cluster it made itself.

    Args:
        region: where all of it is.
        network: the VPC or virtual network, by the identifier that its cloud knows it by.
        subnets: where the nodes are.
        egress_addresses: public addresses that nodes leave by, as far as they are known.
        node_identity: whom the nodes act as.
        backup_store: where Longhorn writes backups, if it does.
    """
    return {
        "region": region,
        "network": network,
        "subnets": list(subnets),
        "egressAddresses": egress_addresses,
        "nodeIdentity": node_identity,
    } | store_outputs(backup_store)


def store_outputs(backup_store: BackupStore | None) -> dict[str, pulumi.Input[object]]:
    """Where backups go, if they go anywhere."""
    if backup_store is None:
        return {}
    return {"backupBucket": backup_store.bucket, "backupTarget": backup_store.url}
