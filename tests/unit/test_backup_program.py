"""What a backup does to IRIS and to its volumes: the program itself, against a played cluster."""

from datetime import datetime

import pytest

from tests.unit.backup_cluster import BACKUPS, HERE, LEASE, SNAPSHOTS
from tests.unit.backup_job import played_backup


@pytest.fixture
def backup(tmp_path):
    with played_backup(tmp_path) as backup:
        yield backup


def labels(item):
    return item["metadata"]["labels"]


def test_all_volumes_are_cut_in_one_freeze_and_uploaded_after_it(backup):
    code, printed = backup.run()

    assert code == 0, printed
    assert backup.cluster.states() == {"iris-data": "consistent", "iris-journal": "consistent"}
    steps = [step for step in backup.cluster.seen if not step.startswith(("GET", "word renew"))]
    order = [
        step.split("/")[0].strip() + "/" + step.split("/")[-1].split("-2")[0] for step in steps
    ]
    assert [o for o in order if "PUT" not in o and "leases" not in o] == [
        "POST/iris-backup",
        "POST/iris-data",
        "POST/iris-journal",
        "word check/word check",
        "word thaw/word thaw",
        "PATCH/iris-data",
        "PATCH/iris-journal",
        "POST/iris-iris-data",
        "POST/iris-iris-journal",
        *[o for o in order if "POST/iris-backup" in o][1:],
    ]
    assert not backup.iris.frozen
    assert backup.iris.did("frozen") == backup.iris.did("thawed") == 1


def test_the_marker_is_written_before_the_freeze_and_named_by_snapshot_and_backup(backup):
    backup.run()
    backup.run()

    asked = [what.split()[0] for _, what in backup.iris.moments()]
    assert asked == ["marker", "freeze", "frozen", "thawed"] * 2
    markers = [
        item["metadata"]["annotations"]["backup.ha-iris/marker"]
        for item in backup.cluster.items(SNAPSHOTS)
    ]
    assert sorted(int(m.split()[0]) for m in markers) == [1, 1, 2, 2]
    datetime.fromisoformat(markers[0].split()[1])
    uploaded = [item["spec"]["labels"] for item in backup.cluster.items(BACKUPS)]
    assert {labels["backup.ha-iris/marker"] for labels in uploaded} == set(markers)


def test_longhorn_uploads_the_snapshot_that_was_cut_and_no_other(backup):
    backup.run()

    snapshots = {
        item["spec"]["source"]["persistentVolumeClaimName"]: item["metadata"]["uid"]
        for item in backup.cluster.items(SNAPSHOTS)
    }
    uploads = {
        item["metadata"]["labels"]["backup-volume"]: item["spec"]["snapshotName"]
        for item in backup.cluster.items(BACKUPS)
    }
    assert uploads == {f"pvc-{claim}": f"snapshot-{uid}" for claim, uid in snapshots.items()}


def test_iris_is_told_to_resume_by_itself_and_users_are_not_blocked_before(backup):
    backup.run()

    (asked,) = [what for _, what in backup.iris.moments() if what.startswith("freeze ")]
    assert asked == 'freeze ##Class(Backup.General).ExternalFreeze(,"ha-iris",,,,,600,,,30)'


def test_a_snapshot_during_which_the_freeze_ended_is_lapsed_and_fails_the_run(backup):
    backup.cluster.at("word check", lambda: (backup.iris.folder / "frozen").unlink())

    code, printed = backup.run()

    assert code == 1
    assert set(backup.cluster.states().values()) == {"lapsed"}
    assert backup.cluster.items(BACKUPS) == []
    assert backup.cluster.events() == ["BackupLapsed"]
    assert "IRIS was not frozen any more when the cut was done" in printed


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("refuses-freeze", "ExternalFreeze ended with 3: ERROR: switch of the journal failed"),
        ("no-writes", "IRIS takes no marker"),
        ("no-session", "IRIS takes no marker"),
    ],
)
def test_where_iris_does_not_freeze_nothing_is_cut_and_the_reason_is_told(backup, fault, told):
    backup.iris.fails(fault)

    code, printed = backup.run()

    assert code == 1
    assert told in printed
    assert backup.cluster.items(SNAPSHOTS) == []
    assert not backup.iris.frozen


def test_where_thaw_is_refused_the_write_daemon_is_resumed_without_a_session(backup):
    backup.iris.fails("refuses-thaw")

    code, printed = backup.run()

    assert code == 0, printed
    assert backup.iris.did("resumed") == 1
    assert not backup.iris.frozen


def test_a_volume_of_which_no_snapshot_is_cut_does_not_keep_iris_frozen(backup):
    backup.settings["snapshot_seconds"] = 1
    backup.cluster.uncut = {"iris-journal"}

    code, printed = backup.run()

    assert code == 1
    assert "no snapshot of iris-journal within 1 s" in printed
    assert set(backup.cluster.states().values()) == {"lapsed"}
    moments = {what.split()[0]: at for at, what in backup.iris.moments()}
    assert 1 <= moments["thawed"] - moments["frozen"] < 15


def test_a_volume_that_is_not_longhorns_is_refused_before_iris_is_frozen(backup):
    claim = backup.cluster.objects[f"{HERE}/persistentvolumeclaims/iris-journal"]
    claim["metadata"]["annotations"] = {
        "volume.kubernetes.io/storage-provisioner": "disk.csi.azure.com"
    }

    code, printed = backup.run()

    assert code == 1
    assert "claim iris-journal is disk.csi.azure.com's and not Longhorn's" in printed
    assert backup.iris.moments() == []


