"""A volume for journals alone, in each form, and the way to it and back."""

import pytest

from components.backup.program.freeze import claims_of
from components.backup.rehearsal_settings import RehearsalSettings
from components.capacity.disk import CopiesDisk, too_large_for_disk
from components.iris import IrisSettings
from components.iris.form_switch import marks
from components.iris.journal_settings import JournalSettings
from components.iris.journal_switch import (
    GIVEN_UP,
    JOURNALS,
    OWN,
    journals_left_behind,
    journals_move,
)
from components.iris.rehearsed import rehearsed
from components.iris.restore.settings import RestoreSettings
from components.iris.restore.source_settings import SourceSettings
from components.iris.volumes import sizes_gib, volumes
from components.longhorn.recurring_jobs import LEFT_ALONE
from tests.unit.cpf_reader import sections
from tests.unit.iris_parts import CLAIM, environment, merge_file, pod

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
ON = {"journals": {"volume_gib": 20}}


def claims(engine):
    """Size of each claim, by its name in Kubernetes."""
    return {
        claim.inputs["metadata"]["name"]: claim.inputs["spec"]["resources"]["requests"]["storage"]
        for claim in engine.of_type(CLAIM)
    }


def folders(spec):
    """Where the container has each volume."""
    return {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}


def test_journals_lie_beside_the_databases_unless_they_get_a_volume(iris):
    engine = iris()

    assert list(claims(engine)) == ["iris-data"]
    assert "Directory" not in merge_file(engine).partition("[Actions]")[0]
    assert "OTHER_JOURNALS" not in environment(engine)
    assert "annotations" not in engine.named("iris-namespace").inputs["metadata"]


def test_a_deployment_writes_its_journals_to_their_own_volume(iris):
    engine = iris(**ON)

    assert claims(engine) == {"iris-data": "40Gi", "iris-journals": "20Gi"}
    assert folders(pod(engine))["journals"] == "/journals"
    assert sections(merge_file(engine))["Journal"] == [
        "FreezeOnError=1",
        "CurrentDirectory=/journals/",
        "AlternateDirectory=/data/journals.other/",
    ]


def test_iris_main_is_told_which_folder_journals_turn_to(iris):
    assert environment(iris(**ON))["OTHER_JOURNALS"] == "/data/journals.other"


def test_each_instance_of_a_statefulset_has_a_volume_for_its_journals(iris):
    engine = iris(form="statefulset", instances=2, databases_gib=100, **ON)

    assert claims(engine) == {
        f"{volume}-iris-{ordinal}": size
        for ordinal in (0, 1)
        for volume, size in {"system": "40Gi", "databases": "100Gi", "journals": "20Gi"}.items()
    }
    spec = engine.one(STATEFUL_SET).inputs["spec"]
    assert folders(spec["template"]["spec"])["journals"] == "/journals"
    templates = [template["metadata"]["name"] for template in spec["volumeClaimTemplates"]]
    assert templates == ["system", "databases", "journals"]


@pytest.mark.parametrize("form", ["deployment", "statefulset"])
def test_the_volume_of_journals_is_under_the_locks_of_the_databases(iris, form):
    engine = iris(form=form, **ON)

    for claim in engine.of_type(CLAIM):
        assert claim.protect
        assert claim.request.retainOnDelete
        assert f"{claim.name}-growth" in claim.request.hooks.before_update
        assert claim.inputs["spec"]["storageClassName"] == "longhorn-iris"


