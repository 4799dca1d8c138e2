"""What the page on mistakes promises is shown by tests that exist."""

import ast
import re

import pytest

from tests.unit.conftest import ROOT

PAGE = (ROOT / "docs" / "mistakes.md").read_text()
SHOWN, _, OPEN = PAGE.partition("## What nothing here prevents")
ROW = re.compile(r"^\| (?!mistake|---)(.+) \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall(SHOWN)
PROOF = re.compile(r"(unit|contract|guard|lab)/(test_\w+\.py)((?: `test_\w+`)+)")
PROOFS = [
    (f"tests/{folder}/{file}", test)
    for _, _, shown in ROWS
    for folder, file, tests in PROOF.findall(shown)
    for test in re.findall(r"`(\w+)`", tests)
]


def test_at_least_thirty_mistakes_are_on_it_and_each_has_its_proof():
    assert len(ROWS) >= 30
    for mistake, _, shown in ROWS:
        # Nothing but proofs, so that no word stands in for one.
        assert PROOF.sub("", shown).strip(", ") == "", mistake
        assert PROOF.search(shown), mistake


@pytest.mark.parametrize("file", sorted({file for file, _ in PROOFS}))
def test_every_test_that_it_names_exists(file):
    functions = {
        node.name
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
        if isinstance(node, ast.FunctionDef)
    }

    assert {test for where, test in PROOFS if where == file} <= functions


def test_what_nothing_prevents_is_told_with_what_helps():
    rows = ROW.findall(OPEN)

    assert len(rows) > 5
    assert all(len(cell) > 5 for row in rows for cell in row)
