"""No change of an IrisCluster leaves data behind without a word."""

import copy

import pulumi
import pytest

from components.iris.operator.changes import refusals, topology_change
from tests.unit.iris_cluster import LICENSED, MIRROR, spec


def data(operator=None, **settings):
    """The data nodes of an IrisCluster."""
    return spec(operator, **LICENSED, **settings)["topology"]["data"]


BAD = [
    (data(), data(MIRROR), "operator.mirrored changes"),
    (data(MIRROR), data(), "operator.mirrored changes"),
    (data({"shards": 3}), data({"shards": 2}), "shards goes from 3 to 2"),
    (data({"shards": 1}), data(), "shards goes from 1 to 0"),
    (data(), data({"shards": 1}), "shards goes from 0 to 1"),
    (data(), data(storage_gib=41), "iris.storageGib goes from 40Gi to 41Gi"),
    (data(), data(storage_gib=39), "iris.storageGib goes from 40Gi to 39Gi"),
    (data(), data({"storage": {"wij_gib": 9}}), "storage.wijGib goes from 10Gi to 9Gi"),
    (data(), data({"storage": {"journal2_gib": 9}}), "storage.journal2Gib goes from 20Gi to 9Gi"),
    (data(), data({"storage": {"journal_class": "slow"}}), "from longhorn-iris to slow"),
]
FINE = [
    (data(), data()),
    (data({"shards": 1}), data({"shards": 3})),
    (data(), data(cpu=8, memory_gib=16)),
    (data(MIRROR), data({**MIRROR, "mirror_map": ("primary", "backup", "drasync")})),
]


@pytest.mark.parametrize(("before", "after", "reason"), BAD)
def test_what_would_start_empty_or_shrink_is_refused(before, after, reason):
    assert reason in refusals(before, after)[0]


@pytest.mark.parametrize(("before", "after"), FINE)
def test_what_keeps_every_volume_is_not(before, after):
    assert refusals(before, after) == []


@pytest.fixture
def change(deploy):
    """What the hook says to a change of an IrisCluster's spec: the refusal, or None."""

    def run(before, after, *, older_image_allowed=False):
        said = []

        def program():
            binding = topology_change("change", older_image_allowed=older_image_allowed)
            (hook,) = binding.before_update or []
            assert isinstance(hook, pulumi.ResourceHook)
            assert hook.opts
            assert hook.opts.on_dry_run, "a preview must say it too"
            asked = pulumi.ResourceHookArgs(
                urn="urn",
                id="iris/iris",
                name="iris-cluster",
                type="kubernetes:intersystems.com/v1alpha1:IrisCluster",
                old_inputs={"spec": before},
                new_inputs={"spec": after},
            )
            try:
                hook.callback(asked)
            except ValueError as refusal:
                said.append(str(refusal))

        deploy(program)
        return said[0] if said else None

    return run


def with_image(tag):
    """An IrisCluster with another release of IRIS."""
    made = copy.deepcopy(spec(**LICENSED))
    made["topology"]["data"]["image"] = LICENSED["image"].rpartition(":")[0] + f":{tag}"
    return made


def test_the_hook_tells_every_fault_at_once(change):
    said = change(with_image("2026.1"), spec({**MIRROR, "storage": {"wij_gib": 9}}, **LICENSED))

    assert "operator.mirrored changes" in said
    assert "wijGib goes from 10Gi to 9Gi" in said


def test_an_older_image_is_refused_unless_the_volumes_were_put_back(change):
    newer, older = with_image("2026.1"), with_image("2025.1")

    assert "is older than" in change(newer, older)
    assert change(newer, older, older_image_allowed=True) is None
    assert change(older, newer) is None