def test_another_form_finds_the_journals_where_the_first_one_had_them(iris):
    before = iris(**ON)
    after = iris(form="statefulset", volumes_of="deployment", **ON)

    assert claims(after) == claims(before)
    spec = after.one(STATEFUL_SET).inputs["spec"]
    named = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in spec["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert named == {"data": "iris-data", "journals": "iris-journals"}
    assert "volumeClaimTemplates" not in spec


@pytest.mark.parametrize(
    ("form", "journals", "first"),
    [
        ("deployment", "iris-journals", "iris-data"),
        ("statefulset", "iris-journals-0", "iris-system-0"),
    ],
)
def test_journals_can_be_on_disks_of_another_class(iris, form, journals, first):
    engine = iris(form=form, journals={"volume_gib": 20, "storage_class": "longhorn-nvme"})

    assert engine.named(journals).inputs["spec"]["storageClassName"] == "longhorn-nvme"
    assert engine.named(first).inputs["spec"]["storageClassName"] == "longhorn-iris"


def test_the_disks_of_the_nodes_must_hold_copies_of_both_volumes():
    settings = IrisSettings(storage_gib=60, journals=JournalSettings(volume_gib=40))
    fault = too_large_for_disk(sizes_gib(settings), CopiesDisk("dataDiskGib", 200, dedicated=True))

    assert "the volumes have 60 + 40 GiB, copies of 100 come to a node" in (fault or "")
    assert "set dataDiskGib to 223 or more, or take smaller volumes" in (fault or "")
    own = JournalSettings(volume_gib=20)
    of_two = IrisSettings(form="statefulset", instances=2, journals=own)
    assert sizes_gib(of_two) == [40, 40, 20] * 2


def test_a_copy_to_replay_is_neither_backed_up_nor_rehearsed_nor_in_the_way_of_a_restore():
    source = SourceSettings(claim="iris-data")
    restore = RestoreSettings(data=source, replay=SourceSettings(claim="iris-journals"))
    settings = IrisSettings(volume=2, restore=restore)

    assert sizes_gib(settings) == [40]
    assert volumes(settings)[-1].labels == LEFT_ALONE
    copy = rehearsed(settings, RehearsalSettings(), architecture="amd64")
    assert copy.volumes == {"iris-data-2": "data"}
    assert "replay" not in folders(copy.pod)
    mounted = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"iris-{name}-2"}}
        for name in ("data", "journals", "replay")
    ]
    assert claims_of({"spec": {"volumes": mounted}}) == ["iris-data-2", "iris-journals-2"]


def test_journals_that_are_given_up_begin_beside_the_databases_again(iris):
    engine = iris(journals={"volume_gib": 20, "in_use": False})

    assert sorted(claims(engine)) == ["iris-data", "iris-journals"]
    assert folders(pod(engine))["journals"] == "/journals"
    assert sections(merge_file(engine))["Journal"][1:] == [
        "CurrentDirectory=/data/journals.other/",
        "AlternateDirectory=/data/journals.other/",
    ]


@pytest.mark.parametrize(
    ("journals", "mark"),
    [
        ({}, {}),
        ({"volume_gib": 20}, {JOURNALS: OWN}),
        ({"volume_gib": 20, "in_use": False}, {JOURNALS: GIVEN_UP}),
    ],
)
def test_the_namespace_says_where_the_journals_are(iris, journals, mark):
    assert marks(IrisSettings(journals=JournalSettings(**journals))) == mark
    metadata = iris(journals=journals).named("iris-namespace").inputs["metadata"]
    assert metadata.get("annotations", {}) == mark


def test_a_volume_of_journals_that_iris_writes_to_is_not_taken_away():
    told = journals_left_behind({JOURNALS: OWN}, {})

    assert told is not None
    assert "set volumeGib again with journals.inUse false" in told
    for before, after in [
        ({}, {JOURNALS: OWN}),
        ({JOURNALS: OWN}, {JOURNALS: GIVEN_UP}),
        ({JOURNALS: GIVEN_UP}, {JOURNALS: OWN}),
        ({JOURNALS: GIVEN_UP}, {}),
        ({}, {}),
    ]:
        assert journals_left_behind(before, after) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {JOURNALS: OWN}, "begins its journals on their own volume. The old ones stay"),
        ({JOURNALS: OWN}, {JOURNALS: GIVEN_UP}, "begins its journals beside the databases"),
        ({JOURNALS: GIVEN_UP}, {}, "The way back, says how it goes"),
    ],
)
def test_a_preview_says_what_becomes_of_the_journals_that_there_are(before, after, said):
    for stateful in (False, True):
        assert said in (journals_move(before, after, stateful=stateful) or "")
        assert journals_move(after, after, stateful=stateful) is None


def test_a_statefulset_that_gets_volumes_for_journals_is_replaced_and_a_preview_says_it():
    told = journals_move({}, {JOURNALS: OWN}, stateful=True)

    assert "is replaced, so all its instances stop at once" in (told or "")
