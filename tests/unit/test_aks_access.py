"""IRIS on AKS: who reaches the cluster, what the cluster reaches, and where backups go."""

import base64
import json
from functools import partial
from typing import Any

import pulumi
import pytest
import yaml

from components.azure import (
    AzureNetwork,
    AzureNetworkSettings,
    BlobBackupStore,
    BlobBackupStoreSettings,
)
from components.azure.kubeconfig import entra_kubeconfig
from tests.unit.answers import AZURE_KUBECONFIG
from tests.unit.conftest import OFFICE
from tests.unit.test_aks import CLUSTER, POOL

GROUP = "11111111-2222-3333-4444-555555555555"
SUBNET = (
    "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network"
    "/virtualNetworks/hub/subnets/nodes"
)
ACCOUNT = "azure-native:storage:StorageAccount"
ROLE = "azure-native:authorization:RoleAssignment"
PRIVATE = {"apiEndpoint": "private", "apiAccessCidrs": []}
HUB = {"existing": {"subnetId": SUBNET}}
ZONE = (
    "/subscriptions/s/resourceGroups/dns/providers/Microsoft.Network"
    "/privateDnsZones/privatelink.westeurope.azmk8s.io"
)


def roles(engine) -> dict[str, str]:
    """Role that the control plane has on each resource outside its own resource groups."""
    given = [r.inputs for r in engine.of_type(ROLE) if r.name.startswith("cluster-")]
    assert {role["principalId"] for role in given} == {"cluster-identity-principal"}
    # Without it Azure looks for an identity that its directory may not have yet.
    assert {role["principalType"] for role in given} == {"ServicePrincipal"}
    return {role["scope"]: role["roleDefinitionId"].rsplit("/")[-1] for role in given}


@pytest.fixture
def aks_outputs(composed):
    """The engine and the outputs of the committed stack file, changed."""
    return partial(composed, "aks")


def test_only_the_named_networks_reach_the_public_endpoint(aks):
    assert aks().one(CLUSTER).inputs["apiServerAccessProfile"] == {
        "authorizedIPRanges": [OFFICE],
        # Otherwise `az aks command invoke` gets past them.
        "disableRunCommand": True,
    }


@pytest.mark.parametrize("zone", ["system", "none", ZONE])
def test_a_private_endpoint_has_no_public_address_and_a_name_somewhere(aks, zone):
    engine = aks(cluster={**PRIVATE, "privateDnsZone": zone}, network=HUB)

    assert engine.one(CLUSTER).inputs["apiServerAccessProfile"] == {
        "enablePrivateCluster": True,
        # Azure refuses a server whose name stands nowhere.
        "enablePrivateClusterPublicFQDN": zone == "none",
        "privateDNSZone": zone,
        "disableRunCommand": True,
    }


