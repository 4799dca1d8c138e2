"""What a stack file may not say of journals, and the sums in what it is told."""

import json
from bisect import bisect_right
from datetime import datetime, timedelta

import pulumi
import pytest

from components.backup.settings import BackupSettings, JournalUploadSettings
from components.capacity.disk import copies_on_a_node
from components.iris import IrisSettings
from stacks.journals import purged_too_early, tell

SOURCE = {"snapshot": "iris-data-1"}
NFS = {"server": "10.0.9.9", "path": "/backups"}

REFUSED = {
    "no volume and another class": ({"journals": {"storageClass": "nvme"}}, "no volume of their"),
    "no volume and none in use": ({"journals": {"inUse": False}}, "inUse is false: journals have"),
    "no volume since": ({"journals": {"sinceVolume": 2}}, "sinceVolume is 2: journals have no"),
    "a number that is to come": (
        {"journals": {"volumeGib": 20, "sinceVolume": 2}},
        "sinceVolume is 2, and the volume in use is 1; set it to 1 or less",
    ),
    "another directory in a line": (
        {"journals": {"volumeGib": 20}, "cpf": {"Journal": ["CurrentDirectory=/data/j"]}},
        "iris.cpf says currentdirectory too; drop the line there",
    ),
    "another directory in an action": (
        {
            "journals": {"volumeGib": 20},
            "cpf": {"Actions": ["ModifyJournal:AlternateDirectory=/data/j"]},
        },
        "iris.cpf says alternatedirectory too; drop the line there",
    ),
    "purged by the archive": (
        {"cpf": {"Journal": ["PurgeArchived=1"]}},
        "iris.cpf says purgearchived, by which IRIS purges what it has archived, whatever",
    ),
    "too small for three files": (
        {"journals": {"volumeGib": 2}},
        "volumeGib is 2, and a journal grows to 1024 MB (parameters.journal.fileSizeLimit): the one"
        " that IRIS writes, the one before that it compresses, and the result want 3072; set "
        "volumeGib to 3 or more",
    ),
    "more in a day than it holds": (
        {
            "journals": {"volumeGib": 20, "dailyGib": 3},
            "parameters": {"journal": {"daysBeforePurge": 7}},
        },
        "3 x (7 + 1 for today) + 2 files of 1024 MB are 26 GiB, and of volumeGib 20 they may fill "
        "16 (80 %); set volumeGib to 33 or more, or lower daysBeforePurge",
    ),
    "more in a day than the volume of all": (
        {"journals": {"dailyGib": 20}},
        "are 62 GiB, and of iris.storageGib 40 they may fill 32 (80 %, if there were no databases)",
    ),
    "purged by backups alone": (
        {"parameters": {"journal": {"daysBeforePurge": 0}}},
        "daysBeforePurge is 0, so that journals go by the number of IRIS's own backups alone",
    ),
    "databases without their journals": (
        {"journals": {"volumeGib": 20}, "restore": {"data": SOURCE}},
        "which IRIS cannot recover without its journals; name restore.journals",
    ),
    "journals without a volume": (
        {"restore": {"data": SOURCE, "journals": {"snapshot": "iris-journals-1"}}},
        "restore.journals fills a volume of journals, and they have none here",
    ),
    "a size and nothing to replay": (
        {"restore": {"data": SOURCE, "replayGib": 20}},
        "restore.replayGib is 20, and there is nothing to replay; name restore.replay",
    ),
    "sources of two kinds": (
        {
            "journals": {"volumeGib": 20},
            "restore": {"data": SOURCE, "journals": {"claim": "other-journals"}},
        },
        "restore.data is a snapshot and restore.journals a claim, which nobody cuts at once",
    ),
    "a claim that fills itself": (
        {
            "journals": {"volumeGib": 20},
            "volume": 2,
            "restore": {"data": {"claim": "old"}, "journals": {"claim": "iris-journals-2"}},
        },
        "which is the volume that is to be filled; set iris.volume to 3",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_journals_that_iris_could_not_write_or_keep_are_refused(refused, kubeconfig, name):
    settings, told = REFUSED[name]
    cluster = json.dumps({"kubeconfig": kubeconfig})
    message = refused({"ha-iris:cluster": cluster, "ha-iris:iris": json.dumps(settings)})

    assert told in message
    assert message.count("\n") == 1


def test_the_operators_form_has_its_own_settings_of_journals(refused, kubeconfig):
    message = refused(
        {
            "ha-iris:cluster": json.dumps({"kubeconfig": kubeconfig}),
            "ha-iris:iris": '{"form": "operator", "journals": {"volumeGib": 20}}',
        }
    )

    assert "set operator.storage.journal1Gib and journal2Gib, and drop journals" in message


@pytest.fixture
def faults(refused, kubeconfig):
    """What a stack on a cluster that exists is told."""

    def run(*, cluster=None, **groups):
        groups["cluster"] = {"kubeconfig": kubeconfig, **(cluster or {})}
        return refused({f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()})

    return run


def test_two_volumes_without_frozen_snapshots_are_refused(faults):
    iris = {"journals": {"volumeGib": 20}}
    off = faults(iris=iris, backup={"snapshots": {"enabled": False}})
    none = faults(iris=iris, cluster={"volumeSnapshots": False})

    assert "ha-iris:backup: snapshots.enabled is false, and" in off
    assert "journals.volumeGib 20 puts journals and databases on two volumes" in off
    assert "has no volume snapshots (ha-iris:cluster.volumeSnapshots)" in none


def told_of(monkeypatch, backup=None, **settings):
    said = []
    for level in ("info", "warn"):
        monkeypatch.setattr(pulumi.log, level, said.append)
    tell(IrisSettings(**settings), backup or BackupSettings(), stored=True)
    return " ".join(said)


def test_a_preview_says_how_little_another_volume_of_the_same_disks_protects(monkeypatch):
    own = {"journals": {"volume_gib": 20}}

    assert told_of(monkeypatch) == ""
    assert "so that it protects little" in told_of(monkeypatch, **own)
    other = {"journals": {"volume_gib": 20, "storage_class": "nvme"}}
    assert "on disks of StorageClass nvme." in told_of(monkeypatch, **other)
    cloned = told_of(monkeypatch, storage_class="longhorn-iris", **own)
    assert "whoever does must freeze IRIS" in cloned
    off = BackupSettings(journals=JournalUploadSettings(enabled=False))
    assert "with the cluster goes what was committed since" in told_of(monkeypatch, off, **own)


def test_journals_must_stay_until_a_backup_with_them_is_outside_the_cluster(faults):
    weekly = {"nfs": NFS, "snapshots": {"schedule": "43 0 * * 6"}}
    message = faults(backup=weekly)

    assert (
        "snapshots.schedule is 43 0 * * 6, with up to 7 days between two runs, and IRIS purges a "
        "journal after 2 (ha-iris:iris.parameters.journal.daysBeforePurge): 7 x 24 h + 1 h that a "
        "run may begin late + 6 h for the upload are 175 h, more than 48" in message
    )
    assert "set daysBeforePurge to 8 or more, or upload more often" in message
    lines = {"cpf": {"Journal": ["DaysBeforePurge=7"]}}
    assert "after 7 (" in faults(backup=weekly, iris=lines)


def test_uploads_of_journals_are_no_backup_from_which_the_journals_go_on(faults):
    weekly = {"nfs": NFS, "snapshots": {"schedule": "43 0 * * 6"}}
    daily = {**weekly, "uploads": {"schedule": "17 1 * * *"}}
    own = {"journals": {"volumeGib": 20}}

    assert "snapshots.schedule is 43 0 * * 6" in faults(backup=weekly, iris=own)
    assert "are 175 h" in faults(backup=daily, iris=own)
    with_days = {**own, "parameters": {"journal": {"daysBeforePurge": 7}}}
    assert "after 7 (" in faults(backup=daily, iris=with_days)


@pytest.mark.parametrize(
    "days",
    [
        {"parameters": {"journal": {"days_before_purge": 0, "backups_before_purge": 2}}},
        {"cpf": {"Journal": ["DaysBeforePurge=0"]}},
    ],
)
def test_a_preview_says_that_journals_which_go_by_backups_alone_are_not_checked(monkeypatch, days):
    assert "of which this program makes none and knows no schedule" in told_of(monkeypatch, **days)


def test_uploads_of_journals_need_a_volume_and_a_store(faults):
    chosen = {"journals": {"retain": 4}}

    assert "set ha-iris:iris.journals.volumeGib, or drop journals" in faults(
        backup={"nfs": NFS, **chosen}
    )
    assert "journals is configured and there is no store" in faults(
        backup=chosen, iris={"journals": {"volumeGib": 20}}
    )


RUNS = {
    "43 * * * *": lambda hour: True,
    "0 3 * * *": lambda hour: hour.hour == 3,
    "0 3 */2 * *": lambda hour: hour.hour == 3 and hour.day % 2 == 1,
    "0 3 * * 0": lambda hour: hour.hour == 3 and hour.strftime("%a") == "Sun",
    "0 3 1 * *": lambda hour: hour.hour == 3 and hour.day == 1,
}
"""Whether a schedule has a run within an hour."""


def days_that_a_journal_must_stay(schedule, *, late, upload):
    """The most of 400 days' hours: until the first backup that begins later is uploaded."""
    hours = range(400 * 24)
    runs = [hour for hour in hours if RUNS[schedule](datetime(2027, 1, 1) + timedelta(hours=hour))]
    waits = [runs[bisect_right(runs, hour)] - hour for hour in range(runs[-1])]
    return (max(waits) + (late + upload) / 3600) / 24


@pytest.mark.parametrize("schedule", RUNS)
def test_what_is_accepted_leaves_no_hole_between_two_backups(schedule):
    late, upload = 3600, 6 * 3600
    needed = days_that_a_journal_must_stay(schedule, late=late, upload=upload)

    refused = {
        days: purged_too_early(days, {"s": schedule}, late_seconds=late, upload_seconds=upload)
        for days in range(1, 40)
    }

    assert [days for days, fault in refused.items() if days < needed and not fault] == []
    # Nothing is refused without need; of several runs a day only that there is one counts.
    enough = max(needed, 1 + (late + upload) / 86400)
    assert [days for days, fault in refused.items() if days >= enough and fault] == []


def test_the_more_frequent_of_two_uploads_counts():
    both = {"snapshots.schedule": "0 3 * * 0", "uploads.schedule": "17 1 * * *"}

    assert purged_too_early(2, both, late_seconds=3600, upload_seconds=3600) is None
    assert purged_too_early(2, {}, late_seconds=3600, upload_seconds=3600) is None


def test_a_copy_of_both_volumes_comes_to_each_of_three_nodes():
    assert copies_on_a_node([40, 20], nodes=3) == 60
