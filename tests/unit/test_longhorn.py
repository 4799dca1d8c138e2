"""What must be true of the storage under the database."""

import pulumi
import pytest

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.longhorn import Longhorn, LonghornSettings
from components.longhorn.values import chart_values, class_parameters

RELEASE = "kubernetes:helm.sh/v3:Release"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
SNAPSHOT_CLASS = "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass"


class Bucket:
    """A backup store as a cloud's component would give it."""

    def __init__(self) -> None:
        self.url = pulumi.Output.from_input("s3://bucket@eu-west-1/")
        self.bucket = pulumi.Output.from_input("bucket")
        self.credentials = {"AWS_IAM_ROLE_ARN": "arn:aws:iam::123456789012:role/backup"}
        self.ready: list[pulumi.Resource] = []


@pytest.fixture
def longhorn(deploy, kubeconfig):
    """Deploys Longhorn with the given settings and returns the engine."""

    def run(*, cluster=None, protect_data=True, backup_store=None, **settings):
        def program():
            where = ExistingClusterSettings(kubeconfig=kubeconfig, **(cluster or {}))
            Longhorn(
                "longhorn",
                LonghornSettings(**settings),
                cluster=ExistingCluster("cluster", where),
                protect_data=protect_data,
                backup_store=backup_store and backup_store(),
            )

        return deploy(program)

    return run


def values(settings: LonghornSettings | None = None, **given):
    facts = {"node_count": 3, "dedicated_disk": False, "protect_data": True} | given
    return chart_values(settings or LonghornSettings(), **facts)


def test_the_chart_is_a_release_so_that_its_uninstall_hook_runs(longhorn):
    release = longhorn().one(RELEASE).inputs

    assert release["chart"] == "longhorn"
    assert release["version"] == "1.12.1"
    assert release["repositoryOpts"] == {"repo": "https://charts.longhorn.io"}
    assert release["name"] == "longhorn"


def test_a_chart_in_a_folder_needs_no_repository(longhorn):
    release = longhorn(chart="./lab/charts/longhorn").one(RELEASE).inputs

    assert release["chart"] == "./lab/charts/longhorn"
    assert "repositoryOpts" not in release
    assert "version" not in release


def test_the_database_class_keeps_three_copies_apart_and_outlives_its_claims(longhorn):
    storage_class = longhorn().one(STORAGE_CLASS).inputs

    assert storage_class["reclaimPolicy"] == "Retain"
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"
    assert storage_class["allowVolumeExpansion"] is True
    assert storage_class["parameters"]["numberOfReplicas"] == "3"
    assert storage_class["parameters"]["replicaSoftAntiAffinity"] == "disabled"
    assert storage_class["parameters"]["dataLocality"] == "best-effort"
    assert storage_class["parameters"]["fsType"] == "ext4"


def test_a_database_that_may_be_thrown_away_leaves_no_volume_behind(longhorn):
    assert longhorn(protect_data=False).one(STORAGE_CLASS).inputs["reclaimPolicy"] == "Delete"


@pytest.mark.parametrize("protect_data", [True, False])
def test_a_class_whose_policy_changes_makes_room_for_a_new_one(longhorn, protect_data):
    request = longhorn(protect_data=protect_data).one(STORAGE_CLASS).request

    assert list(request.replaceOnChanges) == ["reclaimPolicy"]
    assert request.deleteBeforeReplace is True


def test_a_trim_leaves_snapshots_to_those_who_made_them():
    parameters = class_parameters(3, zone_count=3)

    assert parameters["unmapMarkSnapChainRemoved"] == "disabled"


def test_a_backup_can_be_restored_while_a_node_is_down():
    assert "allowVolumeCreationWithDegradedAvailability" not in values()["defaultSettings"]


@pytest.mark.parametrize(
    ("replicas", "zones", "policy"),
    [
        (3, 3, "disabled"),
        (2, 3, "disabled"),
        (3, 1, "ignored"),
        (3, 2, "ignored"),
        (4, 3, "ignored"),
    ],
)
def test_a_zone_for_each_copy_is_demanded_only_where_there_are_enough(replicas, zones, policy):
    parameters = class_parameters(replicas, zone_count=zones)

    assert parameters["replicaZoneSoftAntiAffinity"] == policy


def test_the_file_system_of_the_volume_is_ext4_unless_a_stack_file_says_otherwise():
    assert class_parameters(3, zone_count=3)["fsType"] == "ext4"
    assert class_parameters(3, zone_count=3, fs_type="xfs")["fsType"] == "xfs"


def test_every_parameter_of_the_class_is_text():
    assert all(isinstance(value, str) for value in class_parameters(3, zone_count=3).values())


def test_a_snapshot_stays_in_the_cluster_and_is_no_upload(longhorn):
    snapshot_class = longhorn().one(SNAPSHOT_CLASS).inputs

    assert snapshot_class["driver"] == "driver.longhorn.io"
    assert snapshot_class["parameters"] == {"type": "snap"}


def test_a_cluster_without_volume_snapshots_gets_no_class_for_them(longhorn):
    assert longhorn(cluster={"volume_snapshots": False}).of_type(SNAPSHOT_CLASS) == []


