"""A backup is restored, started, looked through and removed, by the program that the job runs."""

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.backup_cluster import BACKUPS, SNAPSHOTS
from tests.unit.rehearsal_job import CLASSES, ROOM, Rehearsal, played_rehearsal


@pytest.fixture
def rehearsal(tmp_path):
    with played_rehearsal(tmp_path) as played:
        assert played.backup.run()[0] == 0
        played.cluster.seen.clear()
        yield played


def writes(rehearsal: Rehearsal) -> set[str]:
    """What the program wrote, a verb and a kind each."""
    steps = [step.split(" ", 1) for step in rehearsal.cluster.seen if step[0] != "w"]
    return {f"{verb} {path.rsplit('/', 1)[0]}" for verb, path in steps if verb != "GET"}


def test_the_newest_backup_is_restored_looked_through_and_removed(rehearsal):
    code, printed = rehearsal.run()

    assert code == 0, printed
    assert rehearsal.iris.did("integrity") == 1
    assert set(rehearsal.results(SNAPSHOTS).values()) == {"passed"}
    assert len(rehearsal.results(SNAPSHOTS)) == 2
    assert rehearsal.told()["rehearsal.ha-iris/result"] == "passed"
    cut = min(i["metadata"]["creationTimestamp"] for i in rehearsal.cluster.items(SNAPSHOTS))
    assert rehearsal.told()["rehearsal.ha-iris/proven"] == cut
    assert rehearsal.cluster.events()[-1] == "RehearsalSucceeded"
    assert rehearsal.cluster.made() == []


def test_every_volume_of_the_pod_is_a_copy_of_the_one_that_it_was(rehearsal):
    seen = {}

    def look():
        for path in rehearsal.cluster.made():
            seen[path] = rehearsal.cluster.objects[path]

    rehearsal.cluster.at(f"GET {ROOM}/pods/rehearsal/exec", look)
    rehearsal.run()

    pod = seen[f"{ROOM}/pods/rehearsal"]["spec"]
    mounted = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    contents = {
        item["spec"]["volumeSnapshotRef"]["name"]: item["spec"]["source"]["snapshotHandle"]
        for path, item in seen.items()
        if "volumesnapshotcontents" in path
    }
    sources = {
        volume: seen[f"{ROOM}/persistentvolumeclaims/{claim}"]["spec"]["dataSource"]["name"]
        for volume, claim in mounted.items()
    }
    assert contents[sources["data"]].startswith("snap://pvc-iris-data/")
    assert contents[sources["journal"]].startswith("snap://pvc-iris-journal/")


def test_a_backup_that_is_older_than_a_volume_is_said_to_be_and_starts_no_iris(rehearsal):
    volumes = {**rehearsal.settings["volumes"], "iris-journals": "journals"}
    rehearsal.settings["volumes"] = volumes
    code, printed = rehearsal.run()

    assert code == 1
    assert "no part for the volume journals, which is newer than it is" in printed
    assert rehearsal.iris.did("integrity") == 0
    assert rehearsal.cluster.made() == []


def test_nothing_of_the_database_that_runs_is_written_but_labels(rehearsal):
    rehearsal.run()

    assert {kind for kind in writes(rehearsal) if "/namespaces/iris/" in kind} == {
        "POST /apis/coordination.k8s.io/v1/namespaces/iris/leases",
        "PUT /apis/coordination.k8s.io/v1/namespaces/iris/leases",
        "POST /api/v1/namespaces/iris/events",
        f"PATCH {SNAPSHOTS}",
        "PATCH /apis/batch/v1/namespaces/iris/cronjobs",
    }
    executed = [step for step in rehearsal.cluster.seen if step.endswith("/exec")]
    assert executed == [f"GET {ROOM}/pods/rehearsal/exec"]


def test_where_there_is_a_store_its_backup_is_restored(rehearsal):
    rehearsal.settings["from_store"] = True
    named = []
    rehearsal.cluster.at(
        f"GET {ROOM}/pods/rehearsal/exec",
        lambda: named.extend(
            item["parameters"]["fromBackup"]
            for path, item in rehearsal.cluster.objects.items()
            if path.startswith(CLASSES)
        ),
    )

    code, printed = rehearsal.run()

    assert code == 0, printed
    assert len(named) == 2
    assert all("?backup=iris-iris-" in url for url in named)
    assert set(rehearsal.results(BACKUPS).values()) == {"passed"}
    assert rehearsal.results(SNAPSHOTS) == {}
    assert rehearsal.cluster.made() == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("damaged", "^Integrity finds errors: Error in global ^Orders"),
        ("older", "its newest marker is 0"),
        ("silent", "IRIS gave no answer"),
    ],
)
def test_a_copy_that_is_not_whole_fails_the_rehearsal_and_is_removed(rehearsal, how, why):
    rehearsal.iris.fails(how)

    code, printed = rehearsal.run()

    assert code == 1
    assert why in printed
    assert set(rehearsal.results(SNAPSHOTS).values()) == {"failed"}
    assert rehearsal.told()["rehearsal.ha-iris/result"] == "failed"
    assert "rehearsal.ha-iris/proven" not in rehearsal.told()
    assert rehearsal.cluster.events()[-1] == "RehearsalFailed"
    assert rehearsal.cluster.made() == []


