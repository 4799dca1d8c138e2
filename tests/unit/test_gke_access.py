"""IRIS on GKE: who reaches the cluster, what the cluster reaches, and where backups go."""

import runpy
from functools import partial

import pytest
import yaml

from components.gcp.names import account_id
from tests.unit.conftest import OFFICE, ROOT
from tests.unit.test_gke import CLUSTER, POOL

BUCKET = "gcp:storage/bucket:Bucket"
FIREWALL = "gcp:compute/firewall:Firewall"

OWN_NETWORK = {
    "existing": {
        "network": "projects/host/global/networks/shared",
        "subnetwork": "projects/host/regions/europe-west1/subnetworks/nodes",
        "podsRange": "gke-pods",
    }
}


@pytest.fixture
def gke_outputs(composed):
    """The engine and the outputs of the committed stack file, changed."""
    return partial(composed, "gke")


def test_only_the_named_networks_reach_the_public_endpoint_and_no_other_google_customer(gke):
    cluster = gke().one(CLUSTER).inputs

    assert cluster["masterAuthorizedNetworksConfig"] == {
        "cidrBlocks": [{"cidrBlock": OFFICE, "displayName": "ha-iris-1"}],
        "gcpPublicCidrsAccessEnabled": False,
    }
    assert cluster["privateClusterConfig"]["enablePrivateEndpoint"] is False
    dns = cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
    assert dns == {"allowExternalTraffic": False}


def test_a_private_endpoint_has_no_public_address(gke):
    cluster = gke(cluster={"apiEndpoint": "private"}, network=OWN_NETWORK).one(CLUSTER).inputs

    assert cluster["privateClusterConfig"] == {
        "enablePrivateNodes": True,
        "enablePrivateEndpoint": True,
        "masterIpv4CidrBlock": "172.16.0.0/28",
    }


def test_the_dns_endpoint_leaves_no_address_to_reach(gke):
    engine = gke(cluster={"apiEndpoint": "dns", "apiAccessCidrs": []})

    cluster = engine.one(CLUSTER).inputs
    assert cluster["controlPlaneEndpointsConfig"] == {
        "dnsEndpointConfig": {"allowExternalTraffic": True},
        "ipEndpointsConfig": {"enabled": False},
    }
    assert cluster["privateClusterConfig"] == {"enablePrivateNodes": True}
    assert "masterAuthorizedNetworksConfig" not in cluster
    assert engine.of_type(FIREWALL) == []


def test_the_cluster_issues_no_certificate_that_opens_it_for_ever(gke):
    assert gke().one(CLUSTER).inputs["masterAuth"] == {
        "clientCertificateConfig": {"issueClientCertificate": False}
    }


def test_the_kubeconfig_names_the_login_plugin_and_holds_no_credential(gke_outputs, resolve):
    _, outputs = gke_outputs()

    kubeconfig = yaml.safe_load(resolve(outputs["kubeconfig"]))
    (cluster,), (user,) = kubeconfig["clusters"], kubeconfig["users"]
    assert cluster["cluster"] == {
        "server": "https://203.0.113.9",
        "certificate-authority-data": "Q0E=",
    }
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert user["user"]["exec"]["provideClusterInfo"] is True
    # A login that asks would hang in CI.
    assert user["user"]["exec"]["interactiveMode"] == "Never"
    assert kubeconfig["current-context"] == "ha-iris-gke"


def test_the_kubeconfig_of_the_dns_endpoint_trusts_public_authorities(gke_outputs, resolve):
    _, outputs = gke_outputs(cluster={"apiEndpoint": "dns", "apiAccessCidrs": []})

    (cluster,) = yaml.safe_load(resolve(outputs["kubeconfig"]))["clusters"]
    assert cluster["cluster"] == {"server": "https://gke-1a2b.europe-west1.gke.goog"}