def test_a_pod_on_a_dead_node_is_given_up_without_a_person():
    policy = values()["defaultSettings"]["nodeDownPodDeletionPolicy"]

    assert policy == "delete-both-statefulset-and-deployment-pod"


def test_network_policies_do_not_cut_iscsi():
    assert values()["networkPolicies"]["restrictInternalTraffic"] is False


def test_longhorn_phones_nobody():
    settings = values()["defaultSettings"]

    assert settings["allowCollectingLonghornUsageMetrics"] is False
    assert settings["upgradeChecker"] is False


def test_the_charts_own_classes_stay_out():
    assert values()["persistence"] == {"createStorageClass": False, "defaultClass": False}


@pytest.mark.parametrize("protect_data", [True, False])
def test_longhorn_can_be_uninstalled_only_when_data_is_not_protected(protect_data):
    settings = values(protect_data=protect_data)["defaultSettings"]

    assert settings["deletingConfirmationFlag"] is not protect_data


def test_a_node_drain_never_takes_the_last_good_copy():
    assert values()["defaultSettings"]["nodeDrainPolicy"] == "block-if-contains-last-replica"


@pytest.mark.parametrize(("nodes", "sidecars", "interfaces"), [(1, 1, 1), (2, 2, 2), (6, 3, 2)])
def test_no_more_sidecars_than_nodes(nodes, sidecars, interfaces):
    chart = values(node_count=nodes)

    assert set(chart["csi"].values()) == {sidecars}
    assert chart["longhornUI"]["replicas"] == interfaces


def test_a_kubelet_that_hides_its_folder_is_named():
    folder = "/var/snap/microk8s/common/var/lib/kubelet"

    assert values(LonghornSettings(kubelet_root_dir=folder))["csi"]["kubeletRootDir"] == folder
    assert "kubeletRootDir" not in values()["csi"]


def test_a_disk_of_its_own_is_used_whole():
    own, shared = (values(dedicated_disk=own)["defaultSettings"] for own in (True, False))

    assert own["storageReservedPercentageForDefaultDisk"] == 0
    assert own["storageMinimalAvailablePercentage"] == 10
    assert shared["storageReservedPercentageForDefaultDisk"] == 30


def test_a_mirror_serves_all_images():
    chart = values(LonghornSettings(image_registry="registry.example.com"))

    assert chart["global"] == {"imageRegistry": "registry.example.com"}
    assert "global" not in values()


def test_the_interface_is_not_reachable_from_outside_unless_networks_are_named(longhorn):
    closed = longhorn()
    opened = longhorn(ui={"load_balancer_source_ranges": ["203.0.113.0/24"]})

    assert closed.of_type("kubernetes:core/v1:Service") == []
    spec = opened.one("kubernetes:core/v1:Service").inputs["spec"]
    assert spec["type"] == "LoadBalancer"
    assert spec["loadBalancerSourceRanges"] == ["203.0.113.0/24"]


def test_the_interface_can_be_left_out(longhorn):
    release = longhorn(ui={"enabled": False}).one(RELEASE).inputs

    assert release["values"]["longhornUI"]["replicas"] == 0


def test_the_backup_secret_is_there_before_longhorn_looks_for_it(longhorn):
    engine = longhorn(backup_store=Bucket)
    secret = engine.named("longhorn-backup-credentials")
    release = engine.one(RELEASE)

    assert secret.inputs["metadata"]["namespace"] == "longhorn-system"
    assert release.inputs["values"]["defaultBackupStore"] == {
        "backupTarget": "s3://bucket@eu-west-1/",
        "backupTargetCredentialSecret": secret.inputs["metadata"]["name"],
    }
    assert "longhorn-backup-credentials" in release.depends_on


@pytest.mark.parametrize("protect_data", [True, False])
def test_what_holds_the_copies_is_protected_with_the_data(longhorn, protect_data):
    engine = longhorn(protect_data=protect_data)

    for name in ("longhorn-namespace", "longhorn-release"):
        assert engine.named(name).protect is protect_data


def test_classes_wait_for_longhorn_and_go_before_it(longhorn):
    engine = longhorn()

    for token in (STORAGE_CLASS, SNAPSHOT_CLASS):
        assert "longhorn-release" in engine.one(token).depends_on


def test_longhorn_may_use_host_paths_in_its_own_namespace_only(longhorn):
    namespace = longhorn().one("kubernetes:core/v1:Namespace").inputs["metadata"]

    assert namespace["name"] == "longhorn-system"
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"


def test_what_keeps_volumes_off_dead_nodes_never_holds_one_up_itself(longhorn):
    engine = longhorn()
    group = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    policy, binding = engine.one(group).inputs, engine.one(f"{group}Binding").inputs

    assert policy["spec"]["failurePolicy"] == "Ignore"
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["paramRef"] == {"selector": {}, "parameterNotFoundAction": "Allow"}
    conditions = [one["expression"] for one in policy["spec"]["matchConditions"]]
    assert conditions == ["object.spec.attacher == 'driver.longhorn.io'"]
