"""IRIS on GKE: the cluster and its nodes, as the committed stack file asks for them."""

import json

import pytest

from tests.unit.destroy_order import gone_before

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


def test_the_committed_stack_builds_the_whole_path(gke):
    kinds = {resource.type for resource in gke().resources if not resource.request.custom}

    assert kinds == {
        "ha-iris:network:GcpNetwork",
        "ha-iris:cluster:GkeCluster",
        "ha-iris:cluster:GkeNodeAccount",
        "ha-iris:cluster:GkeNodePools",
        "ha-iris:storage:GcsBackupStore",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
    }


def test_each_zone_has_one_node(gke):
    pools = gke().of_type(POOL)

    assert [pool.inputs["nodeLocations"] for pool in pools] == [
        ["europe-west1-b"],
        ["europe-west1-c"],
        ["europe-west1-d"],
    ]
    # The other way to say a number replaces the pool whenever somebody resizes it by hand.
    assert [pool.inputs["nodeCount"] for pool in pools] == [1, 1, 1]
    assert all("initialNodeCount" not in pool.inputs for pool in pools)


def test_six_nodes_are_two_in_each_zone(gke):
    assert [pool.inputs["nodeCount"] for pool in gke(cluster={"nodes": 6}).of_type(POOL)] == [2] * 3


def test_the_cluster_lies_in_the_zones_of_its_pools(gke):
    zones = ["europe-west1-d", "europe-west1-b", "europe-west1-c"]
    engine = gke(cluster={"zones": zones})

    assert engine.one(CLUSTER).inputs["nodeLocations"] == zones
    assert [pool.inputs["nodeLocations"] for pool in engine.of_type(POOL)] == [[z] for z in zones]


def test_nodes_are_replaced_one_zone_at_a_time(gke):
    pools = gke().of_type(POOL)

    before = [{need for need in pool.depends_on if "cluster-nodes" in need} for pool in pools]
    assert before == [set(), {"cluster-nodes-b"}, {"cluster-nodes-c"}]


def test_a_new_node_comes_before_the_old_one_goes(gke):
    for pool in gke().of_type(POOL):
        assert pool.inputs["upgradeSettings"] == {
            "strategy": "SURGE",
            "maxSurge": 1,
            "maxUnavailable": 0,
        }


def test_a_drain_waits_for_longhorn_longer_than_gkes_own_hour(gke):
    for pool in gke(cluster={"nodes": 6}).of_type(POOL):
        assert pool.inputs["nodeDrainConfigs"] == [
            {"pdbTimeoutDuration": "14400s", "respectPdbDuringNodePoolDeletion": True}
        ]
        # Two nodes that each wait four hours, and an hour for all the rest.
        assert pool.request.customTimeouts.update == "540m"
        assert pool.request.customTimeouts.delete == "540m"


def test_the_end_of_the_cluster_waits_for_no_drain(gke):
    engine = gke()

    for pool in engine.of_type(POOL):
        assert pool.request.deletedWith == engine.one(CLUSTER).urn


def test_gke_upgrades_no_node_before_its_version_is_out_of_support(gke):
    policy = gke().one(CLUSTER).inputs["maintenancePolicy"]

    (exclusion,) = policy["maintenanceExclusions"]
    assert exclusion["exclusionOptions"] == {
        "scope": "NO_MINOR_OR_NODE_UPGRADES",
        "endTimeBehavior": "UNTIL_END_OF_SUPPORT",
    }
    assert "endTime" not in exclusion


@pytest.mark.parametrize(
    ("maintenance", "window"),
    [
        ({}, ("2026-01-03T01:00:00Z", "2026-01-03T07:00:00Z", "FREQ=WEEKLY;BYDAY=SA,SU")),
        (
            {"days": ["TU"], "startHour": 22, "hours": 12},
            ("2026-01-06T22:00:00Z", "2026-01-07T10:00:00Z", "FREQ=WEEKLY;BYDAY=TU"),
        ),
    ],
)
def test_the_maintenance_window_is_said_in_utc_and_begins_on_one_of_its_days(
    gke, maintenance, window
):
    policy = gke(cluster={"maintenance": maintenance}).one(CLUSTER).inputs["maintenancePolicy"]

    recurring = policy["recurringWindow"]
    assert (recurring["startTime"], recurring["endTime"], recurring["recurrence"]) == window


