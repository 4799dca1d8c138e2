"""IRIS on AKS: the cluster and its nodes, as the committed stack file asks for them."""

import json

import pytest

from components.iris.image import IMAGE
from tests.unit.destroy_order import gone_before

CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
LOCK = "azure-native:authorization:ManagementLockByScope"

NEXT_SET = {"nodeSet": "b", "retiringNodeSet": "a", "nodeType": "Standard_E8s_v5"}


def test_the_committed_stack_builds_the_whole_path(aks):
    kinds = {resource.type for resource in aks().resources if not resource.request.custom}

    assert kinds == {
        "ha-iris:network:AzureNetwork",
        "ha-iris:cluster:AksCluster",
        "ha-iris:cluster:AksLogs",
        "ha-iris:cluster:NodePrep",
        "ha-iris:cluster:AksNodeSet",
        "ha-iris:storage:BlobBackupStore",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
        "ha-iris:database:NetworkPolicies",
        "ha-iris:backup:ConsistentSnapshots",
        "ha-iris:backup:Rehearsal",
    }


def test_each_zone_has_one_node(aks):
    pools = aks().of_type(POOL)

    assert [pool.inputs["availabilityZones"] for pool in pools] == [["1"], ["2"], ["3"]]
    assert [pool.inputs["count"] for pool in pools] == [1, 1, 1]
    assert [pool.inputs["enableAutoScaling"] for pool in pools] == [False, False, False]


def test_six_nodes_are_two_in_each_zone_and_each_can_be_told_to_stay(aks):
    pools = aks(cluster={"nodes": 6}).of_type(POOL)

    assert [pool.inputs["availabilityZones"] for pool in pools] == [["1"], ["2"], ["3"]] * 2
    assert [pool.inputs["agentPoolName"] for pool in pools] == [
        "az1", "az2", "az3", "az1n2", "az2n2", "az3n2",
    ]  # fmt: skip
    assert all(pool.protect for pool in pools)


def test_fewer_nodes_are_pools_that_are_deleted_and_protection_refuses_that(aks):
    six = {pool.urn: pool for pool in aks(cluster={"nodes": 6}).of_type(POOL)}
    three = {pool.urn for pool in aks().of_type(POOL)}

    # A count that goes down would be an update, in which Azure chooses the nodes that go.
    assert {pool.inputs["count"] for pool in six.values()} == {1}
    assert len(six.keys() - three) == 3
    assert three < six.keys()
    assert all(six[urn].protect for urn in six.keys() - three)


def test_no_update_of_a_pool_or_of_the_cluster_takes_nodes_away(aks):
    engine = aks(cluster={"nodes": 6, **NEXT_SET})

    # After a refresh the cluster names all its pools, with the counts that they had: one each.
    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    assert system["count"] == 1
    for pool in engine.of_type(POOL):
        assert pool.inputs["count"] == 1
        # A second node that somebody gave a pool stays, once a refresh has seen it.
        assert "count" in pool.request.ignoreChanges


def test_a_set_that_retires_keeps_its_own_number_of_nodes(aks):
    pools = aks(cluster={**NEXT_SET, "nodes": 3, "retiringNodes": 6}).of_type(POOL)

    sets = [pool.inputs["agentPoolName"][0] for pool in pools]
    assert (sets.count("a"), sets.count("b")) == (6, 3)


def test_azure_never_upgrades_or_reimages_nodes_by_itself(aks):
    assert aks().one(CLUSTER).inputs["autoUpgradeProfile"] == {
        "upgradeChannel": "none",
        # Left out it would be NodeImage: every node reimaged every week.
        "nodeOSUpgradeChannel": "None",
    }


def test_ubuntus_own_fixes_are_for_clusters_that_were_born_with_them(aks):
    born = aks(cluster={"nodeOsUpgradeChannel": "Unmanaged"}).one(CLUSTER)

    assert born.inputs["autoUpgradeProfile"]["nodeOSUpgradeChannel"] == "Unmanaged"
    # Either way the change reimages all nodes where they are; as a replacement it is refused.
    for cluster in (born, aks().one(CLUSTER)):
        changes = [*cluster.request.replaceOnChanges]
        assert changes == ["autoUpgradeProfile.nodeOSUpgradeChannel"]
        assert cluster.protect


