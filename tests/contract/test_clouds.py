"""Everything the three stacks register, against the clouds' own published models."""

import re

import pytest

from tests.contract.models import BY_STACK, CLOUDS, MODELS, coverage
from tests.contract.sources import written_types
from tests.contract.uncovered import UNCOVERED
from tests.unit.conftest import ROOT

STACKS = list(BY_STACK)
PAGE = (ROOT / "docs" / "contract-tests.md").read_text()


@pytest.mark.parametrize(("stack", "token"), [(s, t) for s in STACKS for t in BY_STACK[s]])
def test_the_cloud_accepts_every_resource_of_a_type(deployed, stack, token):
    found = [run for run in deployed(stack) if run.resource.type == token]

    assert found, f"no variant of {stack} registers {token}: remove its model or add the variant"
    faults = [
        f"{run.resource.name} ({run.variant}): {fault}"
        for run in found
        for fault in BY_STACK[stack][token].faults(run.resource.inputs)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("stack", STACKS)
def test_every_cloud_resource_is_checked_or_the_reason_is_stated(deployed, stack):
    registered = {run.resource.type for run in deployed(stack)}

    assert registered - MODELS.keys() - UNCOVERED.keys() == set()


@pytest.mark.parametrize("stack", STACKS)
def test_more_than_nine_in_ten_resource_types_are_checked(deployed, stack):
    registered = {run.resource.type for run in deployed(stack)}

    assert len(registered & MODELS.keys()) > 0.9 * len(registered)


def test_no_reason_is_stated_for_what_is_not_registered_or_is_checked(deployed):
    registered = {run.resource.type for stack in STACKS for run in deployed(stack)}

    assert UNCOVERED.keys() - registered == set()
    assert UNCOVERED.keys() & MODELS.keys() == set()


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_in_the_source_is_registered_by_some_variant(deployed, stack):
    registered = {run.resource.type for run in deployed(stack)}

    written = {token for token in written_types(stack) if token.startswith(CLOUDS)}
    assert written, "no resource was found in the source: the search itself is broken"
    assert written - registered == set()


@pytest.mark.parametrize("stack", STACKS)
def test_the_page_shows_the_coverage_that_a_run_ends_with(deployed, stack):
    assert coverage(stack, deployed(stack)) in PAGE.splitlines()


def test_the_page_sums_its_own_lines_up():
    lines = re.findall(r"^contract \w+: (\d+) of (\d+) resource types", PAGE, re.MULTILINE)
    checked, types = (sum(map(int, column)) for column in zip(*lines, strict=True))

    assert len(lines) == len(STACKS)
    assert f"That is {checked} of {types} types, " in PAGE
