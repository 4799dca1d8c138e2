"""A stack on Azure: a virtual network, an AKS cluster and a storage account for backups."""

import re
from typing import Annotated

import pulumi
from pulumi.runtime import is_dry_run
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.azure import (
    AksCluster,
    AksClusterSettings,
    AzureNetwork,
    AzureNetworkSettings,
    BlobBackupStore,
    BlobBackupStoreSettings,
)
from components.azure.access_settings import EXAMPLE_GROUP
from components.azure.settings import CLUSTER_NAME
from components.longhorn import LonghornSettings
from stacks.faults import refusal
from stacks.outputs import cloud_outputs
from stacks.platform import deploy
from stacks.settings import StackSettings, cluster_name, not_twice

TagName = Annotated[str, StringConstraints(pattern=r"^[^<>%&\\?/]{1,128}$")]
TagValue = Annotated[str, StringConstraints(max_length=256)]


class AksStackSettings(StackSettings[AksClusterSettings, BlobBackupStoreSettings]):
    """Settings of a stack on Azure. The region is azure-native:location."""

    cluster: AksClusterSettings
    """The AKS cluster. apiAccessCidrs has no default that would be right."""

    network: AzureNetworkSettings = Field(default=AzureNetworkSettings(), validate_default=True)
    """The virtual network that the cluster is in."""

    backup: BlobBackupStoreSettings = Field(
        default=BlobBackupStoreSettings(), validate_default=True
    )
    """The storage account that Longhorn writes backups to."""

    tags: dict[TagName, TagValue] = Field(default={}, max_length=40)
    """Tags of everything that can have them, nodes and their disks included (for cost reports)."""

    @field_validator("network")
    @classmethod
    def _can_be_reached(
        cls, network: AzureNetworkSettings, info: ValidationInfo
    ) -> AzureNetworkSettings:
        cluster = info.data.get("cluster")
        if cluster and cluster.api_endpoint == "private" and network.existing is None:
            raise ValueError(
                "apiEndpoint is private, and a network that this program is yet to make is one "
                "that `pulumi up` cannot run in; name the subnet that it can reach in "
                "existing.subnetId, or set ha-iris:cluster.apiEndpoint to public"
            )
        return network

    @field_validator("tags")
    @classmethod
    def _are_not_azures_own(cls, tags: dict[str, str]) -> dict[str, str]:
        not_twice(tags)
        for name in tags:
            if name.lower().startswith(("microsoft", "azure", "windows")):
                raise ValueError(f"Azure keeps names that begin like {name} to itself; rename it")
        return tags

    @field_validator("longhorn")
    @classmethod
    def _survives_a_repair(cls, longhorn: LonghornSettings) -> LonghornSettings:
        if longhorn.replicas < 3:
            raise ValueError(
                f"replicas is {longhorn.replicas}, and AKS reimages a node that is not ready for "
                "five minutes, copy and all, which cannot be turned off; set replicas to 3"
            )
        return longhorn


def build(settings: AksStackSettings) -> dict[str, pulumi.Input[object]]:
    """Longhorn and IRIS on an AKS cluster of their own."""
    if EXAMPLE_GROUP in settings.cluster.admins and not is_dry_run():
        raise refusal(
            f"ha-iris:cluster.admins holds {EXAMPLE_GROUP}, an example that no group has: nobody "
            "could log in, `pulumi up` included; put the object ID of a group there that the "
            "deployer is in, as `az ad group show --group NAME --query id` shows it"
        )
    name = cluster_name(
        settings.cluster.name,
        pattern=CLUSTER_NAME,
        rule="AKS cluster name (lower-case letters, digits and hyphens, at most 54)",
    )
    location = _location()
    network = AzureNetwork(
        "network",
        settings.network,
        cluster_name=name,
        location=location,
        tags=settings.tags,
    )
    cluster = AksCluster(
        "cluster",
        settings.cluster,
        cluster_name=name,
        network=network,
        location=location,
        tags=settings.tags,
        protect_data=settings.protect_data,
        fenced=settings.fencing.enabled,
    )
    backup_store = None
    if settings.backup.enabled:
        backup_store = BlobBackupStore(
            "backup",
            settings.backup,
            cluster_name=name,
            network=network,
            location=location,
            tags=settings.tags,
            protect_data=settings.protect_data,
        )
    else:
        pulumi.log.warn(
            "There is no backup store, and every copy of the database is on a node that AKS "
            "reimages when it is not ready for five minutes, which cannot be turned off."
        )
    power = None
    if settings.fencing.enabled:
        # Not imported where it is not wanted.
        from components.azure.power import VmssPower

        power = VmssPower(
            "fencing-power",
            cluster_name=name,
            resource_group=cluster.resource_group,
            node_resource_group=cluster.node_resource_group,
            oidc_issuer=cluster.oidc_issuer,
            location=location,
            tags=settings.tags,
        ).power
    return deploy(
        settings, cluster=cluster, backup_store=backup_store, power=power
    ) | cloud_outputs(
        region=location,
        network=network.vnet_id,
        subnets=[network.subnet_id],
        egress_addresses=cluster.egress_addresses,
        node_identity=cluster.node_identity,
        backup_store=backup_store,
    )


def _location() -> str:
    """Region, which azure-native would otherwise miss resource by resource."""
    location = pulumi.Config("azure-native").get("location")
    if not location:
        raise refusal(
            "azure-native:location is missing: the region whose three zones hold the copies; "
            "run `pulumi config set azure-native:location westeurope`"
        )
    if not re.fullmatch(r"[a-z]+\d*", location):
        raise refusal(
            f"azure-native:location is {location}: this is no name of a region; write it as in "
            "westeurope, without spaces or a zone"
        )
    return location