def test_what_was_proven_stays_proven_when_a_later_rehearsal_fails(rehearsal):
    rehearsal.run()
    before = rehearsal.told()["rehearsal.ha-iris/proven"]
    rehearsal.iris.fails("damaged")

    rehearsal.run()

    assert rehearsal.told()["rehearsal.ha-iris/result"] == "failed"
    assert rehearsal.told()["rehearsal.ha-iris/proven"] == before


def test_an_iris_that_ends_on_the_copy_fails_the_rehearsal(rehearsal):
    rehearsal.cluster.pods_become = "Failed"

    code, printed = rehearsal.run()

    assert code == 1
    assert "IRIS ended on the copy before it was ready" in printed
    assert rehearsal.cluster.made() == []


def test_a_lapsed_snapshot_is_not_rehearsed(rehearsal):
    for item in rehearsal.cluster.items(SNAPSHOTS):
        item["metadata"]["labels"]["backup.ha-iris/state"] = "lapsed"

    code, printed = rehearsal.run()

    assert code == 1
    assert "there is nothing to rehearse" in printed
    assert rehearsal.results(SNAPSHOTS) == {}


def test_of_two_backups_of_one_second_the_later_run_is_rehearsed(rehearsal):
    first = list(runs(rehearsal))
    assert rehearsal.backup.run("job-2")[0] == 0
    moment = now()
    for item in rehearsal.cluster.items(SNAPSHOTS):
        item["metadata"]["creationTimestamp"] = moment
    for name in first:  # The API server may list them in any order.
        path = f"{SNAPSHOTS}/{name}"
        rehearsal.cluster.objects[path] = rehearsal.cluster.objects.pop(path)

    code, printed = rehearsal.run()

    assert code == 0, printed
    last = max(runs(rehearsal).values())
    assert {runs(rehearsal)[name] for name in rehearsal.results(SNAPSHOTS)} == {last}


def runs(rehearsal: Rehearsal) -> dict[str, str]:
    """The run of each snapshot, by its name."""
    return {
        item["metadata"]["name"]: item["metadata"]["labels"]["backup.ha-iris/run"]
        for item in rehearsal.cluster.items(SNAPSHOTS)
    }


def now(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_backups_of_an_iris_that_is_gone_are_not_rehearsed_and_spoil_nothing(rehearsal):
    before = set(runs(rehearsal))
    for item in rehearsal.cluster.items(SNAPSHOTS):
        item["metadata"]["labels"]["backup.ha-iris/instance"] = "iris-2"
        item["metadata"]["creationTimestamp"] = now(days=300)
    assert rehearsal.backup.run("job-2")[0] == 0

    code, printed = rehearsal.run()

    assert code == 0, printed
    assert set(rehearsal.results(SNAPSHOTS)) == set(runs(rehearsal)) - before
    assert rehearsal.told()["rehearsal.ha-iris/proven"] > now(days=1)


def test_an_iris_without_a_backup_fails_the_rehearsal_and_the_others_are_rehearsed(rehearsal):
    rehearsal.settings["instances"] = ["iris", "iris-1"]

    code, printed = rehearsal.run()

    assert code == 1
    assert "iris-1: there is nothing to rehearse: no consistent backup of it in Lo" in printed
    assert set(rehearsal.results(SNAPSHOTS).values()) == {"passed"}
    assert rehearsal.told()["rehearsal.ha-iris/result"] == "failed"


@pytest.mark.parametrize(("days", "proof"), [(1.9, True), (2.1, False)])
def test_an_old_backup_that_is_whole_is_no_proof_of_those_that_should_have_come(
    rehearsal, days, proof
):
    cut = now(days=days)
    for item in rehearsal.cluster.items(SNAPSHOTS):
        item["metadata"]["creationTimestamp"] = cut

    code, printed = rehearsal.run()

    assert code == (0 if proof else 1), printed
    assert (f"it is whole, and of {cut}: no proof" in printed) is not proof
    # It can be restored, and says so.
    assert set(rehearsal.results(SNAPSHOTS).values()) == {"passed"}
    assert ("rehearsal.ha-iris/proven" in rehearsal.told()) is proof


@pytest.mark.parametrize("step", ["POST /apis/snapshot", f"POST {ROOM}/pods", f"GET {ROOM}/pods"])
def test_the_next_rehearsal_removes_what_a_killed_one_has_left(rehearsal, step):
    # The look before anything is made is not the one that counts.
    killed = []

    def kill():
        if not rehearsal.cluster.made():
            return rehearsal.cluster.at(step, kill)
        killed.append(step)
        return process.send_signal(signal.SIGKILL)

    rehearsal.cluster.at(step, kill)
    process = rehearsal.start()
    process.communicate(timeout=30)
    assert killed
    assert rehearsal.cluster.made()
    time.sleep(1.1)  # the lease of the dead one ends by itself

    code, printed = rehearsal.run()

    assert code == 0, printed
    assert rehearsal.cluster.made() == []


def test_a_rehearsal_that_is_told_to_end_removes_what_it_has_made(rehearsal):
    rehearsal.cluster.at(
        f"GET {ROOM}/pods/rehearsal/exec", lambda: process.send_signal(signal.SIGTERM)
    )
    process = rehearsal.start()

    process.communicate(timeout=30)

    assert process.returncode == 1
    assert rehearsal.cluster.made() == []