def test_the_kubernetes_provider_knows_its_cluster_before_the_cluster_exists(deploy, stack_config):
    # Unknown, it would replace the provider, and with it every object and the claim.
    engine = deploy(
        lambda: runpy.run_path(str(ROOT / "__main__.py")),
        stack="gke",
        config=stack_config("gke"),
        preview=True,
    )

    provider = engine.one("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == "ha-iris-gke"
    assert provider.inputs["enablePatchForce"] == "true"
    assert provider.inputs["enableSecretMutable"] == "true"


def test_the_way_in_saves_the_kubeconfig_for_its_owner_alone(gke_outputs):
    _, outputs = gke_outputs()

    assert outputs["portForwardCommand"].startswith(
        "(umask 077 && pulumi stack output --stack gke --show-secrets kubeconfig "
        "> ha-iris-gke.kubeconfig) && kubectl --kubeconfig ha-iris-gke.kubeconfig "
    )


def test_administrators_find_the_cluster_and_rule_it(gke):
    admins = ["user:ada@example.com", "group:dba@example.com", "user:ada@example.com"]
    engine = gke(cluster={"admins": admins})

    found = {
        grant.name: grant.inputs["member"]
        for grant in engine.of_type("gcp:projects/iAMMember:IAMMember")
        if grant.inputs["role"] == "roles/container.clusterViewer"
    }
    assert found == {
        "cluster-admins-group-dba@example.com": "group:dba@example.com",
        "cluster-admins-user-ada@example.com": "user:ada@example.com",
    }
    binding = engine.named("cluster-admins-binding").inputs
    assert binding["roleRef"]["name"] == "cluster-admin"
    assert [(s["kind"], s["name"]) for s in binding["subjects"]] == [
        ("Group", "dba@example.com"),
        ("User", "ada@example.com"),
    ]
    assert engine.one(CLUSTER).inputs["authenticatorGroupsConfig"] == {
        "securityGroup": "gke-security-groups@example.com"
    }
    assert "authenticatorGroupsConfig" not in gke().one(CLUSTER).inputs


def test_nodes_have_no_public_address_and_wait_for_their_way_out(gke):
    engine = gke()

    assert engine.one(CLUSTER).inputs["privateClusterConfig"]["enablePrivateNodes"] is True
    nat = engine.one("gcp:compute/routerNat:RouterNat")
    assert nat.inputs["sourceSubnetworkIpRangesToNat"] == "ALL_SUBNETWORKS_ALL_IP_RANGES"
    assert nat.name in engine.one(CLUSTER).depends_on
    subnetwork = engine.one("gcp:compute/subnetwork:Subnetwork").inputs
    assert subnetwork["privateIpGoogleAccess"] is True
    assert {r["rangeName"] for r in subnetwork["secondaryIpRanges"]} == {"pods", "services"}
    assert engine.one("gcp:compute/network:Network").inputs["autoCreateSubnetworks"] is False


def test_nodes_leave_by_an_address_that_firewalls_elsewhere_can_name(gke):
    engine = gke(network={"natAddresses": 2})

    addresses = engine.of_type("gcp:compute/address:Address")
    assert [address.inputs["addressType"] for address in addresses] == ["EXTERNAL"] * 2
    nat = engine.one("gcp:compute/routerNat:RouterNat")
    assert nat.inputs["natIpAllocateOption"] == "MANUAL_ONLY"
    assert {*nat.property_depends_on["natIps"]} == {address.name for address in addresses}
    assert len(gke().of_type("gcp:compute/address:Address")) == 1


def test_google_may_choose_the_addresses_that_nodes_leave_by(gke):
    engine = gke(network={"natAddresses": 0})

    assert engine.of_type("gcp:compute/address:Address") == []
    nat = engine.one("gcp:compute/routerNat:RouterNat").inputs
    assert nat["natIpAllocateOption"] == "AUTO_ONLY"
    assert "natIps" not in nat


def test_the_control_plane_reaches_longhorns_webhooks_on_these_nodes_alone(gke):
    engine = gke()

    rule = engine.one(FIREWALL).inputs
    cluster = engine.one(CLUSTER).inputs
    assert rule["direction"] == "INGRESS"
    assert rule["sourceRanges"] == [cluster["privateClusterConfig"]["masterIpv4CidrBlock"]]
    assert rule["allows"] == [{"protocol": "tcp", "ports": ["9501", "9502"]}]
    assert rule["targetServiceAccounts"] == [
        engine.of_type(POOL)[0].inputs["nodeConfig"]["serviceAccount"]
    ]


def test_a_network_that_exists_is_used_and_not_changed(gke):
    engine = gke(network=OWN_NETWORK)

    computed = {r.type for r in engine.resources if r.type.startswith("gcp:compute")}
    assert computed == {FIREWALL}
    assert engine.one(FIREWALL).inputs["project"] == "host"
    cluster = engine.one(CLUSTER).inputs
    assert cluster["network"] == "projects/host/global/networks/shared"
    assert cluster["subnetwork"] == "projects/host/regions/europe-west1/subnetworks/nodes"
    assert cluster["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "gke-pods",
        "servicesSecondaryRangeName": "services",
    }


def test_a_host_project_may_keep_its_firewall_to_itself(gke):
    assert gke(network={"webhookFirewall": False}).of_type(FIREWALL) == []


def test_backups_are_private(gke):
    bucket = gke().one(BUCKET).inputs

    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["uniformBucketLevelAccess"] is True
    # As the API answers: another spelling is a difference at every refresh, and a replacement.
    assert bucket["location"] == "EUROPE-WEST1"


def test_nobody_with_longhorns_key_can_erase_a_backup_within_its_days(gke):
    engine = gke(backup={"recoverDays": 14})

    bucket = engine.one(BUCKET).inputs
    # Soft-deleted objects cannot be deleted for good, and the policy takes storage.buckets.update
    # to change, which the key's one role has not got (Cloud Storage, soft delete).
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 14 * 86400}
    grant = engine.one("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert grant.inputs["role"] == "roles/storage.objectAdmin"
    # Nothing deletes what is in use, whatever its age.
    assert {rule["action"]["type"] for rule in bucket["lifecycleRules"]} == {
        "AbortIncompleteMultipartUpload"
    }
    assert "retentionPolicy" not in bucket


@pytest.mark.parametrize("protect", [True, False])
def test_backups_outlive_the_stack(gke, protect):
    bucket = gke(protectData=protect).one(BUCKET)

    assert bucket.request.retainOnDelete is True
    assert bucket.inputs["forceDestroy"] is False


def test_backups_go_with_the_stack_only_where_two_settings_say_so(gke):
    gone = gke(protectData=False, backup={"keepOnDestroy": False}).one(BUCKET)
    held = gke(protectData=True, backup={"keepOnDestroy": False}).one(BUCKET)

    assert (gone.request.retainOnDelete, gone.inputs["forceDestroy"]) == (False, True)
    assert (held.protect, held.request.retainOnDelete) == (True, True)
    assert held.inputs["forceDestroy"] is False


def test_backups_of_an_earlier_stack_can_be_taken_up(gke):
    engine = gke(backup={"bucket": "backup-bucket-1a2b3c4"})

    assert engine.of_type(BUCKET) == []
    grant = engine.one("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert grant.inputs["bucket"] == "backup-bucket-1a2b3c4"
    release = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]
    assert release["defaultBackupStore"]["backupTarget"] == "s3://backup-bucket-1a2b3c4@us/"


def test_longhorns_key_opens_one_bucket_and_exists_before_longhorn(gke):
    engine = gke()

    grant = engine.one("gcp:storage/bucketIAMMember:BucketIAMMember")
    email = "ha-iris-gke-backup@my-project.iam.gserviceaccount.com"
    assert grant.inputs == {
        "bucket": "backup-bucket-autonamed",
        "role": "roles/storage.objectAdmin",
        "member": f"serviceAccount:{email}",
    }
    key = engine.one("gcp:storage/hmacKey:HmacKey")
    assert key.inputs["serviceAccountEmail"] == email
    secret = engine.named("longhorn-backup-credentials")
    assert secret.inputs["stringData"] == {
        "AWS_ACCESS_KEY_ID": "GOOG1EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "generated-backup-key-1",
        "AWS_ENDPOINTS": "https://storage.googleapis.com",
    }
    release = engine.one("kubernetes:helm.sh/v3:Release")
    assert {grant.name, secret.name} <= set(release.depends_on)


def test_a_new_generation_is_another_key(gke):
    engine = gke(backup={"keyGeneration": 2})

    assert engine.one("gcp:storage/hmacKey:HmacKey").name == "backup-key-2"


def test_without_a_store_longhorn_has_no_backup_target(gke):
    engine = gke(backup={"enabled": False})

    assert [r.name for r in engine.resources if r.type.startswith("gcp:storage")] == []
    values = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]
    assert values["defaultBackupStore"]["backupTarget"] == ""


@pytest.mark.parametrize("role", ["nodes", "backup"])
def test_long_names_give_accounts_that_google_accepts_and_tells_apart(role):
    first, second = f"ha-iris-{'a' * 30}-1", f"ha-iris-{'a' * 30}-2"

    assert account_id("ha-iris-gke", role) == f"ha-iris-gke-{role}"
    assert 6 <= len(account_id(first, role)) <= 30
    assert account_id(first, role) != account_id(second, role)


def test_every_google_resource_is_in_the_project_of_the_stack_file(gke):
    for resource in gke().resources:
        if resource.type.startswith("gcp:") and "BucketIAMMember" not in resource.type:
            assert resource.inputs["project"] == "my-project", resource.name
