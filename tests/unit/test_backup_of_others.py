"""Snapshots and backups that are no business of a run's retention: told, and never deleted."""

import pytest

from tests.unit.backup_cluster import BACKUPS, HERE, SNAPSHOTS
from tests.unit.backup_job import Backup, played_backup


@pytest.fixture
def backup(tmp_path):
    with played_backup(tmp_path) as backup:
        yield backup


def names(backup: Backup, kind: str) -> set[str]:
    return {item["metadata"]["name"] for item in backup.cluster.items(kind)}


def stays(backup: Backup) -> list[str]:
    """What the Events say that a person may delete."""
    events = backup.cluster.items(f"{HERE}/events")
    return [event["message"] for event in events if event["reason"] == "BackupsStay"]


def complete(backup: Backup) -> None:
    """All uploads come to their end."""
    for name in names(backup, BACKUPS):
        backup.cluster.look(f"{BACKUPS}/{name}")


def test_what_an_iris_has_left_that_is_gone_is_told_with_the_command_and_stays(backup):
    backup.settings["instances"] = ["iris"]
    for _ in range(2):
        backup.run()
    assert stays(backup) == []
    complete(backup)
    left = {kind: names(backup, kind) for kind in (SNAPSHOTS, BACKUPS)}
    # Another form: the same volumes, and another host name.
    del backup.cluster.objects[f"{HERE}/pods/iris-7d4"]
    backup.cluster.pod("iris-0", hostname="iris-0", claims=("iris-data", "iris-journal"))
    backup.settings["instances"] = ["iris-0"]

    code, printed = backup.run()

    assert code == 0, printed
    assert all(left[kind] < names(backup, kind) for kind in left)
    (snapshots, backups) = stays(backup)
    gone = "4 of iris, which is no IRIS of this stack any more, stay"
    command = f"kubectl -n iris delete volumesnapshots {' '.join(sorted(left[SNAPSHOTS]))}"
    assert snapshots == f"{gone}; once nobody needs them: {command}"
    command = f"kubectl -n longhorn-system delete backups.longhorn.io {sorted(left[BACKUPS])[0]} "
    assert command in backups


def test_where_nobody_knows_the_hosts_before_nothing_is_called_gone(backup):
    backup.settings["instances"] = []

    backup.run()

    assert stays(backup) == []


def test_backups_that_longhorn_has_listed_anew_are_told_and_not_deleted(backup):
    for _ in range(3):
        backup.run()
    complete(backup)
    for item in backup.cluster.items(BACKUPS):
        item["status"]["labels"] = item.pop("spec")["labels"]
        item["metadata"]["labels"] = {"backup-volume": "pvc-1"}
    listed = names(backup, BACKUPS)
    backup.settings["keep_uploads"] = 1

    for _ in range(2):
        code, printed = backup.run()
        assert code == 0, printed

    assert listed < names(backup, BACKUPS)
    assert len(names(backup, BACKUPS) - listed) == 2
    assert stays(backup)[-1].startswith("4 in the store, which Longhorn has listed anew, stay: ")


def test_backups_of_another_database_are_left_alone_though_their_names_begin_alike(backup):
    backup.run()
    complete(backup)
    for item in backup.cluster.items(BACKUPS):
        for number in range(3):
            name = f"iris-two-iris-data-2026010{number}-000000"
            labels = {**item["metadata"]["labels"], "backup.ha-iris/run": name[-15:]}
            told = {**item["spec"]["labels"], **labels, "namespace": "iris-two"}
            metadata = {"labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"}
            others = {"metadata": metadata, "spec": {"labels": told}, "status": item["status"]}
            backup.cluster.put(f"{BACKUPS}/{name}", others)
    theirs = {name for name in names(backup, BACKUPS) if name.startswith("iris-two-")}
    backup.settings["keep_uploads"] = 1

    code, printed = backup.run()

    assert code == 0, printed
    assert theirs < names(backup, BACKUPS)
    assert len(names(backup, BACKUPS) - theirs) == 2
