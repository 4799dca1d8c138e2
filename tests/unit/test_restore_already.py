"""Claims that are there already, as the source of a volume or in its place."""

import pytest
from pydantic import ValidationError

from components.iris import IrisSettings
from components.iris.restore.source_settings import InstanceClaim
from components.iris.volumes import volumes
from tests.unit.restored_instances import a_claim, copies, parts, stateful

FIRST = "snapshot system-0-1"
OTHER = "snapshot databases-0-1"


@pytest.mark.parametrize(
    ("sources", "volume", "why"),
    [
        (copies(1), 1, "system-iris-1, which is the volume that is to be filled.*volume to 2"),
        # While IRIS is scaled to 0 nobody writes; when the copy is made, somebody does again.
        (copies(0), 1, "system-iris-0, which is in use with iris.volume 1.*snapshots of one run"),
        (copies(0, 2), 2, "system-2-iris-0, which is in use with iris.volume 2"),
        (
            {"system": {"claim": "databases-iris-1"}, "databases": {"claim": "system-iris-1"}},
            2,
            "1 has system filled from claim databases-iris-1, which holds databases; "
            "name system-iris-1",
        ),
        (
            {"system": {"claim": "mine"}, "databases": {"claim": "mine"}},
            2,
            "two volumes filled from one claim, of mine and mine",
        ),
        (
            {**copies(1), "databases": {"claim": "databases-iris-2"}},
            2,
            "from claims of iris-1 and iris-2, which share nothing",
        ),
        (
            {**copies(1), "databases": {"claim": "databases-2-iris-1"}},
            3,
            "claims of iris.volume 1 and 2, which go on from different moments",
        ),
    ],
)
def test_claims_that_are_no_database_of_one_moment_fill_no_instance(sources, volume, why):
    with pytest.raises(ValidationError, match=why):
        IrisSettings.model_validate(stateful({0: parts(1), 1: sources}, volume=volume, instances=2))


def test_what_an_earlier_volume_left_of_one_instance_fills_another():
    settings = stateful({0: copies(0, 2), 1: copies(0, 2)}, volume=3, instances=2)

    assert IrisSettings.model_validate(settings).restore


@pytest.mark.parametrize("number", [1, 2])
def test_a_claim_of_an_instance_is_known_by_the_name_that_its_pod_asks_for(number):
    for volume in volumes(IrisSettings(form="statefulset")):
        claim = InstanceClaim.named(volume.claim(3, number))

        assert claim == (volume.holds, number, 3)
    assert not InstanceClaim.named("system-1-iris-0")
    assert not InstanceClaim.named("iris-data-2")


def test_claims_are_of_one_moment_once_nobody_writes_to_them(before_create):
    copy = stateful({0: parts(1), 1: {**copies(0), "since_volume": 2}}, volume=2, instances=2)
    there = {name: a_claim() for name in ("system-iris-0", "databases-iris-0")}

    def told(*claims):
        return before_create("iris-system-2-1", claims=there, pods={"iris-0": claims}, **copy)

    with pytest.raises(ValueError, match="IRIS runs on them in iris-0: the copies would be of no"):
        told("system-iris-0", "databases-iris-0")
    assert not any("not known" in line for line in told("system-2-iris-0", "databases-2-iris-0"))
    # And that it was another host's is known by its name.
    assert any("is of iris-0, and iris-1 will start on it" in line for line in told())


def test_a_claim_that_came_to_stay_is_not_written_over(before_create):
    here = stateful({0: parts(1)})

    with pytest.raises(ValueError, match=r"claim system-iris-0 is there.*iris.volume to 2"):
        before_create("iris-system-0", claims={"system-iris-0": a_claim()}, **here)


def test_a_claim_of_an_earlier_life_is_said_to_be_taken_as_it_is(before_create):
    both = {"system-iris-0": a_claim(FIRST), "databases-iris-0": a_claim(OTHER)}

    (told,) = before_create("iris-system-0", claims=both, **stateful({0: parts(1)}))

    assert "system-iris-0 is there and is taken as it is" in told
    assert "has what was written on it since" in told


def test_a_part_is_not_filled_beside_one_that_went_on(before_create):
    here = stateful({0: parts(1)})
    used = {"system-iris-0": a_claim(FIRST)}

    with pytest.raises(
        ValueError, match=r"databases-iris-0 is not there, and system-iris-0.*iris.volume to 2"
    ):
        before_create("iris-databases-0", claims=used, **here)


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"system-iris-0": a_claim(FIRST, "Pending", used=False)},
        # Of a class that makes volumes at once.
        {"system-iris-0": a_claim(FIRST, used=False)},
        # Both were there before a pod had a node.
        {"system-iris-0": a_claim(FIRST), "databases-iris-0": a_claim(OTHER, "Pending")},
    ],
)
def test_an_update_that_was_killed_goes_on_where_it_was(before_create, made):
    assert before_create("iris-databases-0", claims=made, **stateful({0: parts(1)})) == []


BEFORE = "system-2-iris-1 was begun from {} already"


@pytest.mark.parametrize(
    ("source", "filled_from"),
    [(copies(1), "claim system-iris-1"), (parts(1, 1), "snapshot system-1-1")],
)
def test_an_instance_that_begins_with_the_same_once_more_is_told_what_stays_behind(
    before_create, source, filled_from
):
    second = stateful({0: parts(2), 1: source}, volume=3, instances=2)

    def told(begun):
        there = {
            "system-iris-1": a_claim(),
            "databases-iris-1": a_claim(),
            "system-2-iris-1": a_claim(begun),
        }
        return [
            line
            for line in before_create("iris-system-3-1", claims=there, **second)
            if "was begun" in line
        ]

    (line,) = told(filled_from)
    assert BEFORE.format(filled_from) in line
    assert "name claim: system-2-iris-1 in ha-iris:iris.restore" in line
    assert told("snapshot another") == []


def test_a_deployments_volume_that_begins_with_the_same_once_more_is_told_it_too(before_create):
    restore = {"data": {"claim": "iris-data"}}
    there = {"iris-data": a_claim(), "iris-data-2": a_claim("claim iris-data")}

    said = before_create("iris-data-3", claims=there, volume=3, restore=restore)

    assert any("Claim iris-data-2 was begun from claim iris-data already" in line for line in said)


def test_other_journals_to_replay_take_the_place_of_those_that_are_there(before_create):
    restore = {"data": {"claim": "iris-data"}, "replay": {"claim": "other"}}
    there = {"other": a_claim(), "iris-replay-2": a_claim("claim iris-data")}

    said = before_create("iris-replay-2", claims=there, volume=2, restore=restore)

    assert not any("is there" in line for line in said)


def test_a_deployment_on_an_instances_volumes_starts_as_the_host_that_it_is_given(before_create):
    def told(hostname, source):
        settings = {**stateful({0: source}, volume=2), "form": "deployment", "hostname": hostname}
        there = {name: a_claim() for name in ("system-iris-0", "databases-iris-0")}
        return [
            line
            for line in before_create(
                "iris-system-2-0", claims=there, **settings, volumes_of="statefulset"
            )
            if "will start on it" in line
        ]

    (line,) = told("iris", parts(1))
    assert "is of iris-0, and iris will start on it" in line
    assert told("iris-0", parts(1)) == []
    # Whose claim it was last, its name does not tell.
    assert told("iris", copies(0)) == []
