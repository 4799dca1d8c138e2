"""The volumes of a StatefulSet's instances, filled when they are made."""

import pytest
from pydantic import ValidationError

from components.backup.rehearsal_settings import RehearsalSettings
from components.iris import IrisSettings
from components.iris.journal_settings import JournalSettings
from components.iris.rehearsed import rehearsed
from components.iris.restore.already import FILLED_FROM
from components.iris.volumes import claims_in_use
from tests.unit.iris_parts import CLAIM
from tests.unit.restored_instances import parts, stateful

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
BACKUP = "s3://bucket@region/?backup=backup-{}&volume=pvc-{}"


def sources(engine) -> dict[str, str | None]:
    """What each claim is filled from, by its name."""
    return {
        claim.inputs["metadata"]["name"]: claim.inputs["spec"].get("dataSource", {}).get("name")
        for claim in engine.of_type(CLAIM)
    }


def templates(engine) -> list[str]:
    wanted = engine.one(STATEFUL_SET).inputs["spec"]["volumeClaimTemplates"]
    return [template["metadata"]["name"] for template in wanted]


def test_an_instance_that_is_added_begins_with_what_its_snapshots_hold(iris):
    engine = iris(**stateful({1: parts(1)}, instances=2))

    assert sources(engine) == {
        "system-iris-0": None,
        "databases-iris-0": None,
        "system-iris-1": "system-0-1",
        "databases-iris-1": "databases-0-1",
    }
    claim = engine.one(CLAIM, "iris-system-1")
    assert claim.protect
    assert claim.inputs["metadata"]["annotations"][FILLED_FROM] == "snapshot system-0-1"
    assert "spec.dataSource" in claim.request.ignoreChanges
    assert templates(engine) == ["system", "databases"]


def test_an_instance_that_is_not_named_is_as_it_always_was_and_asks_no_cluster(iris):
    plain, restored = (
        iris(form="statefulset", instances=2, **more).one(CLAIM, "iris-system-0")
        for more in ({}, {"restore": {"instances": {1: parts(1)}}})
    )

    assert plain.inputs == restored.inputs
    assert not plain.request.hooks.before_create
    assert not restored.request.hooks.before_create


def test_an_instance_is_put_back_on_claims_beside_those_that_stay(iris):
    engine = iris(**stateful({0: parts(1, 0, "journals")}, volume=2, journals={"volume_gib": 10}))

    assert sources(engine) == {
        "system-iris-0": None,
        "databases-iris-0": None,
        "journals-iris-0": None,
        "system-2-iris-0": "system-0-1",
        "databases-2-iris-0": "databases-0-1",
        "journals-2-iris-0": "journals-0-1",
    }
    before = engine.one(CLAIM, "iris-system-0")
    assert before.protect
    assert "spec" in before.request.ignoreChanges
    assert engine.one(CLAIM, "iris-system-2-0").protect
    assert templates(engine) == ["system-2", "databases-2", "journals-2"]
    pod = engine.one(STATEFUL_SET).inputs["spec"]["template"]["spec"]
    mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    assert mounts["system-2"] == "/data"
    assert mounts["databases-2"] == "/databases"


def test_a_backup_from_before_an_instance_was_put_back_can_still_be_rehearsed():
    settings = IrisSettings.model_validate(stateful({0: parts(1)}, volume=2))

    volumes = rehearsed(settings, RehearsalSettings(), architecture="amd64").volumes

    assert volumes["system-iris-0"] == volumes["system-2-iris-0"] == "system-2"
    assert volumes["databases-iris-0"] == "databases-2"
    # What is watched and uploaded as journals is so by what it holds.
    claim = claims_in_use(settings.model_copy(update={"journals": JournalSettings(volume_gib=10)}))
    assert claim["journals-2-iris-0"].holds == "journals"


def test_an_instance_that_came_with_the_volumes_in_use_has_no_earlier_ones(iris):
    engine = iris(**stateful({0: parts(1), 1: {"since_volume": 2}}, volume=2, instances=2))

    of_the_new_one = {name for name in sources(engine) if name.endswith("iris-1")}
    assert of_the_new_one == {"system-2-iris-1", "databases-2-iris-1"}
    # It takes nobody's place, so nobody stops for it.
    assert not engine.one(CLAIM, "iris-system-2-1").request.hooks.before_create


