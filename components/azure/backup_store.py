"""A storage account that Longhorn writes its backups to."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, managedidentity, resources, storage

from components.azure.backup_settings import CONTAINER, BlobBackupStoreSettings
from components.azure.keys import Key
from components.azure.network import AzureNetwork
from components.azure.roles import KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER, grant

LOCK = "immutableStorageWithVersioning.immutabilityPolicy.state"
"""Input of an account that a person changes for good, past this program."""


class BlobBackupStore(pulumi.ComponentResource):
    """A versioned container that only the nodes' subnet reaches, in a resource group of its own.

    Longhorn knows no other login to Azure than the account's key (Longhorn 1.12.1, "Setting a
    backup target"), which is secret wherever it stands. Who has it may erase what is in the account
    and turn off what would bring it back. Deleting a resource group deletes all
    that is in it, so backups that are to outlive the cluster cannot share one with it.
    """

    url: pulumi.Output[str]
    bucket: pulumi.Output[str]
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
            identity = None
            if settings.kms_key:
                identity, self.ready = _key_identity(
                    name, settings.kms_key, group, location=location, tags=tags, kept=kept
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
                immutable_storage_with_versioning=_immutable(settings),
                identity=storage.IdentityArgs(
                    type=storage.IdentityType.USER_ASSIGNED,
                    user_assigned_identities=[identity.id],
                )
                if identity
                else None,
                encryption=_encryption(settings, identity),
                tags=tags,
                opts=pulumi.ResourceOptions.merge(
                    kept,
                    pulumi.ResourceOptions(
                        depends_on=self.ready,
                        ignore_changes=[LOCK] if settings.immutable_days else None,
                    ),
                ),
            )
            group_name, account_name = group.name, account.name
            self.ready += _protected_container(
                name, settings, group, account, protect_data=protect_data, kept=kept
            )
        keys = storage.list_storage_account_keys_output(
            resource_group_name=group_name,
            account_name=account_name,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        # The driver wants Azure's domain where S3 has a region.
        self.bucket = pulumi.Output.concat(account_name, "/", container_name)
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


def _immutable(settings: BlobBackupStoreSettings) -> storage.ImmutableStorageAccountArgs | None:
    """Versions that the account's key does not erase either (Azure, version-level WORM)."""
    if settings.immutable_days is None:
        return None
    return storage.ImmutableStorageAccountArgs(
        enabled=True,
        immutability_policy=storage.AccountImmutabilityPolicyPropertiesArgs(
            immutability_period_since_creation_in_days=settings.immutable_days,
            allow_protected_append_writes=False,
            # Azure makes none that is locked already, and takes no lock off.
            state=storage.AccountImmutabilityPolicyState.UNLOCKED,
        ),
    )


def _encryption(
    settings: BlobBackupStoreSettings, identity: managedidentity.UserAssignedIdentity | None
) -> storage.EncryptionArgs | None:
    """A key of the stack's own in place of Azure's."""
    if settings.kms_key is None or identity is None:
        return None
    key = Key.of(settings.kms_key)
    return storage.EncryptionArgs(
        key_source=storage.KeySource.MICROSOFT_KEYVAULT,
        key_vault_properties=storage.KeyVaultPropertiesArgs(
            key_vault_uri=key.vault_uri, key_name=key.name, key_version=key.version
        ),
        encryption_identity=storage.EncryptionIdentityArgs(
            encryption_user_assigned_identity=identity.id
        ),
    )


def _key_identity(
    name: str,
    key: str,
    group: resources.ResourceGroup,
    *,
    location: str,
    tags: Mapping[str, str],
    kept: pulumi.ResourceOptions,
) -> tuple[managedidentity.UserAssignedIdentity, list[pulumi.Resource]]:
    """Who the account is to the vault, and what lets it use the key.

    Both stay as long as the backups do: without them nobody reads them.
    """
    identity = managedidentity.UserAssignedIdentity(
        f"{name}-identity",
        resource_group_name=group.name,
        location=location,
        tags=tags,
        opts=kept,
    )
    access = grant(
        f"{name}-key-access",
        KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER,
        to=identity.principal_id,
        scope=Key.of(key).scope,
        opts=kept,
    )
    return identity, [access]


def _protected_container(
    name: str,
    settings: BlobBackupStoreSettings,
    group: resources.ResourceGroup,
    account: storage.StorageAccount,
    *,
    protect_data: bool,
    kept: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """The container, and what keeps a backup for a while after its deletion by mistake."""
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
