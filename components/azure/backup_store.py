"""A storage account that Longhorn writes its backups to."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Literal

import pulumi
from pulumi_azure_native import authorization, resources, storage
from pydantic import Field, field_validator

from components.azure.network import AzureNetwork
from components.settings import Cidr, Settings

CONTAINER = "longhorn"
PRIVATE = tuple(IPv4Network(r) for r in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


class ExistingBlobSettings(Settings):
    """A container that exists, such as one that an earlier stack left behind."""

    resource_group: str = Field(pattern=r"^[\w.()-]{1,90}$")
    """Resource group of the storage account."""

    account: str = Field(pattern=r"^[a-z0-9]{3,24}$")
    """Name of the storage account. It must allow access with its key."""

    container: str = Field(default=CONTAINER, pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")
    """Name of the blob container."""


class BlobBackupStoreSettings(Settings):
    """Where backups go, and how hard they are to lose."""

    enabled: bool = True
    """Give Longhorn a container for backups. Without one every copy is inside the cluster."""

    existing: ExistingBlobSettings | None = None
    """Use a container that exists. Nothing of it is changed; the settings below are unused."""

    redundancy: Literal["ZRS", "GRS", "GZRS"] = "ZRS"
    """Copies of a backup: three zones of the region (ZRS), another region (GRS), both (GZRS).

    With ZRS the backups are lost with the cluster if the whole region is.
    """

    recover_days: int = Field(default=30, ge=1, le=365)
    """Days for which objects that were deleted or overwritten can be brought back."""

    access_cidrs: tuple[Cidr, ...] = Field(default=(), max_length=400)
    """Public networks that may read and write backups beside the nodes, such as a recovery site.
    """

    keep_on_destroy: bool = True
    """Leave the account and its backups behind when the stack is destroyed."""

    @field_validator("access_cidrs")
    @classmethod
    def _are_public(cls, cidrs: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        for network in cidrs:
            if network.prefixlen == 0:
                raise ValueError(
                    "0.0.0.0/0 lets the whole Internet try the account's key; "
                    "name the networks that need the backups"
                )
            if any(network.overlaps(private) for private in PRIVATE):
                raise ValueError(
                    f"{network} is a private range, which Azure refuses here; "
                    "name the public addresses it leaves by"
                )
        return cidrs


class BlobBackupStore(pulumi.ComponentResource):
    """A versioned container that only the nodes' subnet reaches, in a resource group of its own.

    Longhorn knows no other login to Azure than the account's key (Longhorn 1.12.1, "Setting a
    backup target"), which is secret wherever it stands. Deleting a resource group deletes all
    that is in it, so backups that are to outlive the cluster cannot share one with it.
    """

    url: pulumi.Output[str]
    credentials: Mapping[str, pulumi.Input[str]]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        settings: BlobBackupStoreSettings,
        *,
        cluster_name: str,
        network: AzureNetwork,
        location: str,
        tags: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:storage:BlobBackupStore", name, None, opts)
        kept = pulumi.ResourceOptions(
            parent=self,
            protect=protect_data,
            retain_on_delete=protect_data or settings.keep_on_destroy,
        )
        self.ready = []
        if settings.existing:
            group_name = pulumi.Output.from_input(settings.existing.resource_group)
            account_name = pulumi.Output.from_input(settings.existing.account)
            container_name = settings.existing.container
        else:
            container_name = CONTAINER
            group = resources.ResourceGroup(
                # Azure-native adds letters of its own to this name, so that a stack that comes
                # back does not run into the group that it left behind.
                f"{cluster_name}-{name}",
                location=location,
                tags=tags,
                opts=kept,
            )
            account = storage.StorageAccount(
                # Azure takes letters and digits alone, and the account is named after this.
                f"{name}-account".replace("-", ""),
                resource_group_name=group.name,
                location=location,
                kind="StorageV2",
                sku=storage.SkuArgs(name=f"Standard_{settings.redundancy}"),
                access_tier=storage.AccessTier.HOT,
                allow_blob_public_access=False,
                # Longhorn has the key and nothing else to log in with.
                allow_shared_key_access=True,
                allow_cross_tenant_replication=False,
                minimum_tls_version="TLS1_2",
                enable_https_traffic_only=True,
                network_rule_set=_access(settings, network),
                tags=tags,
                opts=kept,
            )
            group_name, account_name = group.name, account.name
            self.ready = _protected_container(
                name, settings, group, account, protect_data=protect_data, kept=kept
            )
        keys = storage.list_storage_account_keys_output(
            resource_group_name=group_name,
            account_name=account_name,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        # The driver wants Azure's domain where S3 has a region.
        self.url = pulumi.Output.from_input(f"azblob://{container_name}@core.windows.net/")
        self.credentials = {
            "AZBLOB_ACCOUNT_NAME": account_name,
            "AZBLOB_ACCOUNT_KEY": pulumi.Output.secret(keys.keys[0].value),
        }
        self.register_outputs({"url": self.url})


def _access(settings: BlobBackupStoreSettings, network: AzureNetwork) -> storage.NetworkRuleSetArgs:
    return storage.NetworkRuleSetArgs(
        default_action=storage.DefaultAction.DENY,
        # The rule that removes old versions is one of Azure's own services and would be shut out.
        bypass="AzureServices",
        virtual_network_rules=[
            storage.VirtualNetworkRuleArgs(
                virtual_network_resource_id=network.subnet_id, action=storage.Action.ALLOW
            )
        ],
        ip_rules=[
            storage.IPRuleArgs(i_p_address_or_range=address, action=storage.Action.ALLOW)
            for cidr in settings.access_cidrs
            # Azure refuses /31 and /32 and wants the addresses themselves.
            for address in ([str(ip) for ip in cidr] if cidr.prefixlen > 30 else [str(cidr)])
        ],
    )


def _protected_container(
    name: str,
    settings: BlobBackupStoreSettings,
    group: resources.ResourceGroup,
    account: storage.StorageAccount,
    *,
    protect_data: bool,
    kept: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """The container, and what keeps a backup for a while after its deletion."""
    blobs = storage.BlobServiceProperties(
        f"{name}-blobs",
        blob_services_name="default",
        resource_group_name=group.name,
        account_name=account.name,
        is_versioning_enabled=True,
        delete_retention_policy=storage.DeleteRetentionPolicyArgs(
            enabled=True, days=settings.recover_days
        ),
        container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(
            enabled=True, days=settings.recover_days
        ),
        opts=kept,
    )
    container = storage.BlobContainer(
        f"{name}-container",
        container_name=CONTAINER,
        resource_group_name=group.name,
        account_name=account.name,
        public_access=storage.PublicAccess.NONE,
        opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[blobs])),
    )
    expiry = storage.ManagementPolicy(
        f"{name}-expiry",
        management_policy_name="default",
        resource_group_name=group.name,
        account_name=account.name,
        policy=storage.ManagementPolicySchemaArgs(
            rules=[
                storage.ManagementPolicyRuleArgs(
                    name="old-versions",
                    type="Lifecycle",
                    enabled=True,
                    definition=storage.ManagementPolicyDefinitionArgs(
                        filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"]),
                        actions=storage.ManagementPolicyActionArgs(
                            version=storage.ManagementPolicyVersionArgs(
                                delete=storage.DateAfterCreationArgs(
                                    days_after_creation_greater_than=settings.recover_days
                                )
                            )
                        ),
                    ),
                )
            ]
        ),
        opts=pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[blobs])),
    )
    ready: list[pulumi.Resource] = [container, expiry]
    if protect_data:
        ready.append(
            authorization.ManagementLockByScope(
                f"{name}-lock",
                lock_name="ha-iris-keeps-data",
                level="CanNotDelete",
                notes="This account holds backups of a database. See docs/aks.md.",
                scope=account.id,
                opts=pulumi.ResourceOptions(parent=kept.parent),
            )
        )
    return ready