def test_an_instance_that_somebody_left_frozen_is_thawed_first_and_said(backup):
    backup.iris.fails("frozen", "99999999999")

    code, printed = backup.run()

    assert code == 0, printed
    assert [what.split()[0] for _, what in backup.iris.moments()][:2] == ["thawed", "marker"]
    assert backup.cluster.events() == ["BackupFoundFrozen", "BackupSucceeded"]


def test_a_run_over_several_instances_fails_where_one_of_them_does_not_run(backup):
    one = backup.settings["selectors"][0]
    backup.settings["selectors"] = [one, f"{one},number=1"]

    code, printed = backup.run()

    assert code == 1
    assert "FAULT no IRIS runs: no pod of app.kubernetes.io/name=iris,number=1" in printed
    assert backup.cluster.events() == ["BackupFailed", "BackupSucceeded"]


def test_each_of_several_instances_is_frozen_by_itself(backup):
    del backup.cluster.objects[f"{HERE}/pods/iris-7d4"]
    for name in ("iris-0", "iris-1"):
        backup.cluster.pod(name, hostname=name, container="data", claims=(f"data-{name}",))
    backup.settings["instances"] = ["iris-0", "iris-1"]
    # Some labels may find what others have found.
    backup.settings["selectors"] = backup.settings["selectors"] * 2

    code, printed = backup.run()

    assert code == 0, printed
    of = {labels(item)["backup.ha-iris/instance"] for item in backup.cluster.items(SNAPSHOTS)}
    assert of == {"iris-0", "iris-1"}
    assert [what for _, what in backup.iris.moments() if what in ("frozen", "thawed")] == [
        "frozen",
        "thawed",
    ] * 2


def test_a_database_that_does_not_run_fails_the_run(backup):
    pod = backup.cluster.objects[f"{HERE}/pods/iris-7d4"]
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {}}

    code, _ = backup.run()

    assert code == 1
    assert backup.cluster.events() == ["BackupFailed"]


def test_a_second_backup_at_the_same_time_is_refused(backup):
    held = {"holderIdentity": "job-0", "leaseDurationSeconds": 3600}
    held["renewTime"] = datetime.now().astimezone().isoformat()
    backup.cluster.put(LEASE, {"metadata": {"name": "iris-backup"}, "spec": held})
    backup.settings["lease_seconds"] = -9  # how long it waits for the lease of a dead one

    code, printed = backup.run()

    assert code == 1
    assert "another run is at work: job-0" in printed
    assert backup.iris.moments() == []


def test_the_newest_ones_are_kept_and_a_deletion_that_fails_is_tried_again(backup):
    for _ in range(3):
        backup.run()
    first, second, third = sorted({run_of(item) for item in backup.cluster.items(SNAPSHOTS)} | {""})
    assert (first, len(backup.cluster.items(SNAPSHOTS))) == ("", 4)
    assert {run_of(item) for item in backup.cluster.items(BACKUPS)} == {second, third}

    backup.cluster.refused[f"DELETE {SNAPSHOTS}"] = 500
    code, _ = backup.run()

    assert code == 0
    assert "BackupNotDeleted" in backup.cluster.events()
    assert len(backup.cluster.items(SNAPSHOTS)) == 6
    backup.cluster.refused.clear()
    backup.run()
    assert len(backup.cluster.items(SNAPSHOTS)) == 4


def test_a_run_that_ended_between_two_uploads_takes_no_place_among_the_good_ones(backup):
    def killed():
        job.kill()
        raise ConnectionResetError

    backup.run()
    whole = aged(backup, "2026-11-19T12:00:00Z")
    backup.cluster.at(f"POST {BACKUPS}/iris-iris-journal", killed)
    with backup.start() as job:
        job.wait(60)
    assert len(aged(backup, "2026-11-20T12:00:00Z") - whole) == 1  # Longhorn goes on with it

    code, printed = backup.run()

    assert code == 0, printed
    left = {item["metadata"]["name"] for item in backup.cluster.items(BACKUPS)}
    assert whole < left
    assert len(left) == 4


def aged(backup, moment) -> set[str]:
    """Names of the backups, all of them complete; those that were not from a moment."""
    for item in backup.cluster.items(BACKUPS):
        if "aged" not in item:
            backup.cluster.look(f"{BACKUPS}/{item['metadata']['name']}")
            item["aged"] = item["metadata"]["creationTimestamp"] = moment
    return {item["metadata"]["name"] for item in backup.cluster.items(BACKUPS)}


def run_of(item) -> str:
    return labels(item)["backup.ha-iris/run"]


@pytest.mark.parametrize(
    "why",
    [
        "NoSuchBucket: The specified bucket does not exist",
        "ExpiredToken: The security token included in the request is expired",
        "write /exports/longhorn/blocks/1f.blk: no space left on device",
        "",
    ],
)
def test_an_upload_that_fails_fails_the_run_and_leaves_a_consistent_snapshot(backup, why):
    backup.cluster.upload_ends = "Error"
    backup.cluster.upload_error = why

    code, printed = backup.run()

    assert code == 1
    assert set(backup.cluster.states().values()) == {"consistent"}
    assert backup.cluster.events() == ["BackupNotUploaded"]
    (event,) = backup.cluster.items(f"{HERE}/events")
    for told in (printed, event["message"]):
        assert "backup iris-iris-data-" in told
        assert f": {why or 'Error'}" in told
    # And the good ones of before stay where they are.
    backup.cluster.upload_ends, backup.cluster.upload_error = "Completed", ""
    assert backup.run("job-2")[0] == 0
    assert len(backup.cluster.items(SNAPSHOTS)) == 4


def test_without_a_store_nothing_is_asked_of_longhorn(backup):
    backup.settings["upload"] = False

    code, printed = backup.run()

    assert code == 0, printed
    assert not [step for step in backup.cluster.seen if "longhorn.io" in step]
