"""IRIS on GKE: the cluster and its nodes, as the committed stack file asks for them."""

import json

import pytest

from tests.unit.destroy_order import gone_before

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
NEXT_SET = {"nodeSet": "b", "retiringNodeSet": "a", "nodeType": "n2-standard-8"}
KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"


def test_the_committed_stack_builds_the_whole_path(gke):
    kinds = {resource.type for resource in gke().resources if not resource.request.custom}

    assert kinds == {
        "ha-iris:network:GcpNetwork",
        "ha-iris:cluster:GkeCluster",
        "ha-iris:cluster:GkeNodeAccount",
        "ha-iris:cluster:GkeNodeSet",
        "ha-iris:cluster:NodePrep",
        "ha-iris:storage:GcsBackupStore",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
        "ha-iris:database:NetworkPolicies",
        "ha-iris:backup:ConsistentSnapshots",
        "ha-iris:backup:Rehearsal",
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


def test_fewer_nodes_are_pools_that_protection_keeps_and_more_are_pools_at_the_end(gke):
    three, six = gke().of_type(POOL), gke(cluster={"nodes": 6}).of_type(POOL)

    # In a pool of two nodes GKE would choose which one goes, and nothing would hold it back.
    assert {pool.inputs["nodeCount"] for pool in six} == {1}
    assert [pool.name for pool in six[:3]] == [pool.name for pool in three]
    assert [pool.name for pool in six[3:]] == [f"cluster-nodes-a-{zone}-2" for zone in "bcd"]
    assert sorted(pool.inputs["nodeLocations"][0] for pool in six) == sorted(
        f"europe-west1-{zone}" for zone in "bbccdd"
    )
    for pool in six:
        assert pool.protect
        # Where Pulumi's protection is passed over, it forgets the pool and leaves it there.
        assert pool.request.retainOnDelete


def test_the_cluster_lies_in_the_zones_of_its_pools(gke):
    zones = ["europe-west1-d", "europe-west1-b", "europe-west1-c"]
    engine = gke(cluster={"zones": zones})

    assert engine.one(CLUSTER).inputs["nodeLocations"] == zones
    assert [pool.inputs["nodeLocations"] for pool in engine.of_type(POOL)] == [[z] for z in zones]


def test_nodes_are_made_one_at_a_time_and_go_one_at_a_time(gke):
    pools = gke(cluster={"nodes": 6}).of_type(POOL)

    before = [{need for need in pool.depends_on if "cluster-nodes" in need} for pool in pools]
    assert before == [set(), *({pool.name} for pool in pools[:-1])]


def test_a_node_is_never_changed_where_it_is(gke):
    # In place, GKE replaces the node, its copies and then the next one's. As a replacement of the
    # pool the preview shows it, and protection refuses it.
    for pool in gke().of_type(POOL):
        assert list(pool.request.replaceOnChanges) == ["nodeConfig", "version"]
        assert pool.protect


def test_a_label_for_cost_reports_never_touches_a_node_that_exists(gke):
    for pool in gke().of_type(POOL):
        assert list(pool.request.ignoreChanges) == ["nodeConfig.resourceLabels"]


def test_a_new_kubernetes_version_upgrades_the_control_plane_and_no_node(gke):
    engine = gke(cluster={"kubernetesVersion": "1.35"})

    assert engine.one(CLUSTER).inputs["minMasterVersion"] == "1.35"
    assert engine.of_type(POOL)[0].inputs == gke().of_type(POOL)[0].inputs


def test_a_new_set_of_nodes_comes_beside_the_old_one(gke):
    pools = {pool.name: pool for pool in gke(cluster=NEXT_SET).of_type(POOL)}

    assert pools.keys() == {f"cluster-nodes-{s}-{zone}" for s in "ab" for zone in "bcd"}
    assert pools["cluster-nodes-b-b"].inputs["nodeConfig"]["machineType"] == "n2-standard-8"
    # It waits for no node of the old set, or a change of those would hold it back.
    assert not {need for need in pools["cluster-nodes-b-b"].depends_on if need in pools}


def test_an_old_set_of_nodes_is_the_same_resources_and_nothing_of_it_changes(gke):
    before = {pool.urn: pool for pool in gke().of_type(POOL)}
    after = {pool.urn: pool for pool in gke(cluster=NEXT_SET).of_type(POOL)}

    assert before.keys() < after.keys()
    for urn, pool in before.items():
        assert list(after[urn].request.ignoreChanges) == ["nodeConfig", "version"]
        assert list(after[urn].request.replaceOnChanges) == []
        changed = {key for key, value in after[urn].inputs.items() if value != pool.inputs.get(key)}
        assert changed <= {"nodeConfig", "version"}


def test_an_old_set_of_nodes_can_go_when_it_is_no_longer_named_and_the_new_one_cannot(gke):
    pools = gke(cluster=NEXT_SET).of_type(POOL)

    locks = {(pool.name[:-2], pool.protect, pool.request.retainOnDelete) for pool in pools}
    assert locks == {("cluster-nodes-a", False, False), ("cluster-nodes-b", True, True)}


def test_a_smaller_set_takes_the_place_of_a_larger_one(gke):
    pools = gke(cluster={**NEXT_SET, "retiringNodes": 6}).of_type(POOL)

    names = [pool.name for pool in pools]
    assert [len([n for n in names if n.startswith(f"cluster-nodes-{s}-")]) for s in "ab"] == [6, 3]


def test_workloads_wait_for_the_nodes_of_both_sets(gke):
    engine = gke(cluster=NEXT_SET)

    pools = {pool.name for pool in engine.of_type(POOL)}
    for name in ("longhorn-namespace", "iris-namespace"):
        assert pools <= {*engine.named(name).depends_on}


def test_a_new_node_comes_before_the_old_one_goes(gke):
    for pool in gke().of_type(POOL):
        assert pool.inputs["upgradeSettings"] == {
            "strategy": "SURGE",
            "maxSurge": 1,
            "maxUnavailable": 0,
        }


def test_a_drain_respects_longhorns_budgets_for_as_long_as_gke_lets_every_project_say(gke):
    # Google refuses a pool that names a time-out, unless it was enabled for the project.
    for pool in gke().of_type(POOL):
        assert pool.inputs["nodeDrainConfigs"] == [{"respectPdbDuringNodePoolDeletion": True}]
        assert pool.request.customTimeouts.delete == "120m"


def test_a_project_that_may_name_a_drain_timeout_is_given_it(gke):
    for pool in gke(cluster={"drainTimeoutMinutes": 240}).of_type(POOL):
        assert pool.inputs["nodeDrainConfigs"] == [
            {"pdbTimeoutDuration": "14400s", "respectPdbDuringNodePoolDeletion": True}
        ]
        assert pool.request.customTimeouts.delete == "300m"


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


def test_kubernetes_is_the_newest_that_longhorn_is_tested_on(gke):
    assert gke().one(CLUSTER).inputs["minMasterVersion"] == "1.36"


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
    assert {pool.request.retainOnDelete for pool in engine.of_type(POOL)} == {protect}
    assert cluster.inputs["deletionProtection"] is protect


def test_kubernetes_objects_go_before_nodes_and_nodes_before_what_they_need(gke):
    engine = gke(
        iris={"service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}},
    )

    objects = {r.name for r in engine.resources if r.type.startswith("kubernetes:")}
    assert {"iris-service", "iris-data", "longhorn-release"} <= objects
    not_before_nodes = objects - gone_before(engine, "cluster-nodes-a-d")
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
        pools = {f"cluster-nodes-a-{zone}" for zone in "bcd"}
        assert pools <= gone_before(engine, needed), needed
    assert "longhorn-release" in gone_before(engine, "backup-grant")


def test_no_resource_gets_a_secret_in_clear(gke):
    engine = gke()

    for resource in engine.resources:
        for key, value in resource.inputs.items():
            if "generated-" in json.dumps(value):
                assert key in resource.secret_inputs, f"{resource.name}.{key}"
    assert "kubeconfig" in engine.named("cluster-provider").secret_inputs
