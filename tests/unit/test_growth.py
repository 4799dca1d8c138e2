"""Another size for a volume that has been written."""

from functools import partial
from typing import Any

import pytest

from components.iris.growth import growth as of_any
from components.iris.growth import refusal

growth = partial(of_any, setting="storageGib")
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"


def claim(size: Any) -> dict[str, Any]:
    return {"spec": {"resources": {"requests": {"storage": size}}}}


def test_a_smaller_volume_is_refused_with_both_sizes_and_the_ways_out(told):
    with pytest.raises(
        ValueError, match="the volume has 80 GiB and the stack file asks for 40"
    ) as refused:
        told(growth, claim("80Gi"), claim("40Gi"))

    assert "set ha-iris:iris.storageGib to 80 or more" in str(refused.value)


def test_the_volume_for_databases_has_a_size_of_its_own(told):
    with pytest.raises(ValueError, match="databasesGib to 80 or more"):
        told(partial(of_any, setting="databasesGib"), claim("80Gi"), claim("40Gi"))


def test_a_larger_volume_grows_while_iris_runs_and_a_preview_says_so(told):
    (line,) = told(growth, claim("40Gi"), claim("80Gi"))

    assert "The volume grows from 40 to 80 GiB while IRIS runs" in line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (claim("40Gi"), claim("40Gi")),
        (None, claim("40Gi")),
        ({}, claim("40Gi")),
        (claim("40000Mi"), claim("40Gi")),  # nobody but a person wrote that
    ],
)
def test_a_change_that_leaves_the_size_alone_is_none_of_its_business(told, before, after):
    assert told(growth, before, after) == []


def test_the_sizes_that_are_refused_are_the_smaller_ones():
    assert [after for after in range(1, 6) if refusal(3, after, setting="storageGib")] == [1, 2]


@pytest.mark.parametrize("form", ["deployment", "statefulset"])
def test_every_claim_of_a_database_is_guarded(iris, form):
    engine = iris(form=form)

    for claim in engine.of_type(CLAIM):
        assert f"{claim.name}-growth" in claim.request.hooks.before_update