def test_a_dns_zone_that_exists_may_be_filled_by_the_cluster_and_linked_to_its_network(aks):
    engine = aks(cluster={**PRIVATE, "privateDnsZone": ZONE}, network=HUB)

    assert roles(engine) == {
        SUBNET: "4d97b98b-1d4f-4787-a291-c67834d212e7",
        SUBNET.partition("/subnets/")[0]: "4d97b98b-1d4f-4787-a291-c67834d212e7",
        ZONE: "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    }


def test_without_entra_groups_the_certificate_is_the_login_and_stays_on(aks_outputs, resolve):
    engine, outputs = aks_outputs(cluster={"admins": [], "localAccounts": True})

    cluster = engine.one(CLUSTER).inputs
    assert cluster["disableLocalAccounts"] is False
    assert "aadProfile" not in cluster
    assert resolve(outputs["kubeconfig"]) == AZURE_KUBECONFIG


def test_with_entra_groups_no_certificate_opens_the_cluster(aks_outputs, resolve):
    engine, outputs = aks_outputs(cluster={"admins": [GROUP], "login": "workloadidentity"})

    cluster = engine.one(CLUSTER).inputs
    assert cluster["disableLocalAccounts"] is True
    # Without groups of its own nobody could log in.
    assert cluster["aadProfile"]["adminGroupObjectIDs"] == [GROUP]
    assert cluster["aadProfile"]["managed"] is True
    kubeconfig = yaml.safe_load(resolve(outputs["kubeconfig"]))
    (user,) = kubeconfig["users"]
    assert user["user"]["exec"]["command"] == "kubelogin"
    assert "S0VZ" not in json.dumps(kubeconfig)


def test_kubelogin_never_waits_for_a_person_at_a_browser():
    credential = base64.b64encode(AZURE_KUBECONFIG.encode()).decode()

    kubeconfig = yaml.safe_load(entra_kubeconfig(credential, name="c", login="azurecli"))

    assert kubeconfig["current-context"] == "c"
    (cluster,), (user,) = kubeconfig["clusters"], kubeconfig["users"]
    assert cluster["cluster"] == {
        "server": "https://aks.invalid:443",
        "certificate-authority-data": "Q0E=",
    }
    command = user["user"]["exec"]
    assert command["args"] == [
        "get-token",
        "--login",
        "azurecli",
        "--server-id",
        "6dae42f8-4368-4678-94ff-3960e28e3630",
    ]
    assert command["interactiveMode"] == "Never"


def test_the_provider_keeps_its_identity_while_the_kubeconfig_is_unknown(aks_outputs):
    engine, _ = aks_outputs(preview=True)

    provider = engine.one("pulumi:providers:kubernetes")
    # Without it a preview would replace every object in the cluster, volumes included.
    assert provider.inputs["clusterIdentifier"] == "ha-iris-aks"
    assert provider.inputs["enablePatchForce"] == "true"
    assert provider.inputs["enableSecretMutable"] == "true"


def test_outputs_say_how_to_reach_the_cluster_without_anybody_else_reading_the_login(aks_outputs):
    _, outputs = aks_outputs()

    assert outputs["portForwardCommand"] == (
        "(umask 077 && pulumi stack output --stack aks --show-secrets kubeconfig"
        " > ha-iris-aks.kubeconfig)"
        " && kubectl --kubeconfig ha-iris-aks.kubeconfig"
        " --namespace iris port-forward service/iris 52773 1972"
    )


def test_control_plane_logs_are_kept_and_end_with_the_setting_and_not_without_it(aks):
    engine = aks(cluster={"logRetentionDays": 90})

    workspace = engine.one("azure-native:operationalinsights:Workspace")
    assert workspace.inputs["retentionInDays"] == 90
    setting = engine.one("azure-native:monitor:DiagnosticSetting").inputs
    assert {log["category"] for log in setting["logs"]} >= {"kube-apiserver", "kube-audit-admin"}
    assert all(log["enabled"] for log in setting["logs"])


def test_control_plane_logs_can_be_off(aks):
    engine = aks(cluster={"controlPlaneLogs": False})

    assert engine.of_type("azure-native:operationalinsights:Workspace") == []
    assert engine.of_type("azure-native:monitor:DiagnosticSetting") == []


def test_nodes_leave_by_nothing_but_the_load_balancer(aks):
    subnet = aks().one("azure-native:network:Subnet").inputs

    assert subnet["defaultOutboundAccess"] is False
    assert subnet["serviceEndpoints"] == [{"service": "Microsoft.Storage"}]


def test_the_cluster_may_change_its_subnet_and_no_other(aks):
    engine = aks()

    assert roles(engine) == {"network-nodes-id": "4d97b98b-1d4f-4787-a291-c67834d212e7"}
    assert engine.one(ROLE).inputs["roleDefinitionId"] == (
        "/subscriptions/sub/providers/Microsoft.Authorization/roleDefinitions/"
        "4d97b98b-1d4f-4787-a291-c67834d212e7"
    )
    assert "cluster-subnet-access" in engine.one(CLUSTER).depends_on


def test_a_subnet_that_exists_is_used_and_no_network_is_made(aks):
    engine = aks(network=HUB)

    assert not [r for r in engine.resources if r.type.startswith("azure-native:network:")]
    assert {pool.inputs["vnetSubnetID"] for pool in engine.of_type(POOL)} == {SUBNET}
    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    assert system["vnetSubnetID"] == SUBNET
    assert [*roles(engine)] == [SUBNET]


@pytest.mark.parametrize("way", ["userDefinedRouting", "userAssignedNATGateway"])
def test_nodes_leave_by_the_subnets_own_way_and_their_address_must_get_in(aks, caplog, way):
    engine = aks(network={**HUB, "outboundType": way})

    profile = engine.one(CLUSTER).inputs["networkProfile"]
    assert profile["outboundType"] == way
    assert "loadBalancerProfile" not in profile
    assert "apiAccessCidrs must hold the address that they come from" in caplog.text


def test_nodes_leave_by_addresses_that_outlive_the_cluster(aks):
    ids = [
        f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Network"
        "/publicIPAddresses/egress"
        for group in ("one", "two")
    ]
    engine = aks(network={"outboundIps": ids})

    profile = engine.one(CLUSTER).inputs["networkProfile"]["loadBalancerProfile"]
    assert profile["outboundIPs"] == {"publicIPs": [{"id": id_} for id_ in ids]}
    assert "managedOutboundIPs" not in profile
    assert set(ids) <= roles(engine).keys()


def test_backups_are_encrypted_in_transit_private_and_reached_from_the_nodes_alone(aks):
    engine = aks(backup={"accessCidrs": ["198.51.100.0/24", "198.51.102.7"]})

    account = engine.one(ACCOUNT).inputs
    assert account["enableHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["networkRuleSet"] == {
        "defaultAction": "Deny",
        # The rule that removes old versions must get in.
        "bypass": "AzureServices",
        "virtualNetworkRules": [
            {"virtualNetworkResourceId": "network-nodes-id", "action": "Allow"}
        ],
        "ipRules": [
            {"iPAddressOrRange": "198.51.100.0/24", "action": "Allow"},
            # Azure refuses 198.51.102.7/32.
            {"iPAddressOrRange": "198.51.102.7", "action": "Allow"},
        ],
    }
    container = engine.one("azure-native:storage:BlobContainer").inputs
    assert container["publicAccess"] == "None"


def test_longhorn_can_log_in_with_the_only_login_it_knows(aks):
    engine = aks()

    account = engine.one(ACCOUNT)
    assert account.inputs["allowSharedKeyAccess"] is True
    secret = engine.named("longhorn-backup-credentials").inputs["stringData"]
    assert secret == {
        "AZBLOB_ACCOUNT_NAME": "backupaccount1a2b3c4d",
        "AZBLOB_ACCOUNT_KEY": "key-of-backupaccount1a2b3c4d",
    }
    store = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]["defaultBackupStore"]
    assert store["backupTarget"] == "azblob://longhorn@core.windows.net/"


