"""When nodes may be changed or go: what Longhorn's objects say about the copies."""

from dataclasses import replace
from typing import Any

import pytest

from components.longhorn.health import Copies, Leaving, State, copies
from tests.unit.longhorn_objects import LABEL, engine, node, replica, storage_node, volume

ZONES = ("a", "b", "c")
ZONE_B = Leaving(LABEL, "b")


def healthy() -> State:
    """Three copies in three zones, attached in zone a."""
    return State(
        volumes=[volume()],
        engines=[engine({f"r-{zone}": "RW" for zone in ZONES}, "node-a")],
        replicas=[replica(f"r-{zone}", f"node-{zone}") for zone in ZONES],
        storage_nodes=[storage_node(f"node-{zone}") for zone in ZONES],
        nodes=[node(f"node-{zone}", zone) for zone in ZONES],
    )


def without_zone(zone: str, *, rebuilt: int | None = None) -> State:
    """The same after the copy of a zone was lost, or while it is written anew."""
    rest = [other for other in ZONES if other != zone]
    modes = {f"r-{other}": "RW" for other in rest}
    replicas = [replica(f"r-{other}", f"node-{other}") for other in rest]
    if rebuilt is None:
        replicas.append(replica(f"r-{zone}", f"node-{zone}", failed=True))
    else:
        modes["r-new"] = "WO"
        replicas.append(replica("r-new", f"node-{zone}"))
    return replace(
        healthy(),
        volumes=[volume("degraded")],
        engines=[engine(modes, "node-a" if zone != "a" else "node-b", rebuilt=rebuilt)],
        replicas=replicas,
    )


def only(state: State, leaving: Leaving = ZONE_B) -> Copies:
    (found,) = copies(state, leaving)
    return found


def test_a_zone_may_change_while_the_others_have_their_copies():
    found = only(healthy())

    assert found == Copies("pvc-1", wanted=3, whole=3, elsewhere=2)
    assert found.allow_change()


@pytest.mark.parametrize("rebuilt", [None, 41, 99])
def test_no_zone_changes_while_the_copy_of_another_zone_is_missing_or_being_rebuilt(rebuilt):
    found = only(without_zone("c", rebuilt=rebuilt))

    assert (found.whole, found.elsewhere, found.rebuilt) == (2, 1, rebuilt)
    assert not found.allow_change()


def test_a_zone_whose_own_copy_is_missing_may_change_as_that_may_be_the_cure():
    assert only(without_zone("b")).allow_change()


def test_nodes_retire_only_when_every_copy_is_on_others():
    assert not only(healthy()).allow_retirement()
    assert not only(without_zone("b")).allow_retirement()
    assert only(healthy(), Leaving(LABEL, "old")).allow_retirement()


def test_a_node_that_lacks_the_label_is_not_known_to_stay():
    found = only(healthy(), Leaving("another/label", "b"))

    assert (found.whole, found.elsewhere) == (3, 0)
    assert not found.allow_change()
    assert not found.allow_retirement()


def test_a_single_copy_is_not_taken_away():
    state = replace(healthy(), volumes=[volume(wanted=1)], replicas=[replica("r-b", "node-b")])

    assert not only(state).allow_change()
    assert only(state, Leaving(LABEL, "c")).allow_change()


def test_five_copies_in_three_zones_do_not_wait_for_ever():
    zones = ("a", "a", "b", "b", "c")
    names = [f"{zone}{number}" for number, zone in enumerate(zones)]
    state = State(
        volumes=[volume(wanted=5)],
        engines=[engine({f"r-{name}": "RW" for name in names}, "node-a0")],
        replicas=[replica(f"r-{name}", f"node-{name}") for name in names],
        storage_nodes=[storage_node(f"node-{name}") for name in names],
        nodes=[node(f"node-{name}", name[0]) for name in names],
    )

    assert only(state).allow_change()


ALL_WRITTEN = {f"r-{zone}": "RW" for zone in ZONES}


def _inactive(item: Any) -> dict[str, Any]:
    return {**item, "spec": {**item["spec"], "active": False}}


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("Longhorn calls it degraded", {"volumes": [volume("degraded")]}),
        ("Longhorn calls it faulted", {"volumes": [volume("faulted")]}),
        ("Longhorn does not know", {"volumes": [volume("unknown")]}),
        ("it is being detached", {"volumes": [volume("unknown", state="detaching")]}),
        ("it has just been made", {"volumes": [{**volume(), "status": {}}]}),
        ("its engine does not write to a copy", {"engines": [engine({"r-a": "RW"}, "node-a")]}),
        ("its engine has lost a copy", {"engines": [engine({"r-c": "ERR"}, "node-a")]}),
        ("there is no engine", {"engines": []}),
        ("an engine upgrade has a second engine", {"engines": [healthy().engines[0]] * 2}),
        ("the engine's node is gone", {"engines": [engine(ALL_WRITTEN, "node-gone")]}),
        ("its engine is no longer the one in use", {"engines": [_inactive(healthy().engines[0])]}),
        ("a copy is no longer one in use", {"replicas": [_inactive(replica("r-c", "node-c"))]}),
        (
            "a copy has failed",
            {"replicas": [replica("r-c", "node-c", failed=True, state="running")]},
        ),
        ("a copy was never whole", {"replicas": [replica("r-c", "node-c", whole=False)]}),
        ("a copy has stopped", {"replicas": [replica("r-c", "node-c", state="stopped")]}),
        ("a node does not answer Kubernetes", {"nodes": [node("node-c", "c", ready=False)]}),
        (
            "a node does not answer Longhorn",
            {"storage_nodes": [storage_node("node-c", ready=False)]},
        ),
        (
            "a node has come back with an empty disk",
            {"storage_nodes": [storage_node("node-c", disk="n")]},
        ),
    ],
)
def test_a_volume_that_looks_healthy_is_not_while(what: str, changed: dict[str, list[Any]]):
    before = healthy()
    merged = {
        field: _merge(getattr(before, field), items, whole=field in ("volumes", "engines"))
        for field, items in changed.items()
    }

    found = only(replace(before, **merged))

    assert found.whole < 3, what
    assert not found.allow_change(), what


def _merge(before: list[Any], items: list[Any], *, whole: bool) -> list[Any]:
    names = {item["metadata"]["name"] for item in items}
    return items if whole else [*(i for i in before if i["metadata"]["name"] not in names), *items]


def test_a_node_that_is_being_deleted_holds_no_copy():
    state = healthy()
    state.nodes[2]["metadata"]["deletionTimestamp"] = "2026-11-21T12:00:00Z"

    assert only(state).whole == 2


def test_a_detached_volume_counts_the_copies_that_were_whole_when_it_was_detached():
    detached = replace(
        healthy(),
        volumes=[volume("unknown", state="detached")],
        engines=[],
        replicas=[replica(f"r-{zone}", f"node-{zone}", state="stopped") for zone in ZONES],
    )
    assert only(detached).allow_change()

    # Longhorn does not mark the copy as failed: nothing writes to the volume.
    gone = replace(detached, nodes=[node(f"node-{zone}", zone) for zone in ("a", "b")])
    assert not only(gone).allow_change()


def test_a_line_says_volume_copies_and_progress():
    assert str(only(without_zone("c", rebuilt=41))) == (
        "pvc-1: 2 of 3 copies whole, 1 of them on nodes that stay, the next one 41 % rebuilt"
    )
    assert str(only(without_zone("c"))).endswith("none being rebuilt")
