"""The backup job as a stack gets it: when it runs, what it may, and when there is none."""

import json

import pytest

from components.backup.snapshots import NAME
from tests.unit.destroy_order import gone_before
from tests.unit.iris_parts import container

CRON_JOB = "kubernetes:batch/v1:CronJob"
NFS = {"server": "10.0.9.9", "path": "/backups"}


@pytest.fixture
def dev(committed):
    """The development stack with some settings of its backups."""

    def run(*, iris=None, cluster=None, **backup):
        groups = {"backup": backup}
        groups |= {"iris": iris} if iris else {}
        groups |= {"cluster": cluster} if cluster else {}
        return committed("dev", **groups)

    return run


def job(engine):
    return engine.one(CRON_JOB, "snapshots-cron-job").inputs["spec"]


def pod(engine):
    return job(engine)["jobTemplate"]["spec"]["template"]["spec"]


def told(engine):
    return json.loads(engine.named("snapshots-program").inputs["data"]["settings.json"])


def test_snapshots_of_a_frozen_database_are_taken_daily_unless_told_otherwise(dev):
    spec = job(dev())

    assert spec["schedule"] == "43 0 * * *"
    assert spec["timeZone"] == "UTC"
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 3600
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 3)


def test_the_schedule_is_in_the_time_zone_of_the_database(dev):
    engine = dev(iris={"timeZone": "America/Sao_Paulo"})
    other = dev(
        iris={"timeZone": "America/Sao_Paulo"}, snapshots={"timeZone": "Asia/Tokyo", "keep": 3}
    )

    assert job(engine)["timeZone"] == "America/Sao_Paulo"
    assert job(other)["timeZone"] == "Asia/Tokyo"


def test_the_job_is_told_which_pods_run_iris_and_how_long_it_may_be_frozen(dev):
    settings = told(dev(snapshots={"snapshotSeconds": 90, "freezeSeconds": 200}))

    assert settings["namespace"] == "iris"
    assert settings["selectors"] == [
        "app.kubernetes.io/name=iris,app.kubernetes.io/part-of=ha-iris"
    ]
    assert settings["snapshot_class"] == "longhorn-iris-snapshot"
    assert (settings["snapshot_seconds"], settings["freeze_seconds"]) == (90, 200)


def test_the_database_pod_has_the_labels_that_the_job_looks_for(dev):
    engine = dev()

    (selector,) = told(engine)["selectors"]
    wanted = dict(label.split("=") for label in selector.split(","))
    (deployment,) = engine.of_type("kubernetes:apps/v1:Deployment")
    labels = deployment.inputs["spec"]["template"]["metadata"]["labels"]
    assert wanted.items() <= labels.items()
    assert container(engine)["name"] == told(engine)["container"]


def test_the_job_ends_after_its_freeze_and_its_upload_could_have(dev):
    spec = job(dev(snapshots={"uploadSeconds": 600}))["jobTemplate"]["spec"]

    assert spec["activeDeadlineSeconds"] > 600 + 3 * 120
    assert spec["backoffLimit"] == 2
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_a_job_that_is_told_to_end_has_time_to_thaw(dev):
    assert pod(dev())["terminationGracePeriodSeconds"] >= 60


def test_the_job_has_a_token_of_its_own_and_no_more_rights_than_it_uses(dev):
    engine = dev()

    assert pod(engine)["serviceAccountName"] == NAME
    rules = engine.named("snapshots-role").inputs["rules"]
    may = {r: set(rule["verbs"]) for rule in rules for r in rule["resources"]}
    assert may == {
        "pods": {"list"},
        "pods/exec": {"get", "create"},
        "persistentvolumeclaims": {"get"},
        "events": {"create"},
        "volumesnapshots": {"get", "list", "create", "patch", "delete"},
        "leases": {"get", "update"},
    }
    (everywhere,) = engine.named("snapshots-cluster-role").inputs["rules"]
    assert (everywhere["resources"], everywhere["verbs"]) == (["volumesnapshotcontents"], ["get"])
    assert "longhorn-system" not in str(engine.named("snapshots-role-binding").inputs)


