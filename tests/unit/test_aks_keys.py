"""IRIS on AKS: keys of a team's own, and what keeps backups from whoever has Longhorn's login."""

import pytest

from tests.unit.test_aks import CLUSTER
from tests.unit.test_aks_access import ACCOUNT, ROLE, roles

VAULT = "/subscriptions/s/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/iris-keys"
KEY = f"{VAULT}/keys/iris"
VERSION = "0123456789abcdef0123456789abcdef"
IMMUTABLE = {"immutableDays": 30, "uploads": {"fullEvery": 4}}
DISK_KEYS = (
    "/subscriptions/s/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets/iris"
)


def test_azures_keys_are_used_where_none_is_named(aks):
    engine = aks()

    cluster = engine.one(CLUSTER).inputs
    assert "diskEncryptionSetID" not in cluster
    assert cluster["securityProfile"]["azureKeyVaultKms"]["enabled"] is False
    assert "encryption" not in engine.one(ACCOUNT).inputs


def test_a_disk_encryption_set_encrypts_every_nodes_disk_and_the_cluster_may_read_it(aks):
    engine = aks(cluster={"diskEncryptionSetId": DISK_KEYS})

    assert engine.one(CLUSTER).inputs["diskEncryptionSetID"] == DISK_KEYS
    assert roles(engine)[DISK_KEYS] == "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def test_kubernetes_secrets_are_wrapped_with_a_key_that_the_cluster_may_use_before_it_is_made(aks):
    engine = aks(cluster={"secretsKmsKey": f"{KEY}/versions/{VERSION}"})

    cluster = engine.one(CLUSTER)
    assert cluster.inputs["securityProfile"]["azureKeyVaultKms"] == {
        "enabled": True,
        "keyId": f"https://iris-keys.vault.azure.net/keys/iris/{VERSION}",
        "keyVaultNetworkAccess": "Public",
    }
    assert roles(engine)[KEY] == "12338af0-0e69-4776-bea7-57ae8d297424"
    assert "cluster-secrets-key-access" in cluster.depends_on


@pytest.mark.parametrize("version", [None, VERSION])
def test_backups_are_encrypted_with_a_key_of_the_teams_own(aks, version):
    named = f"{KEY}/versions/{version}" if version else KEY
    account = aks(backup={"kmsKey": named}).one(ACCOUNT).inputs

    properties = {"keyVaultUri": "https://iris-keys.vault.azure.net/", "keyName": "iris"}
    assert account["encryption"] == {
        "keySource": "Microsoft.Keyvault",
        # Without a version the newest counts, so that the vault can rotate it.
        "keyVaultProperties": properties | ({"keyVersion": version} if version else {}),
        "encryptionIdentity": {"encryptionUserAssignedIdentity": "backup-identity-id"},
    }
    assert account["identity"]["userAssignedIdentities"] == ["backup-identity-id"]


def test_what_reads_the_key_of_the_backups_is_there_before_them_and_outlives_the_stack(aks):
    engine = aks(backup={"kmsKey": KEY})

    access = engine.one(ROLE, "backup-key-access")
    assert access.inputs["scope"] == KEY
    assert access.inputs["roleDefinitionId"].endswith("e147488a-f6f5-4113-8e2d-b22465e65bf6")
    assert "backup-key-access" in engine.one(ACCOUNT).depends_on
    # Backups that stay behind cannot be read without it.
    for name in ("backup-identity", "backup-key-access"):
        assert engine.named(name).request.retainOnDelete, name
        assert engine.named(name).protect, name


def test_blocks_stay_for_some_days_even_from_whoever_has_longhorns_login(aks):
    account = aks(backup=IMMUTABLE).one(ACCOUNT)

    assert account.inputs["immutableStorageWithVersioning"] == {
        "enabled": True,
        "immutabilityPolicy": {
            "immutabilityPeriodSinceCreationInDays": 30,
            "allowProtectedAppendWrites": False,
            # Azure locks only what exists.
            "state": "Unlocked",
        },
    }


def test_a_lock_that_a_person_put_on_the_backups_is_no_change_to_take_back(aks):
    path = "immutableStorageWithVersioning.immutabilityPolicy.state"

    assert [*aks(backup=IMMUTABLE).one(ACCOUNT).request.ignoreChanges] == [path]
    # Days that are added later are not ignored: Azure needs another account for them.
    assert [*aks().one(ACCOUNT).request.ignoreChanges] == []
