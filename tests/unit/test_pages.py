"""Every link of the pages leads to a file, and to a heading where it names one."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", bare, re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", shown).strip().replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
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


def test_a_link_that_leads_nowhere_is_found():
    text = "# A (b): `c`\n[1](#a-b-c) [2](#d) [3](lab.md) [4](lab.md#no) [5](no.md)\n\n[x]: no.md"

    assert [*broken(ROOT / "docs" / "forms.md", text)] == ["#d", "lab.md#no", "no.md", "no.md"]
