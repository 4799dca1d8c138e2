"""The picture of one scenario in several labs."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from drills import DrillError
from drills.beside import beside, read

SVG = "{http://www.w3.org/2000/svg}"


def drilled(*firsts: float | None, **phases: float) -> dict[str, Any]:
    """A report of runs that were served again after so many seconds."""
    served = [first for first in firsts if first is not None]
    spread = {
        "min": min(served, default=None),
        "median": sorted(served)[len(served) // 2] if served else None,
        "max": max(served, default=None),
        "runs": len(firsts),
    }
    runs = [{"first": first, "phases": phases} for first in firsts]
    return {"scenario": "power-cut", "rto": spread, "runs": runs}


def texts(picture: str) -> list[str]:
    return [item.text or "" for item in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def wide(picture: str, kind: str) -> list[float]:
    """Widths of the bars of a kind."""
    found = ElementTree.fromstring(picture).iter(f"{SVG}rect")
    return [float(bar.attrib["width"]) for bar in found if bar.get("class") == kind]


def test_the_outage_of_each_lab_is_drawn_to_one_scale_and_its_phases_are_named():
    ours = drilled(140, 125, 238, noticed=43, attached=124, ready=140)
    picture = beside({"article": drilled(None, None), "ours": ours})

    never, middle = wide(picture, "outage")
    # The axis goes on for an eighth after the slowest run, and the bar is the run in the middle.
    assert middle / never == pytest.approx(140 / (238 * 1.12), abs=0.01)
    assert {"ha-iris", "140 s (125 to 238, 3 runs)"} <= set(texts(picture))
    assert {"noticed", "attached"} <= set(texts(picture))
    assert "noticed 43, attached 124, ready 140" in texts(picture)


def test_a_lab_that_never_came_back_says_so():
    assert "not back within the limit, 2 of 2 runs" in texts(
        beside({"article": drilled(None, None)})
    )


def test_the_picture_is_drawn_from_the_reports_of_a_comparison(tmp_path: Path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "report.json").write_text(json.dumps(drilled(20)))

    assert list(read(tmp_path)) == ["ours"]
    with pytest.raises(DrillError, match="has no report of a lab"):
        read(tmp_path / "ours")
