"""What holds for every page: its links lead somewhere, and its commands are for every form."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(text: str) -> list[str]:
    """What GitHub calls the headings of a page, of which each stands there once."""
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for heading in re.findall(r"^#+ (.+)$", bare, re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.append(re.sub(r"[^\w\- ]", "", shown).strip().replace(" ", "-"))
    return found


def broken(page: Path, text: str) -> Iterator[str]:
    """Links of a page that lead nowhere here; those to other hosts are not followed."""
    links = re.findall(r"\]\(([^)\s]+)\)|^\[[^]]+\]: (\S+)", text, re.MULTILINE)
    for link in (inline or named for inline, named in links):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if re.match(r"[a-z]+:", link):
            continue
        known = text if target == page else target.read_text() if target.is_file() else ""
        if not target.exists() or (anchor and anchor not in anchors(known)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path):
    assert [*broken(page, page.read_text())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_two_headings_of_a_page_are_called_the_same(page: Path):
    times = Counter(anchors(page.read_text()))

    assert [anchor for anchor in times if times[anchor] > 1] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_whose_commands_name_the_deployment_says_what_it_is_of_a_statefulset(page: Path):
    text = page.read_text()
    named = re.findall(r"\bdeploy(?:ment)?[/ ]iris(?![-\w])", text)

    assert set(named) <= {"deployment/iris"}
    assert not named or re.search(r"pod/iris-0|statefulset/iris", text)


def test_a_link_that_leads_nowhere_is_found():
    text = "# A (b): `c`\n[1](#a-b-c) [2](#d) [3](lab.md) [4](lab.md#no) [5](no.md)\n\n[x]: no.md"

    assert [*broken(ROOT / "docs" / "forms.md", text)] == ["#d", "lab.md#no", "no.md", "no.md"]