def test_an_upgrade_by_other_hands_stops_at_a_node_that_longhorn_does_not_let_go(aks):
    engine = aks()

    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    for pool in [system, *(pool.inputs for pool in engine.of_type(POOL))]:
        assert pool["upgradeSettings"] == {
            "undrainableNodeBehavior": "Cordon",
            "maxSurge": "1",
            "maxUnavailable": "0",
            "drainTimeoutInMinutes": 1440,
            "nodeSoakDurationInMinutes": 30,
        }


def test_nodes_bring_what_longhorn_needs_and_keep_it(aks):
    engine = aks()

    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    for pool in [system, *(pool.inputs for pool in engine.of_type(POOL))]:
        assert (pool["osType"], pool["osSKU"]) == ("Linux", "Ubuntu")
        # Left out, AKS takes an ephemeral disk where one fits.
        assert pool["osDiskType"] == "Managed"
        assert pool.get("scaleSetPriority", "Regular") == "Regular"
    assert {pool.inputs["osDiskSizeGB"] for pool in engine.of_type(POOL)} == {512}


def test_no_node_has_a_public_address_or_a_door_for_ssh(aks):
    engine = aks()

    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    for pool in [system, *(pool.inputs for pool in engine.of_type(POOL))]:
        assert pool["enableNodePublicIP"] is False
        assert pool["securityProfile"] == {"sshAccess": "Disabled"}


def test_a_subscription_without_the_feature_for_it_leaves_the_ssh_server_on(aks):
    engine = aks(cluster={"sshAccess": "LocalUser"})

    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    for pool in [system, *(pool.inputs for pool in engine.of_type(POOL))]:
        assert pool["securityProfile"] == {"sshAccess": "LocalUser"}


