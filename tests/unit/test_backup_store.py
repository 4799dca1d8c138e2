"""Stores for backups that somebody else keeps, and what leaves the cluster for any store."""

import json
from typing import Any

import pytest

RELEASE = "kubernetes:helm.sh/v3:Release"
JOB = "kubernetes:longhorn.io/v1beta2:RecurringJob"
CRON_JOB = "kubernetes:batch/v1:CronJob"
SECRET = "kubernetes:core/v1:Secret"
NFS: dict[str, Any] = {"server": "nas.example.com", "path": "/exports/iris"}
S3: dict[str, Any] = {
    "bucket": "backups",
    "endpoint": "https://minio.example.com:9000",
    "accessKeyId": "longhorn",
    "secretAccessKey": "s3cret",
}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture
def existing(deploy, kubeconfig, caplog):
    """Runs the program on an existing cluster with a group ``backup``; what it made and said."""
    from stacks import compose

    def run(backup: Any = None, **groups):
        groups = {"cluster": {"kubeconfig": kubeconfig}, "backup": backup or {}, **groups}
        config = {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}
        outputs = {}
        engine = deploy(
            lambda: outputs.update(compose()), config=config, secret_keys=["ha-iris:backup"]
        )
        return engine, outputs, caplog.text

    return run


@pytest.fixture
def refusal(refused, kubeconfig):
    """The message that refuses a group ``backup`` of a stack on an existing cluster."""

    def run(backup: Any, secret_keys: tuple[str, ...] = ("ha-iris:backup",), **groups):
        groups = {"cluster": {"kubeconfig": kubeconfig}, "backup": backup, **groups}
        config = {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}
        return refused(config, secret_keys=list(secret_keys))

    return run


def target(engine) -> dict[str, str]:
    return engine.one(RELEASE).inputs["values"]["defaultBackupStore"]


def jobs(engine) -> dict[str, Any]:
    """Specs of the recurring jobs by name."""
    return {
        job.inputs["metadata"]["name"].removeprefix("ha-iris-"): job.inputs["spec"]
        for job in engine.of_type(JOB)
    }


def test_an_nfs_export_is_a_store_without_a_login(existing, resolve):
    engine, outputs, _ = existing({"nfs": {**NFS, "options": ["nconnect=4", "noresvport"]}})

    assert target(engine) == {
        "backupTarget": "nfs://nas.example.com:/exports/iris?nfsOptions=nconnect=4,noresvport",
        "backupTargetCredentialSecret": "",
    }
    assert "longhorn-backup-credentials" not in {r.name for r in engine.of_type(SECRET)}
    assert resolve(outputs["backupBucket"]) == "nas.example.com:/exports/iris"


