"""EKS's node groups: nothing goes on where one of them is not what it should be."""

from contextlib import suppress

import pulumi
import pytest

from components.aws.node_changes import difference, release_moves_along
from stacks import compose
from tests.unit.answers import answer
from tests.unit.conftest import Engine
from tests.unit.destroy_order import gone_before
from tests.unit.test_eks import GROUP, GROUPS

RECORDED = {
    "name": "cluster-nodes-1-1a2b",
    "status": "ACTIVE",
    "template": "4",
    "noted_template": "4",
    "release": "1.36.2-20261012",
    "noted_release": "1.36.2-20261012",
}


def change(old: dict, new: dict) -> pulumi.ResourceHookArgs:
    """What Pulumi tells a hook before it updates a node group."""
    return pulumi.ResourceHookArgs(
        urn="urn:pulumi:eks::ha-iris::aws:eks/nodeGroup:NodeGroup::cluster-nodes-1",
        id="ha-iris-eks:cluster-nodes-1-1a2b",
        name="cluster-nodes-1",
        type=GROUP,
        old_inputs=old,
        new_inputs=new,
    )


def inputs(template: str | None, release: str | None = None) -> dict:
    """Inputs of a node group, as far as they decide which image its nodes get."""
    launch = {"id": "lt-1"} if template is None else {"id": "lt-1", "version": template}
    return {"launchTemplate": launch, **({"releaseVersion": release} if release else {})}


@pytest.mark.parametrize("template", ["4", None], ids=["update", "not yet known in a preview"])
def test_a_new_template_does_not_take_a_pinned_release_along_in_silence(template):
    with pytest.raises(ValueError, match="set nodeRelease to the newest, or drop it"):
        release_moves_along(
            change(inputs("3", "1.36.1-20261012"), inputs(template, "1.36.1-20261012"))
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(inputs("3"), inputs("4"), id="nothing-is-pinned"),
        pytest.param(inputs("3", "1.36.1-1"), inputs("4", "1.36.2-2"), id="both-move"),
        pytest.param(inputs("3", "1.36.1-1"), inputs("3", "1.36.2-2"), id="the-release-moves"),
        pytest.param(inputs("3", "1.36.1-1"), inputs("4"), id="it-is-pinned-no-more"),
        pytest.param(inputs("3", "1.36.1-1"), inputs("3", "1.36.1-1"), id="something-else"),
    ],
)
def test_a_release_that_moves_along_or_is_free_is_taken(old, new):
    release_moves_along(change(old, new))


def test_each_node_group_asks_before_it_changes_in_previews_too(eks):
    hooks = [group.request.hooks.before_update for group in eks().of_type(GROUP)]

    # The question that is answered at once comes first.
    asked = ["cluster-nodes-release-moves-along", "cluster-nodes-before-change"]
    assert [[*names] for names in hooks] == [asked] * 3


def test_a_group_that_is_as_noted_lets_the_next_one_come():
    assert difference(**RECORDED) is None
    assert difference(**{**RECORDED, "noted_release": None}) is None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param({"template": "3"}, "an update failed halfway", id="drain-was-refused"),
        pytest.param({"release": "1.36.1-1"}, "an update failed halfway", id="older-image"),
        pytest.param({"status": "CREATE_FAILED"}, "aws eks delete-nodegroup", id="never-came"),
        pytest.param({"status": "UPDATING"}, "wait until it is ACTIVE", id="still-at-it"),
    ],
)
def test_a_group_that_is_not_as_noted_stops_the_update_with_the_way_out(found, said):
    fault = difference(**{**RECORDED, **found})

    assert fault is not None
    assert fault.startswith("ha-iris: node group cluster-nodes-1-1a2b ")
    assert said in fault
    assert "`pulumi up --refresh`" in fault


def test_a_degraded_group_is_named_and_stops_nobody_who_mends_it(caplog):
    assert difference(**{**RECORDED, "status": "DEGRADED"}) is None
    assert "node group cluster-nodes-1-1a2b is DEGRADED" in caplog.text


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({"status": "CREATE_FAILED"}, id="never-came"),
        pytest.param(
            {"launchTemplates": [{"version": "7"}]}, id="update-failed-and-counts-as-done"
        ),
    ],
)
def test_no_zone_is_touched_behind_one_that_is_not_as_noted(
    deploy, stack_config, monkeypatch, found
):
    def reply(token, args):
        answered = answer(token, args)
        return {**answered, **found} if "getNodeGroup" in token else answered

    engine = Engine()
    monkeypatch.setattr("tests.unit.conftest.answer", reply)
    monkeypatch.setattr("tests.unit.conftest.Engine", lambda: engine)

    with pytest.raises(pulumi.RunError, match="ha-iris: node group cluster-nodes-1-1a2b"):
        deploy(compose, stack="eks", config=stack_config("eks"))

    assert [group.name for group in engine.of_type(GROUP)] == ["cluster-nodes-1"]
    made = {resource.name for resource in engine.resources}
    assert not {"cluster-coredns", "longhorn-namespace", "longhorn-release", "iris-data"} & made
    # All that waited for it fails too, and the SDK keeps that for the next programs to find.
    for _ in range(100):
        with suppress(pulumi.RunError):
            deploy(lambda: None)
            break


def test_zones_add_ons_and_workloads_wait_for_groups_that_are_as_noted(eks):
    engine = eks()

    asked = [args for token, args in engine.calls if token.endswith("getNodeGroup")]
    assert {args["nodeGroupName"] for args in asked} == {f"{group}-1a2b" for group in GROUPS}
    for group in GROUPS:
        assert {"cluster-coredns", "longhorn-release", "iris-data"} <= gone_before(engine, group)


def test_a_preview_asks_nothing_of_groups_that_are_about_to_change(eks):
    assert not [t for t, _ in eks(preview=True).calls if t.endswith("getNodeGroup")]