def test_a_deployment_on_a_statefulsets_volumes_is_put_back_like_its_first_instance(iris):
    engine = iris(
        **{**stateful({0: parts(1)}, volume=2), "form": "deployment"}, volumes_of="statefulset"
    )

    assert sources(engine)["databases-2-iris-0"] == "databases-0-1"
    pod = engine.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    mounted = [volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"][:2]]
    assert mounted == ["system-2-iris-0", "databases-2-iris-0"]


@pytest.mark.parametrize(
    ("instances", "more", "why"),
    [
        ({1: parts(1)}, {}, "instances.1 is no instance: with iris.instances 1 the last is 0"),
        ({0: {"system": {"snapshot": "a"}}}, {}, "name databases too, of the same run"),
        ({0: {"journals": "empty"}}, {}, "name system and databases too"),
        (
            {0: {**parts(1), "databases": {"claim": "databases-iris-1"}}},
            {},
            "instances.0 is filled from a claim and a snapshot, which nobody cuts at once",
        ),
        ({0: {**parts(1), "journals": "empty"}}, {}, "they have none here"),
        ({0: parts(1)}, {"journals": {"volume_gib": 10}}, "name restore.instances.0.journals"),
        (
            {0: {v: {"backup": BACKUP.format(v, v)} for v in ("system", "databases")}},
            {"storage_class": "fast"},
            "name restore.instances.0.system.snapshot",
        ),
        (
            {0: parts(1)},
            {"volume": 3, "instances": 2},
            "1 is filled from nothing.*would begin empty.*system.claim: system-2-iris-1",
        ),
        ({0: {**parts(1), "since_volume": 2}}, {}, "the volume in use is 1; set it to 1 or less"),
    ],
)
def test_what_cannot_fill_the_volumes_of_an_instance_is_refused(instances, more, why):
    with pytest.raises(ValidationError, match=why):
        IrisSettings.model_validate(stateful(instances, **more))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"restore": {"instances": {0: parts(1)}}}, "the volume is a Deployment's; name data"),
        ({"form": "statefulset", "volume": 2}, "would begin empty; name restore.instances"),
        (
            {"form": "statefulset", "restore": {"data": {"snapshot": "a"}}},
            "name instances.0.system and instances.0.databases",
        ),
        (
            stateful({}, restore={"instances": {0: parts(1)}, "data": {"snapshot": "a"}}),
            "drop data",
        ),
        (
            stateful({}, restore={"instances": {0: parts(1)}, "replay": {"claim": "a"}}),
            "drop replay",
        ),
    ],
)
def test_the_keys_of_a_restore_are_those_of_the_form(settings, why):
    with pytest.raises(ValidationError, match=why):
        IrisSettings.model_validate(settings)


@pytest.mark.parametrize("claim", ["iris-system-0", "iris-databases-0"])
def test_sources_of_two_freezes_or_two_instances_fill_no_instance(before_create, claim):
    def run(databases):
        return before_create(
            claim, **stateful({0: {**parts(1), "databases": {"snapshot": databases}}})
        )

    assert run("databases-0-1") == []
    with pytest.raises(ValueError, match=r"of the runs 1 and 2.*name two of one run"):
        run("databases-0-2")
    with pytest.raises(ValueError, match="of iris-0 and iris-1, which share nothing"):
        run("databases-1-1")


def test_a_source_of_another_host_is_told_once(before_create):
    both = stateful({1: parts(1)}, instances=2)

    (told,) = before_create("iris-system-1", **both)
    assert "is of iris-0, and iris-1 will start on it" in told
    assert before_create("iris-databases-1", **both) == []


def test_no_instance_gets_other_volumes_while_iris_runs(before_create):
    put_back = stateful({0: parts(1)}, volume=2)

    with pytest.raises(ValueError, match=r"IRIS runs in iris-0.*stop it first"):
        before_create("iris-databases-2-0", pods={"iris-0": []}, **put_back)
    assert before_create("iris-databases-2-0", **put_back) == []
    # One that comes anew takes nobody's place.
    added = stateful({0: parts(1), 1: {**parts(1, 1), "since_volume": 2}}, volume=2, instances=2)
    assert before_create("iris-databases-2-1", pods={"iris-0": []}, **added) == []
