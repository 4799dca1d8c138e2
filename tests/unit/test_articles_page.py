"""What the page on the articles names exists: settings of a stack file, and pages with anchors."""

import re

from tests.unit.conftest import ROOT

PAGE = (ROOT / "docs" / "from-the-articles.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
GROUPS = "iris|longhorn|cluster|backup|access|monitoring|certManager"


def test_each_setting_that_it_names_is_one_of_a_stack_file():
    named = set(re.findall(rf"`((?:{GROUPS})(?:\.[a-zA-Z]+)+)(?::[^`]*)?`", PAGE))

    assert len(named) > 15
    missing = {
        name
        for name in named
        if not any(f"`ha-iris:{name}{end}`" in SETTINGS for end in ("", "[]"))
    }
    assert missing == set()


def test_each_place_that_it_leads_to_is_there():
    links = re.findall(r"\]\(([a-z-]+\.md)(?:#([a-z0-9-]+))?\)", PAGE)

    assert len(links) > 15
    for page, anchor in links:
        headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
        assert not anchor or anchor in anchors, f"{page}#{anchor}"