def test_the_accounts_key_is_secret_wherever_it_goes(deploy, resolve):
    made = []

    def program():
        place: dict[str, Any] = {"cluster_name": "c", "location": "westeurope", "tags": {}}
        network = AzureNetwork("network", AzureNetworkSettings(), **place)
        settings = BlobBackupStoreSettings()
        made.append(
            BlobBackupStore("backup", settings, network=network, protect_data=True, **place)
        )

    deploy(program)

    key = pulumi.Output.from_input(made[0].credentials["AZBLOB_ACCOUNT_KEY"])
    assert resolve(key) == "key-of-backupaccount1a2b3c4d"
    assert resolve(pulumi.Output.from_input(key.is_secret())) is True


def test_a_backup_that_was_deleted_or_overwritten_comes_back_for_a_while(aks):
    engine = aks(backup={"recoverDays": 14})

    blobs = engine.one("azure-native:storage:BlobServiceProperties").inputs
    assert blobs["isVersioningEnabled"] is True
    assert blobs["deleteRetentionPolicy"] == {"enabled": True, "days": 14}
    assert blobs["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 14}
    policy = engine.one("azure-native:storage:ManagementPolicy").inputs["policy"]
    (rule,) = policy["rules"]
    assert rule["definition"]["actions"] == {
        "version": {"delete": {"daysAfterCreationGreaterThan": 14}}
    }


@pytest.mark.parametrize("keep", [True, False])
def test_backups_and_the_group_around_them_outlive_the_stack_unless_told_otherwise(aks, keep):
    engine = aks(protectData=False, backup={"keepOnDestroy": keep})

    kept = {r.name for r in engine.resources if r.request.retainOnDelete}
    expected = {
        "ha-iris-aks-backup",
        "backupaccount",
        "backup-blobs",
        "backup-container",
        "backup-expiry",
    }
    assert kept == (expected if keep else set())


def test_backups_share_no_resource_group_with_what_is_destroyed(aks):
    engine = aks()

    account = engine.one(ACCOUNT)
    # A fixed name would stop the next stack of this name, as Azure has the group still.
    assert "resourceGroupName" not in engine.named("ha-iris-aks-backup").inputs
    assert account.property_depends_on["resourceGroupName"] == ["ha-iris-aks-backup"]
    for resource in (engine.one(CLUSTER), engine.one("azure-native:network:Subnet")):
        assert "ha-iris-aks-backup" not in resource.depends_on


def test_backups_that_an_earlier_stack_left_behind_are_used_as_they_are(aks):
    existing = {"resourceGroup": "old-backup", "account": "backupaccountdeadbeef"}
    engine = aks(backup={"existing": existing})

    assert not [r for r in engine.resources if r.type.startswith("azure-native:storage:")]
    secret = engine.named("longhorn-backup-credentials").inputs["stringData"]
    assert secret["AZBLOB_ACCOUNT_KEY"] == "key-of-backupaccountdeadbeef"


def test_a_stack_without_backups_says_what_that_means_on_azure(aks, caplog):
    engine = aks(backup={"enabled": False})

    assert engine.of_type(ACCOUNT) == []
    assert "There is no backup store" in caplog.text
    assert "cannot be turned off" in caplog.text


def test_longhorn_has_its_backups_before_it_starts(aks):
    assert {"backup-container", "longhorn-backup-credentials"} <= {
        *aks().named("longhorn-release").depends_on
    }
