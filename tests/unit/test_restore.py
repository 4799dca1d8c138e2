"""What a stack makes of a volume that is to be filled."""

from functools import partial
from typing import Any, cast

import pulumi
import pytest

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import Iris, IrisSettings
from components.iris.restore.already import FILLED_FROM
from components.iris.restore.hook import another_source, plan
from components.iris.restore.source_settings import SourceSettings
from tests.unit.iris_parts import CLAIM, pod

CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
BACKUP = "s3://bucket@eu-central-1/?backup=backup-1&volume=pvc-1"
SNAPSHOT = {"data": {"snapshot": "iris-data-1"}}


@pytest.fixture
def restored(deploy, kubeconfig):
    """IRIS on the class of this program's own Longhorn."""

    def run(**settings):
        def program():
            cluster = ExistingCluster("cluster", ExistingClusterSettings(kubeconfig=kubeconfig))
            Iris(
                "iris",
                IrisSettings(**settings),
                cluster=cluster,
                storage_class="longhorn-iris",
                storage_ready=[],
                protect_data=True,
                class_parameters={"numberOfReplicas": "3"},
            )

        return deploy(program)

    return run


def source_of(claim):
    return claim.inputs["spec"].get("dataSource")


def mounted(engine):
    return pod(engine)["volumes"][0]["persistentVolumeClaim"]["claimName"]


def test_a_new_database_begins_with_what_a_snapshot_holds(restored):
    engine = restored(restore=SNAPSHOT)

    claim = engine.one(CLAIM, "iris-data")
    assert source_of(claim) == {
        "apiGroup": "snapshot.storage.k8s.io",
        "kind": "VolumeSnapshot",
        "name": "iris-data-1",
    }
    assert mounted(engine) == "iris-data"


def test_a_clone_is_made_from_another_claim(restored):
    claim = restored(volume=2, restore={"data": {"claim": "iris-data"}}).one(CLAIM, "iris-data-2")

    assert source_of(claim) == {"kind": "PersistentVolumeClaim", "name": "iris-data"}


def test_a_backup_comes_by_a_class_like_that_of_the_volume_which_names_it(restored):
    engine = restored(restore={"data": {"backup": BACKUP}})

    made, claim = engine.one(CLASS), engine.one(CLAIM, "iris-data")
    assert made.inputs["parameters"] == {"numberOfReplicas": "3", "fromBackup": BACKUP}
    assert made.inputs["reclaimPolicy"] == "Retain"
    assert claim.inputs["spec"]["storageClassName"] == made.inputs["metadata"]["name"]
    assert made.name in claim.depends_on
    assert made.inputs["allowVolumeExpansion"]


def test_a_snapshot_of_another_namespace_comes_by_its_handle_and_outlives_what_names_it(restored):
    engine = restored(restore={"data": {"snapshot": "snap://pvc-1/snapshot-2"}})

    content = engine.one("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotContent")
    snapshot = engine.one("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot")
    spec = content.inputs["spec"]
    assert spec["deletionPolicy"] == "Retain"
    assert spec["source"] == {"snapshotHandle": "snap://pvc-1/snapshot-2"}
    assert spec["volumeSnapshotRef"]["name"] == snapshot.inputs["metadata"]["name"]
    content_name = content.inputs["metadata"]["name"]
    assert snapshot.inputs["spec"]["source"] == {"volumeSnapshotContentName": content_name}
    claim = engine.one(CLAIM, "iris-data")
    assert source_of(claim)["name"] == snapshot.inputs["metadata"]["name"]
    assert snapshot.name in claim.depends_on


@pytest.mark.parametrize(
    ("kind", "source"),
    [("backup", BACKUP.replace("pvc-1", "{}")), ("snapshot", "snap://{}/a")],
)
def test_two_instances_may_begin_with_the_same(restored, kind, source):
    of = {volume: {kind: source.format(f"pvc-{volume}")} for volume in ("system", "databases")}

    engine = restored(form="statefulset", instances=2, restore={"instances": {0: of, 1: of}})

    made = [r for r in engine.resources if r.name.endswith(("-restore-class", "-restore-snapshot"))]
    names = [resource.inputs["metadata"]["name"] for resource in made]
    assert len(names) == len({*names}) == 4
    for claim in engine.of_type(CLAIM):
        told = {claim.inputs["spec"]["storageClassName"], (source_of(claim) or {}).get("name")}
        assert told & {*names}


def test_in_place_of_a_volume_the_earlier_one_stays_protected_and_as_it_was(restored):
    engine = restored(volume=2, storage_gib=80, restore=SNAPSHOT)

    before, now = engine.one(CLAIM, "iris-data"), engine.one(CLAIM, "iris-data-2")
    assert before.protect
    assert now.protect
    assert "spec" in before.request.ignoreChanges
    assert source_of(before) is None
    assert mounted(engine) == "iris-data-2"


def test_an_earlier_volume_goes_only_when_nobody_keeps_it(restored):
    engine = restored(volume=2, kept_volumes=())

    assert [claim.name for claim in engine.of_type(CLAIM)] == ["iris-data-2"]