def test_uploads_are_asked_of_longhorn_only_where_there_is_a_store(dev):
    without, stored = dev(), dev(nfs=NFS)

    assert told(without)["upload"] is False
    assert not [r for r in without.resources if "upload" in r.name and "Role" in r.type]
    assert told(stored)["upload"] is True
    (rule,) = stored.named("snapshots-upload-role").inputs["rules"]
    assert rule["resources"] == ["backups"]
    assert stored.named("snapshots-upload-role").inputs["metadata"]["namespace"] == (
        "longhorn-system"
    )


def test_the_program_is_whole_and_named_by_its_content(dev):
    program = dev().named("snapshots-program").inputs

    assert {"__main__.py", "kube.py", "freeze.py", "freeze.sh", "settings.json"} <= set(
        program["data"]
    )
    assert program["immutable"] is True
    assert "name" not in program["metadata"]


def test_a_namespace_that_lets_nobody_out_lets_the_job_reach_the_api_server(dev):
    closed = dev(iris={"networkPolicy": {"egress": []}})

    spec = closed.named("snapshots-network").inputs["spec"]
    assert spec["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/part-of": "ha-iris",
    }
    assert spec["policyTypes"] == ["Egress"]
    assert not [r for r in dev().resources if r.name == "snapshots-network"]


def test_switched_off_there_is_none_and_the_preview_says_so(dev, caplog):
    engine = dev(snapshots={"enabled": False})

    assert engine.of_type(CRON_JOB) == []
    assert "ha-iris:backup.snapshots.enabled is false" in caplog.text


def test_a_cluster_without_volume_snapshots_has_none_and_the_preview_says_so(dev, caplog):
    engine = dev(cluster={"volumeSnapshots": False})

    assert engine.of_type(CRON_JOB) == []
    assert "the cluster has no volume snapshots" in caplog.text


def test_snapshots_are_gone_before_what_deletes_them(dev):
    engine = dev()

    # They go with their namespace, and wait for Longhorn's driver to let go of them.
    assert {"iris-namespace", "snapshots-cron-job"} <= gone_before(engine, "longhorn-release")
    assert "snapshots-cron-job" in gone_before(engine, "iris-namespace")


def test_iris_is_thawed_before_its_container_stops(dev):
    hook = container(dev())["lifecycle"]["preStop"]["exec"]["command"]

    assert hook == ["/etc/ha-iris/scripts/freeze.sh", "stopping"]


@pytest.mark.parametrize("cloud", ["eks", "aks", "gke"])
def test_every_cloud_uploads_what_was_frozen_to_its_store(committed, cloud):
    engine = committed(cloud)

    assert told(engine)["upload"] is True
    assert job(engine)["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (
            {"backup": {"snapshots": {"schedule": "0 25 * * *"}}},
            "backup.snapshots.schedule is 0 25 * * *: 25 is no hour",
        ),
        (
            {"backup": {"snapshots": {"timeZone": "Mars/Base"}}},
            "backup.snapshots.timeZone is Mars/Base: no such time zone",
        ),
        ({"backup": {"snapshots": {"keep": 0}}}, "backup.snapshots.keep is 0: it must be"),
        (
            {"backup": {"snapshots": {"keepUploads": 0}}},
            "backup.snapshots.keepUploads is 0: it must be",
        ),
        (
            {"backup": {"snapshots": {"freezeSeconds": 60}}},
            "backup.snapshots.freezeSeconds is 60: snapshotSeconds 60 and up to 30",
        ),
        (
            {"backup": {"snapshots": {"freezeSeconds": 600}}},
            "backup.snapshots.freezeSeconds is 600: it must be",
        ),
        (
            {"backup": {"snapshots": {"startingDeadlineSeconds": 5}}},
            "backup.snapshots.startingDeadlineSeconds is 5: it must be",
        ),
        (
            {"iris": {"hungSeconds": 100}},
            "backup: snapshots.freezeSeconds is 120, and a frozen IRIS looks like a hung one",
        ),
        (
            {"iris": {"storageClass": "premium"}, "backup": {"snapshots": {"keep": 3}}},
            "backup: snapshots are taken by Longhorn's driver, and iris.storageClass premium",
        ),
    ],
)
def test_what_could_not_work_is_refused_before_anything_is_made(refused, kubeconfig, groups, said):
    groups = {"cluster": {"kubeconfig": kubeconfig}, **groups}
    config = {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}

    assert said in refused(config)