def test_nodes_bring_what_longhorn_needs(gke):
    for pool in gke().of_type(POOL):
        node = pool.inputs["nodeConfig"]
        assert node["imageType"] == "UBUNTU_CONTAINERD"
        assert (node["diskType"], node["diskSizeGb"]) == ("pd-ssd", 300)
        assert "spot" not in node
        assert "preemptible" not in node
        assert "ephemeralStorageLocalSsdConfig" not in node


def test_nodes_are_hardened(gke):
    for pool in gke().of_type(POOL):
        node = pool.inputs["nodeConfig"]
        assert node["shieldedInstanceConfig"] == {
            "enableSecureBoot": True,
            "enableIntegrityMonitoring": True,
        }
        assert node["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
        # Left out, it makes the pool anew at every update.
        assert node["metadata"] == {"disable-legacy-endpoints": "true"}
        assert pool.inputs["networkConfig"] == {"enablePrivateNodes": True}


def test_secure_boot_can_be_given_up_for_a_machine_that_cannot(gke):
    for pool in gke(cluster={"secureBoot": False}).of_type(POOL):
        assert pool.inputs["nodeConfig"]["shieldedInstanceConfig"]["enableSecureBoot"] is False


def test_nodes_act_as_an_account_that_can_write_logs_and_metrics_and_nothing_else(gke):
    engine = gke()
    email = "ha-iris-gke-nodes@my-project.iam.gserviceaccount.com"

    roles = {g.inputs["role"] for g in engine.of_type("gcp:projects/iAMMember:IAMMember")}
    assert roles == {"roles/container.defaultNodeServiceAccount"}
    for pool in engine.of_type(POOL):
        assert pool.inputs["nodeConfig"]["serviceAccount"] == email
        assert "cluster-node-container.defaultNodeServiceAccount" in pool.depends_on
    # The pool that the cluster is born with would run as the owner of half the project.
    assert engine.one(CLUSTER).inputs["nodeConfig"]["serviceAccount"] == email


def test_nodes_can_be_given_another_role(gke):
    grant = gke(cluster={"nodeRoles": ["roles/artifactregistry.reader"]}).named(
        "cluster-node-artifactregistry.reader"
    )

    assert grant.inputs["role"] == "roles/artifactregistry.reader"
    assert grant.inputs["member"].startswith("serviceAccount:ha-iris-gke-nodes@")


def test_a_change_of_the_first_pool_never_replaces_the_cluster(gke):
    cluster = gke().one(CLUSTER)

    assert cluster.inputs["removeDefaultNodePool"] is True
    assert set(cluster.request.ignoreChanges) == {"nodeConfig", "initialNodeCount"}


def test_arm_nodes_follow_from_the_machine_type(gke):
    arm = "containers.intersystems.com/intersystems/iris-community-arm64:2026.2"
    engine = gke(cluster={"nodeType": "c4a-standard-4"}, iris={"image": arm})

    for pool in engine.of_type(POOL):
        node = pool.inputs["nodeConfig"]
        # Longhorn does not tolerate the taint that GKE puts on Arm nodes.
        assert node["taintConfig"] == {"architectureTaintBehavior": "NONE"}
        assert node["diskType"] == "hyperdisk-balanced"


def test_the_node_version_is_the_pools_and_the_minor_version_the_control_planes(gke):
    engine = gke(cluster={"kubernetesVersion": "1.36", "nodeVersion": "1.35.8-gke.1036000"})

    assert engine.one(CLUSTER).inputs["minMasterVersion"] == "1.36"
    assert "nodeVersion" not in engine.one(CLUSTER).inputs
    assert {pool.inputs["version"] for pool in engine.of_type(POOL)} == {"1.35.8-gke.1036000"}
    assert all("version" not in pool.inputs for pool in gke().of_type(POOL))


def test_a_version_that_longhorn_is_not_tested_on_is_said(gke, caplog):
    gke(cluster={"kubernetesVersion": "1.37"})

    assert "Kubernetes 1.37 is newer than 1.36" in caplog.text


def test_network_policies_are_enforced_by_dataplane_v2(gke):
    cluster = gke().one(CLUSTER).inputs

    assert cluster["datapathProvider"] == "ADVANCED_DATAPATH"
    assert cluster["networkingMode"] == "VPC_NATIVE"


def test_pods_may_have_identities_of_their_own(gke):
    assert gke().one(CLUSTER).inputs["workloadIdentityConfig"] == {
        "workloadPool": "my-project.svc.id.goog"
    }


def test_the_snapshot_kinds_exist_because_their_driver_is_on(gke):
    engine = gke()

    addons = engine.one(CLUSTER).inputs["addonsConfig"]
    assert addons["gcePersistentDiskCsiDriverConfig"] == {"enabled": True}
    engine.one("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass")


def test_longhorn_leaves_room_on_a_disk_that_it_shares_with_the_system(gke):
    settings = gke().one("kubernetes:helm.sh/v3:Release").inputs["values"]["defaultSettings"]

    assert settings["storageReservedPercentageForDefaultDisk"] == 30


def test_own_keys_encrypt_disks_and_secrets(gke):
    engine = gke(cluster={"diskKmsKey": KEY, "secretsKmsKey": KEY})

    assert engine.one(CLUSTER).inputs["databaseEncryption"] == {
        "state": "ENCRYPTED",
        "keyName": KEY,
    }
    assert {pool.inputs["nodeConfig"]["bootDiskKmsKey"] for pool in engine.of_type(POOL)} == {KEY}


def test_labels_reach_everything_that_costs_money(gke):
    engine = gke(labels={"team": "dba"})
    labels = {"application": "ha-iris", "team": "dba"}

    assert engine.one(CLUSTER).inputs["resourceLabels"] == labels
    assert engine.one("gcp:storage/bucket:Bucket").inputs["labels"] == labels
    for pool in engine.of_type(POOL):
        assert pool.inputs["nodeConfig"]["resourceLabels"] == labels


@pytest.mark.parametrize("protect", [True, False])
def test_protection_covers_cluster_nodes_and_bucket_and_the_clouds_own_follows(gke, protect):
    engine = gke(protectData=protect)

    cluster, bucket = engine.one(CLUSTER), engine.one("gcp:storage/bucket:Bucket")
    assert {r.protect for r in [cluster, bucket, *engine.of_type(POOL)]} == {protect}
    assert cluster.inputs["deletionProtection"] is protect


def test_kubernetes_objects_go_before_nodes_and_nodes_before_what_they_need(gke):
    engine = gke(
        iris={"service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}},
    )

    objects = {r.name for r in engine.resources if r.type.startswith("kubernetes:")}
    assert {"iris-service", "iris-data", "longhorn-release"} <= objects
    not_before_nodes = objects - gone_before(engine, "cluster-nodes-d")
    # Neither a load balancer nor a volume: the cluster's end takes it along.
    assert not_before_nodes == {"iris-priority-class"}
    for needed in (
        "network-nat",
        "network-nodes",
        "cluster-gke",
        "cluster-webhooks",
        "cluster-node-account",
        "cluster-node-container.defaultNodeServiceAccount",
    ):
        assert {"iris-service", "iris-data", "longhorn-release"} <= gone_before(engine, needed)
    for needed in ("network-nat", "network-nodes", "cluster-gke", "cluster-node-account"):
        pools = {"cluster-nodes-b", "cluster-nodes-c", "cluster-nodes-d"}
        assert pools <= gone_before(engine, needed), needed
    assert "longhorn-release" in gone_before(engine, "backup-grant")


def test_no_resource_gets_a_secret_in_clear(gke):
    engine = gke()

    for resource in engine.resources:
        for key, value in resource.inputs.items():
            if "generated-" in json.dumps(value):
                assert key in resource.secret_inputs, f"{resource.name}.{key}"
    assert "kubeconfig" in engine.named("cluster-provider").secret_inputs
