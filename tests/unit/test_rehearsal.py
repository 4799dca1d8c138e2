"""The rehearsal of the restore as a stack gets it: when it runs, what it may, what IRIS runs in."""

import json

import pytest

from components.backup.rehearsal_settings import RehearsalSettings
from components.backup.settings import BackupSettings
from components.existing_cluster import ExistingClusterSettings
from components.iris import IrisSettings
from stacks.rehearsals import without_room

CRON_JOB = "kubernetes:batch/v1:CronJob"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
NFS = {"server": "10.0.9.9", "path": "/backups"}
LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"


@pytest.fixture
def dev(committed):
    """The development stack with some settings of its backups."""

    def run(*, iris=None, **backup):
        return committed("dev", backup=backup, **({"iris": iris} if iris else {}))

    return run


def told(engine):
    return json.loads(engine.named("rehearsal-program").inputs["data"]["rehearsal.json"])


def rules(engine, name):
    """Verbs by resource, and by the names that they are for."""
    may = {}
    for rule in engine.named(name).inputs["rules"]:
        for resource in rule["resources"]:
            key = (resource, *rule.get("resourceNames", []))
            may[key] = may.get(key, set()) | set(rule["verbs"])
    return may


def test_the_restore_is_rehearsed_weekly_unless_told_otherwise(dev):
    spec = dev().one(CRON_JOB, "rehearsal-cron-job").inputs["spec"]

    assert spec["schedule"] == "13 4 * * 6"
    assert spec["timeZone"] == "UTC"
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > RehearsalSettings().seconds


def test_where_there_is_a_store_its_backups_are_rehearsed(dev):
    assert told(dev())["from_store"] is False
    assert told(dev(nfs=NFS))["from_store"] is True


def test_iris_starts_on_the_copy_without_productions_priority_or_the_databases_memory(dev):
    engine = dev(iris={"memoryGib": 8})
    pod = told(engine)["pod"]
    (iris,) = pod["containers"]

    merge = engine.named("rehearsal-merge").inputs["stringData"]["merge.cpf"]
    assert "[Startup]\nEnsembleAutoStart=0\n" in merge
    assert "globals=0,0,1024,0,0,0" in merge
    assert iris["resources"]["limits"] == {"cpu": "1", "memory": "2Gi"}
    assert "priorityClassName" not in pod
    assert pod["restartPolicy"] == "Never"
    assert "livenessProbe" not in iris
    assert pod["hostname"] == "iris"
    assert not pod["automountServiceAccountToken"]


def test_nobody_reaches_the_copy_and_it_reaches_nobody(dev):
    engine = dev()

    policy = engine.named("rehearsal-network").inputs
    assert policy["metadata"]["namespace"] == "iris-rehearsal"
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    services = engine.of_type("kubernetes:core/v1:Service")
    assert all(one.inputs["metadata"]["namespace"] != "iris-rehearsal" for one in services)


def test_what_a_rehearsal_makes_goes_with_it_though_the_databases_volume_would_stay(committed):
    engine = committed("dev", protectData=True)

    assert engine.one(CLASS, "longhorn-storage-class").inputs["reclaimPolicy"] == "Retain"
    copies = engine.one(CLASS, "rehearsal-storage-class").inputs
    assert copies["reclaimPolicy"] == "Delete"
    assert copies["parameters"]["numberOfReplicas"] == "1"


def test_the_job_may_read_and_label_what_is_the_databases_and_make_things_in_its_room_alone(dev):
    engine = dev()

    assert rules(engine, "rehearsal-role") == {
        ("volumesnapshots",): {"get", "list", "patch"},
        ("persistentvolumeclaims",): {"get"},
        ("events",): {"create"},
        ("cronjobs", "iris-rehearsal"): {"patch"},
        ("leases",): {"create"},
        ("leases", "iris-rehearsal"): {"get", "update"},
    }
    assert engine.named("rehearsal-room-role").inputs["metadata"]["namespace"] == "iris-rehearsal"
    assert rules(engine, "rehearsal-cluster-role") == {
        ("volumesnapshotcontents",): {"create", "get"},
        ("volumesnapshotcontents", "iris-rehearsal-0"): {"delete"},
    }
    assert [r.name for r in engine.resources if r.name == "rehearsal-store-role"] == []


def test_with_a_store_the_job_may_make_classes_and_read_backups_and_never_delete_one(dev):
    engine = dev(nfs=NFS)

    assert rules(engine, "rehearsal-store-role") == {("backups",): {"get", "list", "patch"}}
    may = rules(engine, "rehearsal-cluster-role")
    assert may["storageclasses",] == {"create"}
    assert may["storageclasses", "iris-rehearsal-0"] == {"delete"}


@pytest.mark.parametrize(
    ("iris", "hosts"),
    [
        ({}, ["iris"]),
        ({"hostname": "mainz"}, ["mainz"]),
        ({"form": "statefulset", "instances": 2}, ["iris-0", "iris-1"]),
        ({"form": "statefulset", "volumesOf": "deployment"}, ["iris-0"]),
    ],
)
def test_the_hosts_that_there_are_are_rehearsed_and_what_others_left_is_told(dev, iris, hosts):
    engine = dev(iris=iris)
    backup = json.loads(engine.named("snapshots-program").inputs["data"]["settings.json"])

    assert told(engine)["instances"] == backup["instances"] == hosts


def test_a_backup_is_old_for_a_rehearsal_when_the_alert_calls_it_old(dev):
    monthly = {"schedule": "0 3 1 * *"}

    assert told(dev())["old_seconds"] == 2 * 24 * 3600
    assert told(dev(snapshots=monthly))["old_seconds"] == 32 * 24 * 3600


def test_the_volume_in_use_is_the_one_that_is_rehearsed(dev):
    assert told(dev())["volumes"] == {"iris-data": "data"}
    assert told(dev(iris={"volume": 2}))["volumes"] == {"iris-data-2": "data"}


@pytest.mark.parametrize(
    ("iris", "backup", "why"),
    [
        (None, {"rehearsal": {"enabled": False}}, "backup.rehearsal.enabled is false"),
        ({"image": LICENSED, "webGateway": {"enabled": False}}, {}, "wants a licence"),
    ],
)
def test_a_preview_says_that_nobody_rehearses(dev, caplog, iris, backup, why):
    engine = dev(iris=iris, **backup)

    assert [one.name for one in engine.of_type(CRON_JOB)] == ["snapshots-cron-job"]
    assert any("Nobody rehearses the restore" in t and why in t for t in caplog.messages)


def test_without_snapshots_of_a_frozen_database_there_is_nothing_to_rehearse(dev):
    assert dev(snapshots={"enabled": False}).of_type(CRON_JOB) == []


class Stack:
    """As much of a stack file as the sums are made of."""

    def __init__(self, kubeconfig, nodes, memory_gib):
        self.backup = BackupSettings()
        self.iris = IrisSettings(memory_gib=memory_gib)
        self.cluster = ExistingClusterSettings(
            kubeconfig=kubeconfig,
            nodes=nodes,
            zones=nodes,
            allocatable_cpus=4,
            allocatable_memory_gib=8,
        )


def test_a_preview_says_when_no_node_has_room_beside_the_database(kubeconfig):
    assert without_room(Stack(kubeconfig, 3, 5)) == []  # pyright: ignore[reportArgumentType]
    (line,) = without_room(Stack(kubeconfig, 1, 5))  # pyright: ignore[reportArgumentType]
    assert "memoryGib is 7" in line
    assert "and the database together" in line


def test_a_time_zone_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="no such time zone"):
        RehearsalSettings(time_zone="Europe/Nowhere")