def test_the_pool_that_azure_demands_at_birth_holds_no_data_and_can_be_left_alone(aks):
    cluster = aks().one(CLUSTER)

    (system,) = cluster.inputs["agentPoolProfiles"]
    assert system["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert (system["mode"], system["count"]) == ("System", 1)
    # A change of it sets all pools of the cluster to work, and Azure lists all pools here.
    assert list(cluster.request.ignoreChanges) == ["agentPoolProfiles"]


def test_add_ons_outlive_the_node_that_the_cluster_was_born_with(aks):
    assert {pool.inputs["mode"] for pool in aks().of_type(POOL)} == {"System"}


def test_nodes_are_made_one_zone_at_a_time_and_go_one_zone_at_a_time(aks):
    pools = aks().of_type(POOL)

    before = [{need for need in pool.depends_on if "cluster-nodes" in need} for pool in pools]
    assert before == [set(), {"cluster-nodes-a-1"}, {"cluster-nodes-a-2"}]


def test_a_new_kubernetes_version_upgrades_the_control_plane_and_no_node(aks):
    engine = aks(cluster={"kubernetesVersion": "1.36.2"})

    assert engine.one(CLUSTER).inputs["kubernetesVersion"] == "1.36.2"
    # A pool keeps the version it began with: an upgrade in place loses the copies on its nodes.
    for pool in engine.of_type(POOL):
        assert "orchestratorVersion" in pool.request.ignoreChanges


def test_a_new_set_of_nodes_comes_beside_the_old_one(aks):
    pools = {pool.name: pool for pool in aks(cluster=NEXT_SET).of_type(POOL)}

    assert {pool.inputs["agentPoolName"] for pool in pools.values()} == {
        f"{node_set}z{zone}" for node_set in "ab" for zone in "123"
    }
    begins_with = [need for need in pools["cluster-nodes-b-1"].depends_on if need in pools]
    assert begins_with == []
    assert pools["cluster-nodes-b-1"].inputs["vmSize"] == "Standard_E8s_v5"


def test_an_old_set_of_nodes_is_the_same_resources_and_nothing_of_it_changes(aks):
    before = {pool.urn for pool in aks().of_type(POOL)}
    after = {pool.urn: pool for pool in aks(cluster=NEXT_SET).of_type(POOL)}

    assert before < after.keys()
    for urn in before:
        follows_settings = {
            key
            for key, value in after[urn].inputs.items()
            if value != after[urn.replace("nodes-a", "nodes-b")].inputs[key]
        } - {"agentPoolName"}
        assert follows_settings == set()
        assert {"vmSize", "osDiskSizeGB", "count", "orchestratorVersion"} <= {
            *after[urn].request.ignoreChanges
        }


def test_an_old_set_of_nodes_can_go_when_it_is_no_longer_named_and_the_new_one_cannot(aks):
    engine = aks(cluster=NEXT_SET)

    protected = {pool.name for pool in engine.of_type(POOL) if pool.protect}
    assert protected == {f"cluster-nodes-b-{zone}" for zone in "123"}
    locked = {lock.name for lock in engine.of_type(LOCK)} - {"backup-lock"}
    assert locked == {f"cluster-nodes-b-{zone}-lock" for zone in "123"}


def test_workloads_wait_for_the_nodes_of_both_sets(aks):
    engine = aks(cluster=NEXT_SET)

    pools = {pool.name for pool in engine.of_type(POOL)}
    for name in ("longhorn-namespace", "iris-namespace"):
        assert pools <= {*engine.named(name).depends_on}


def test_the_cluster_runs_cilium_on_an_overlay_and_leaves_through_a_load_balancer(aks):
    assert aks().one(CLUSTER).inputs["networkProfile"] == {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "networkPolicy": "cilium",
        "podCidr": "10.244.0.0/16",
        "serviceCidr": "172.21.0.0/16",
        "dnsServiceIP": "172.21.0.10",
        "loadBalancerSku": "standard",
        "outboundType": "loadBalancer",
    }


def test_pods_may_have_identities_of_their_own(aks):
    cluster = aks().one(CLUSTER).inputs

    assert cluster["oidcIssuerProfile"] == {"enabled": True}
    assert cluster["securityProfile"]["workloadIdentity"] == {"enabled": True}


def test_the_iris_image_stays_on_the_nodes_that_wait_for_a_failover(aks):
    cleaner = aks().one(CLUSTER).inputs["securityProfile"]["imageCleaner"]

    assert cleaner["enabled"] is False


def test_the_snapshot_kinds_exist_because_their_controller_is_on(aks):
    engine = aks()

    storage = engine.one(CLUSTER).inputs["storageProfile"]
    assert storage["snapshotController"] == {"enabled": True}
    engine.one("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass")


def test_longhorn_leaves_room_on_a_disk_that_it_shares_with_the_system(aks):
    settings = aks().one("kubernetes:helm.sh/v3:Release").inputs["values"]["defaultSettings"]

    assert settings["storageReservedPercentageForDefaultDisk"] == 30


def test_arm_nodes_follow_from_the_vm_size(aks):
    engine = aks(cluster={"nodeType": "Standard_D4ps_v6"})

    pod = engine.named("iris-deployment").inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["kubernetes.io/arch"] == "arm64"
    assert pod["containers"][0]["image"] == IMAGE


def test_a_version_that_longhorn_is_not_tested_on_is_said(aks, caplog):
    aks(cluster={"kubernetesVersion": "1.37"})

    assert "Kubernetes 1.37 is newer than 1.36" in caplog.text


def test_maintenance_keeps_to_its_hours(aks):
    window = aks(cluster={"maintenance": {"day": "Friday", "startHour": 20, "hours": 4}}).one(
        "azure-native:containerservice:MaintenanceConfiguration"
    )

    assert window.inputs["configName"] == "default"
    assert window.inputs["maintenanceWindow"] == {
        "schedule": {"weekly": {"dayOfWeek": "Friday", "intervalWeeks": 1}},
        "startTime": "20:00",
        "durationHours": 4,
        "utcOffset": "+00:00",
    }


def test_machines_and_disks_of_the_nodes_change_through_aks_alone(aks):
    cluster = aks().one(CLUSTER).inputs

    assert cluster["nodeResourceGroup"] == "ha-iris-aks-nodes"
    assert cluster["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}


def test_pulumi_waits_as_long_as_longhorn_may_take_to_let_a_node_go(aks):
    for pool in aks(cluster={"nodes": 6, "drainTimeoutMinutes": 120}).of_type(POOL):
        # Two hours, half an hour of rest, and an hour for all else.
        assert pool.request.customTimeouts.delete == "210m"
        assert pool.request.customTimeouts.update == "210m"


def test_the_control_plane_has_an_sla_unless_told_otherwise(aks):
    assert aks().one(CLUSTER).inputs["sku"] == {"name": "Base", "tier": "Standard"}
    free = aks(cluster={"tier": "Free"}).one(CLUSTER).inputs
    assert free["sku"] == {"name": "Base", "tier": "Free"}


def test_tags_reach_everything_that_costs_money(aks):
    engine = aks(tags={"team": "dba"})

    tags = {"application": "ha-iris", "team": "dba"}
    taggable = [CLUSTER, POOL, "azure-native:storage:StorageAccount"]
    for resource in [r for r in engine.resources if r.type in taggable]:
        assert resource.inputs["tags"] == tags, resource.name
    (system,) = engine.one(CLUSTER).inputs["agentPoolProfiles"]
    assert system["tags"] == tags


@pytest.mark.parametrize("protect", [True, False])
def test_protection_covers_cluster_nodes_and_backups_and_azures_own_locks_follow(aks, protect):
    engine = aks(protectData=protect)

    account = engine.one("azure-native:storage:StorageAccount")
    pools = engine.of_type(POOL)
    group = engine.named("cluster-group")
    assert {r.protect for r in [engine.one(CLUSTER), group, account, *pools]} == {protect}
    scopes = {lock.inputs["scope"] for lock in engine.of_type(LOCK)}
    expected = {f"{r.name}-id" for r in [account, *pools]} if protect else set()
    assert scopes == expected
    assert {lock.inputs["level"] for lock in engine.of_type(LOCK)} <= {"CanNotDelete"}


def test_kubernetes_objects_go_before_nodes_and_nodes_before_what_they_need(aks):
    engine = aks(
        iris={"service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}},
    )

    objects = {r.name for r in engine.resources if r.type.startswith("kubernetes:")}
    assert {"iris-service", "iris-data", "longhorn-release"} <= objects
    for pool in engine.of_type(POOL):
        # Neither a load balancer nor a volume: the cluster's end takes it along.
        assert objects - gone_before(engine, pool.name) == {"iris-priority-class"}
    pools = {pool.name for pool in engine.of_type(POOL)}
    for needed in ("cluster-aks", "cluster-identity", "cluster-subnet-access", "network-nodes"):
        assert pools | {"iris-service"} <= gone_before(engine, needed), needed
    assert "longhorn-release" in gone_before(engine, "backup-container")


def test_only_what_holds_no_data_of_its_own_goes_with_the_cluster(aks):
    engine = aks()
    (cluster,) = engine.of_type(CLUSTER)

    taken_along = {r.name for r in engine.resources if r.request.deletedWith == cluster.urn}
    # Azure would keep the diagnostic setting and apply it to the next cluster of the name.
    assert taken_along == {
        "cluster-maintenance",
        *(f"cluster-nodes-a-{zone}" for zone in "123"),
    }


def test_no_resource_gets_a_secret_in_clear(aks):
    engine = aks()

    for resource in engine.resources:
        for key, value in resource.inputs.items():
            if any(secret in json.dumps(value) for secret in ("generated-", "key-of-", "S0VZ")):
                assert key in resource.secret_inputs, f"{resource.name}.{key}"
    assert "kubeconfig" in engine.named("cluster-provider").secret_inputs
    assert "stringData" in engine.named("longhorn-backup-credentials").secret_inputs
