"""A stack on AWS: a VPC, an EKS cluster and a bucket for backups."""

import re
from typing import Annotated

import pulumi
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.aws import (
    AwsNetwork,
    AwsNetworkSettings,
    EksCluster,
    EksClusterSettings,
    S3BackupStore,
    S3BackupStoreSettings,
)
from components.aws.control_plane import check_version
from components.aws.settings import CLUSTER_NAME
from components.aws.user_data import DATA_PATH
from components.longhorn import LonghornSettings
from stacks.faults import refusal
from stacks.outputs import cloud_outputs
from stacks.platform import deploy
from stacks.settings import StackSettings, cluster_name, not_twice

OF_A_TAG = r"^[0-9A-Za-z _.:/=+@-]*$"
TagKey = Annotated[str, StringConstraints(pattern=OF_A_TAG, min_length=1, max_length=128)]
TagValue = Annotated[str, StringConstraints(pattern=OF_A_TAG, max_length=256)]


class EksStackSettings(StackSettings[EksClusterSettings, S3BackupStoreSettings]):
    """Settings of a stack on AWS. The region is aws:region."""

    cluster: EksClusterSettings
    """The EKS cluster. apiAccessCidrs has no default that would be right."""

    network: AwsNetworkSettings = AwsNetworkSettings()
    """The VPC that the cluster is in."""

    backup: S3BackupStoreSettings = Field(default=S3BackupStoreSettings(), validate_default=True)
    """The bucket that Longhorn writes backups to."""

    tags: dict[TagKey, TagValue] = Field(default={})
    """Tags of everything that is created, nodes and disks included.

    Nodes carry theirs from birth: a change replaces the nodes, one by one.
    """

    @field_validator("backup")
    @classmethod
    def _keeps_the_deployer_in(
        cls, backup: S3BackupStoreSettings, info: ValidationInfo
    ) -> S3BackupStoreSettings:
        cluster = info.data.get("cluster")
        deployer = cluster and (cluster.deployer or cluster.login_role)
        if backup.versions_erased_by and deployer and deployer not in backup.versions_erased_by:
            raise ValueError(
                f"versionsErasedBy lacks {deployer}, which runs `pulumi up` and could change the "
                "bucket never again; add it"
            )
        return backup

    @field_validator("longhorn")
    @classmethod
    def _is_on_the_data_disk(cls, longhorn: LonghornSettings) -> LonghornSettings:
        if longhorn.data_path != DATA_PATH:
            raise ValueError(
                f"dataPath is {longhorn.data_path}, and the disk that EKS nodes keep for Longhorn "
                f"is mounted at {DATA_PATH}; drop dataPath"
            )
        return longhorn

    @field_validator("tags")
    @classmethod
    def _are_not_of_aws(cls, tags: dict[str, str]) -> dict[str, str]:
        not_twice(tags)  # To IAM, that is, where the roles carry them.
        for key in tags:
            if key.lower().startswith("aws:") or key == "Name":
                raise ValueError(
                    f"{key} is not yours to set: AWS keeps aws: to itself, and Name is set by "
                    "the program; drop it"
                )
        if len(tags) > 40:
            raise ValueError("AWS takes 50 tags, and Kubernetes needs a few; set 40 or less")
        return tags


def build(settings: EksStackSettings) -> dict[str, pulumi.Input[object]]:
    """Longhorn and IRIS on an EKS cluster of their own."""
    region = _region(settings.network.zones)
    _keys_are_of(region, settings)
    if pulumi.Config("aws").get("assumeRoles") and not settings.cluster.login_role:
        raise refusal(
            "ha-iris:cluster.loginRole is missing: aws:assumeRoles makes the program act as a role "
            "that the AWS CLI, which logs in to the cluster, knows nothing of; set it to the last "
            "of these roles"
        )
    name = cluster_name(
        settings.cluster.name,
        pattern=CLUSTER_NAME,
        rule="EKS cluster name (letters, digits, hyphens and underscores, at most 100)",
    )
    check_version(name, settings.cluster.kubernetes_version)
    network = AwsNetwork(
        "network",
        settings.network,
        region=region,
        cluster_name=name,
        node_type=settings.cluster.node_type,
        iam=settings.cluster.iam,
        tags=settings.tags,
    )
    cluster = EksCluster(
        "cluster",
        settings.cluster,
        cluster_name=name,
        network=network,
        region=region,
        profile=pulumi.Config("aws").get("profile"),
        tags=settings.tags,
        protect_data=settings.protect_data,
    )
    backup_store = None
    if settings.backup.enabled:
        backup_store = S3BackupStore(
            "backup",
            settings.backup,
            cluster_name=cluster.created_name,
            region=region,
            iam=settings.cluster.iam,
            tags=settings.tags,
            protect_data=settings.protect_data,
        )
    power = None
    if settings.fencing.enabled:
        # Not imported where it is not wanted.
        from components.aws.power import Ec2Power

        power = Ec2Power(
            "fencing-power",
            cluster_name=cluster.created_name,
            region=region,
            iam=settings.cluster.iam,
            tags=settings.tags,
        ).power
    return deploy(
        settings, cluster=cluster, backup_store=backup_store, power=power
    ) | cloud_outputs(
        region=region,
        network=network.vpc_id,
        subnets=network.private_subnet_ids,
        egress_addresses=network.egress_addresses,
        node_identity=cluster.node_role_arn,
        backup_store=backup_store,
    )


def _region(zones: tuple[str, ...]) -> str:
    """The region, which the provider cannot do without either."""
    region = pulumi.Config("aws").get("region")
    if not region:
        raise refusal(
            "aws:region is missing: the region whose three zones hold the copies; "
            "run `pulumi config set aws:region eu-west-1`"
        )
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise refusal(
            f"aws:region is {region}: this is no region; write it as in eu-west-1, without the "
            "letter of a zone"
        )
    for zone in zones:
        if not re.fullmatch(rf"{re.escape(region)}[a-z]", zone):
            raise refusal(
                f"ha-iris:network.zones is {list(zones)}: {zone} is no availability zone of "
                f"aws:region {region}; write it as in {region}a"
            )
    return region


def _keys_are_of(region: str, settings: EksStackSettings) -> None:
    """Disks, Secrets and buckets are encrypted with keys of their own region alone."""
    keys = {
        "cluster.diskKmsKey": settings.cluster.disk_kms_key,
        "cluster.secretsKmsKey": settings.cluster.secrets_kms_key,
        "backup.kmsKey": settings.backup.kms_key,
    }
    faults = [
        f"ha-iris:{path} is {key}: it is not in aws:region {region}, where it is needed; "
        "name a key of that region"
        for path, key in keys.items()
        if key and key.split(":")[3] != region
    ]
    if faults:
        raise refusal(*faults)