def test_an_s3_store_gets_its_login_its_address_and_its_authority(existing):
    engine, _, _ = existing({"s3": {**S3, "folder": "/iris/", "ca": PEM, "virtualHosted": True}})

    assert target(engine)["backupTarget"] == "s3://backups@us-east-1/iris/"
    secret = engine.named("longhorn-backup-credentials")
    assert secret.inputs["stringData"] == {
        "AWS_ACCESS_KEY_ID": "longhorn",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_ENDPOINTS": "https://minio.example.com:9000",
        "VIRTUAL_HOSTED_STYLE": "true",
        "AWS_CERT": PEM.strip(),
    }
    assert "stringData" in secret.secret_inputs
    assert "longhorn-backup-credentials" in engine.one(RELEASE).depends_on


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two stores": ({"nfs": NFS, "s3": S3}, "backup.s3: nfs is there too"),
    "uploads without a store": (
        {"uploads": {"retain": 7}},
        "ha-iris:backup: uploads is configured and there is no store that it could write to; name",
    ),
    "system backups without a store": (
        {"systemBackup": {"retain": 7}},
        "systemBackup is configured and there is no store",
    ),
    "uploads to a store that is off": (
        {"enabled": False, "nfs": NFS, "uploads": {"retain": 7}},
        "uploads is configured and there is no store",
    ),
    "a mount that waits for ever": (
        {"nfs": {**NFS, "options": ["hard"]}},
        "hard is no option here: one option for each line, and never hard",
    ),
    "a comma in a path": (
        {"nfs": {"server": "nas", "path": "/a,b"}},
        "backup.nfs.path is /a,b: it must be text that matches",
    ),
    "a relative path": ({"nfs": {"server": "nas", "path": "a"}}, "backup.nfs.path is a"),
    "an endpoint with a path": (
        {"s3": {**S3, "endpoint": "https://minio/x"}},
        "backup.s3.endpoint is https://minio/x: it must be text that matches",
    ),
    "an endpoint in clear": (
        {"s3": {**S3, "endpoint": "http://minio:9000"}},
        "endpoint is http://minio:9000, and everybody on the way could read the database",
    ),
    "a key with a line break": (
        {"s3": {**S3, "secretAccessKey": "s3cret\n"}},
        "backup.s3.secretAccessKey: it is empty or has white space at an end",
    ),
    "an authority that is no certificate": (
        {"s3": {**S3, "ca": "/etc/ssl/ca.pem"}},
        "this is no certificate in PEM form",
    ),
    "a schedule of six fields": (
        {"nfs": NFS, "uploads": {"schedule": "0 0 1 * * *"}},
        "backup.uploads.schedule is 0 0 1 * * *: a schedule has five fields",
    ),
    "more backups than Longhorn keeps": (
        {"nfs": NFS, "uploads": {"retain": 101}},
        "backup.uploads.retain is 101: it must be 100 or less",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_store_that_would_fail_at_night_is_refused_at_once(refusal, fault):
    backup, said = REFUSED[fault]

    assert said in refusal(backup)


def test_the_key_of_a_store_in_clear_is_refused_and_not_repeated(refusal):
    told = refusal({"s3": S3}, secret_keys=())

    assert "ha-iris:backup.s3.secretAccessKey is in clear" in told
    assert "s3cret" not in told


def test_an_endpoint_in_clear_is_used_where_a_stack_file_insists(existing):
    engine, _, _ = existing({"s3": {**S3, "endpoint": "http://minio:9000", "clearText": True}})

    secret = engine.named("longhorn-backup-credentials").inputs["stringData"]
    assert secret["AWS_ENDPOINTS"] == "http://minio:9000"


def test_a_store_that_nothing_writes_to_is_refused(refusal):
    told = refusal({"nfs": NFS}, iris={"storageClass": "local-path"})

    assert "Longhorn alone writes to a store, and storageClass local-path replaces it" in told


@pytest.mark.parametrize("stack", ["eks", "aks", "gke"])
def test_backups_leave_the_cluster_daily_from_the_first_hour_on_every_cloud(committed, stack):
    frozen = committed(stack)
    crashed = committed(stack, backup={"snapshots": {"enabled": False}})

    daily = frozen.one(CRON_JOB, "snapshots-cron-job")
    assert daily.inputs["spec"]["schedule"] == "43 0 * * *"
    assert not crashed.of_type(CRON_JOB)
    # What freezes nothing goes on once a week: it fails for fewer reasons.
    assert jobs(frozen)["upload"]["cron"] == "17 1 * * 0"
    upload = jobs(crashed)["upload"]
    assert upload["task"] == "backup"
    assert upload["cron"] == "17 1 * * *"
    assert upload["retain"] == 14
    # What Longhorn calls the volumes that nobody gave a label: every claim's, old ones too.
    assert upload["groups"] == ["default"]
    assert "longhorn-release" in crashed.named("longhorn-upload").depends_on


def test_backups_leave_an_existing_cluster_once_it_has_a_store(existing):
    engine, _, said = existing({"nfs": NFS})

    assert set(jobs(engine)) == {"upload", "system-backup", "trim"}
    assert "leaves the cluster" not in said


def test_a_preview_says_that_nothing_leaves_a_cluster_without_a_store(existing):
    engine, outputs, said = existing()

    assert set(jobs(engine)) == {"trim"}
    assert "Nothing leaves the cluster: there is no store for backups" in said
    assert "backupTarget" not in outputs


def test_a_cluster_without_volume_snapshots_is_uploaded_daily(existing, kubeconfig):
    cluster = {"kubeconfig": kubeconfig, "volumeSnapshots": False}
    engine, _, _ = existing({"nfs": NFS}, cluster=cluster)

    assert jobs(engine)["upload"]["cron"] == "17 1 * * *"


def test_a_schedule_of_a_stack_file_is_kept_whoever_else_uploads(existing):
    engine, _, _ = existing({"nfs": NFS, "uploads": {"schedule": "0 4 * * *"}})

    assert jobs(engine)["upload"]["cron"] == "0 4 * * *"


def test_a_preview_says_that_uploads_are_off(existing):
    engine, _, said = existing({"nfs": NFS, "uploads": {"enabled": False}})

    assert set(jobs(engine)) == {"system-backup", "trim"}
    assert "Longhorn uploads no backup by itself, and the store stays empty" in said


def test_a_target_that_was_set_by_hand_stays_until_a_stack_file_says_that_there_is_none(existing):
    silent, _, _ = existing()
    off, _, _ = existing({"enabled": False})

    assert "defaultBackupStore" not in silent.one(RELEASE).inputs["values"]
    assert target(off) == {"backupTarget": "", "backupTargetCredentialSecret": ""}


def test_of_so_many_uploads_one_is_a_full_one(existing):
    every, _, _ = existing({"nfs": NFS, "uploads": {"fullEvery": 7}})
    never, _, _ = existing({"nfs": NFS})

    assert jobs(every)["upload"]["parameters"] == {"full-backup-interval": "7"}
    assert jobs(never)["upload"]["parameters"] == {}


def test_a_system_backup_uploads_no_volume_a_second_time(existing):
    engine, _, _ = existing({"nfs": NFS})

    assert jobs(engine)["system-backup"]["parameters"] == {"volume-backup-policy": "disabled"}


def test_journals_with_a_volume_of_their_own_leave_the_cluster_every_quarter_of_an_hour(existing):
    engine, _, _ = existing({"nfs": NFS}, iris={"journals": {"volumeGib": 20}})

    job = jobs(engine)["journals"]
    assert (job["task"], job["cron"], job["retain"]) == ("backup", "*/15 * * * *", 8)
    (group,) = job["groups"]
    labels = engine.named("iris-journals").inputs["metadata"]["labels"]
    # In this group and, as all others are, in the one of every volume.
    assert labels[f"recurring-job-group.longhorn.io/{group}"] == "enabled"
    assert labels["recurring-job-group.longhorn.io/default"] == "enabled"
    assert labels["recurring-job.longhorn.io/source"] == "enabled"
    others = engine.named("iris-data").inputs["metadata"]["labels"]
    assert not [label for label in others if "longhorn" in label]


@pytest.mark.parametrize(
    ("backup", "iris"),
    [
        ({"nfs": NFS}, {}),
        ({}, {"journals": {"volumeGib": 20}}),
        ({"nfs": NFS, "journals": {"enabled": False}}, {"journals": {"volumeGib": 20}}),
    ],
    ids=["no volume", "no store", "switched off"],
)
def test_no_journals_are_uploaded_alone(existing, backup, iris):
    engine, _, _ = existing(backup, iris=iris)

    assert "journals" not in jobs(engine)


def test_no_recurring_job_deletes_snapshots_of_others(existing):
    every = {"maintenance": {"snapshotCleanupSchedule": "7 4 * * *"}}
    engine, _, _ = existing({"nfs": NFS}, longhorn=every)

    tasks = {spec["task"] for spec in jobs(engine).values()}
    assert tasks == {"backup", "system-backup", "filesystem-trim", "snapshot-cleanup"}


def test_longhorns_webhook_finds_nothing_to_add_to_a_recurring_job(existing):
    engine, _, _ = existing({"nfs": NFS})

    # Its mutator fills these in where they are missing, and sets retain to 0 or to 1.
    for spec in jobs(engine).values():
        assert {"name", "groups", "labels", "parameters", "retain"} <= set(spec)
        assert (spec["retain"] == 0) == (spec["task"] == "filesystem-trim")
        assert len(spec["name"]) <= 40