def test_a_default_database_asks_no_cluster_about_a_source(restored):
    (claim,) = restored().of_type(CLAIM)

    assert not claim.request.hooks.before_create
    assert FILLED_FROM not in claim.inputs["metadata"]["annotations"]


TWO = {
    "journals": {"volume_gib": 20},
    "restore": {"data": {"snapshot": "iris-data-1"}, "journals": {"snapshot": "iris-journals-1"}},
}


def test_journals_on_their_own_volume_are_filled_from_their_own_part_of_the_backup(restored):
    engine = restored(volume=2, **TWO)

    assert source_of(engine.one(CLAIM, "iris-data-2"))["name"] == "iris-data-1"
    assert source_of(engine.one(CLAIM, "iris-journals-2"))["name"] == "iris-journals-1"
    claims = [v["persistentVolumeClaim"]["claimName"] for v in pod(engine)["volumes"][:2]]
    assert claims == ["iris-data-2", "iris-journals-2"]
    assert engine.one(CLAIM, "iris-journals").protect


def test_journals_that_came_later_than_the_backup_begin_empty_and_ask_no_cluster(restored):
    later = {"journals": {"volume_gib": 20, "since_volume": 2}}
    engine = restored(volume=2, **later, restore={**SNAPSHOT, "journals": "empty"})

    journals = engine.one(CLAIM, "iris-journals-2")
    assert source_of(journals) is None
    assert not journals.request.hooks.before_create
    assert "iris-journals" not in [claim.name for claim in engine.of_type(CLAIM)]


def test_journals_to_replay_are_a_copy_that_goes_with_its_line(restored):
    replay = {"replay": {"claim": "iris-journals"}}
    engine = restored(volume=2, **{**TWO, "restore": TWO["restore"] | replay})

    copy = engine.one(CLAIM, "iris-replay-2")
    assert source_of(copy) == {"kind": "PersistentVolumeClaim", "name": "iris-journals"}
    assert copy.inputs["spec"]["resources"]["requests"]["storage"] == "20Gi"
    assert not copy.protect
    assert not copy.request.retainOnDelete
    mounts = {m["name"]: m["mountPath"] for m in pod(engine)["containers"][0]["volumeMounts"]}
    assert mounts["replay"] == "/replay"
    assert [claim.name for claim in engine.of_type(CLAIM) if "replay" in claim.name] == [copy.name]
    beside = restored(volume=2, restore=SNAPSHOT | {"replay": {"claim": "iris-data"}})
    asked = beside.one(CLAIM, "iris-replay-2").inputs["spec"]["resources"]["requests"]
    assert asked == {"storage": "40Gi"}


@pytest.mark.parametrize(
    "replay", [{"claim": "iris-journals"}, {"snapshot": "snap://pvc-1/a"}, {"backup": BACKUP}]
)
def test_the_disk_of_a_copy_is_free_again_once_its_line_goes(restored, replay):
    engine = restored(restore=SNAPSHOT | {"replay": replay})

    copy = engine.one(CLAIM, "iris-replay")
    own = engine.one(CLASS, "iris-replay-restore-class")
    assert own.inputs["reclaimPolicy"] == "Delete"
    assert copy.inputs["spec"]["storageClassName"] == own.inputs["metadata"]["name"]
    assert own.name in copy.depends_on
    assert own.inputs["parameters"].get("fromBackup") == replay.get("backup")
    assert own.inputs["parameters"]["numberOfReplicas"] == "3"


def annotated(text):
    return {"metadata": {"annotations": {FILLED_FROM: text} if text else {}}}


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("", "snapshot a", "volume 1, which is there, began empty"),
        ("snapshot a", "snapshot b", "volume 1, which is there, was filled from snapshot a"),
    ],
)
def test_a_volume_that_is_there_is_not_filled_once_more(before, after, why):
    fault = another_source(annotated(before), annotated(after), volume=1)

    assert fault
    assert why in fault
    assert "set ha-iris:iris.volume to 2" in fault


def test_another_source_of_journals_is_told_the_number_after_that_of_the_volume_in_use(restored):
    engine = restored(volume=5, **{**TWO, "restore": {**TWO["restore"], "journals": "empty"}})
    hook = cast(Any, engine.hooks["iris-journals-5-filled-once"])
    inputs = {"old_inputs": annotated(""), "new_inputs": annotated("snapshot b")}

    with pytest.raises(
        ValueError, match=r"volume 5, which is there.* set ha-iris:iris.volume to 6"
    ):
        hook.callback(pulumi.ResourceHookArgs(urn="urn", id="i", name="n", type="t", **inputs))


def test_a_source_that_stays_or_is_dropped_changes_no_volume():
    unchanged = partial(another_source, volume=1)

    assert unchanged(annotated("snapshot a"), annotated("snapshot a")) is None
    assert unchanged(annotated("snapshot a"), annotated("")) is None
    assert unchanged(annotated(""), annotated("")) is None


def test_a_preview_says_what_will_be_restored():
    told = plan(SourceSettings(snapshot="iris-data-1"), volume=2, gib=40)

    assert "Volume 2 of the database, 40 GiB, is filled from snapshot iris-data-1." in told
    assert "The earlier ones stay" in told
    assert "begins empty" in plan(None, volume=2, gib=40)
