"""What the pages tell people to do to an AKS cluster, where a command can cost all copies."""

import re

import pytest

from tests.unit.conftest import ROOT

PAGES = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "Pulumi.README.md"]

DESTROYS_EVERY_COPY = {
    "az aks rotate-certs": "recreates every node and its disk",
    "az aks upgrade": "reimages every node",
    "az aks nodepool scale": "removes whichever node Azure chooses",
}


@pytest.mark.parametrize("command", DESTROYS_EVERY_COPY)
def test_no_page_prescribes_a_command_that_costs_copies_of_the_database(command):
    for page in PAGES:
        for paragraph in re.split(r"\n\s*\n|\n- |\n\|", page.read_text()):
            if command in paragraph:
                assert re.search(r"\b[Nn]ever\b", paragraph), f"{page.name}: {paragraph}"
