"""RTO and RPO over time: a picture of the file that grows by one line with each drill."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from drills import DrillError

WIDTH, LEFT, BAND, GAP = 960, 190, 60, 18


def read(path: Path) -> list[dict[str, Any]]:
    """The drills of a file, oldest first.

    Raises:
        DrillError: there is none, or a line is no drill.
    """
    try:
        found = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        shown = [(one["date"], one["scenario"], one["rto"]["median"]) for one in found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DrillError(str(path), f"is no history of drills: {error}", "name another") from None
    return [found[at] for at in sorted(range(len(found)), key=lambda at: shown[at][0])]


def chart(drills: list[dict[str, Any]]) -> str:
    """An SVG document: a band for every scenario and every SynchCommit, which decides what a crash
    may lose; in it a stroke from least to greatest RTO for
    each drill, a dot at the middle, and a red ring where something acknowledged was lost."""
    bands: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for drill in drills:
        synch = drill.get("synchCommit")
        bands[drill["scenario"] + (f", SynchCommit {synch}" if synch else "")].append(drill)
    height = 40 + len(bands) * (BAND + GAP)
    size = {"width": str(WIDTH), "height": str(height), "viewBox": f"0 0 {WIDTH} {height}"}
    style = "font-family: sans-serif; font-size: 12px"
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "style": style, **size})
    SubElement(root, "rect", {"width": str(WIDTH), "height": str(height), "fill": "white"})
    for row, (name, found) in enumerate(bands.items()):
        top = 30 + row * (BAND + GAP)
        greatest = max((drill["rto"]["max"] or 0 for drill in found), default=0) or 1
        _text(root, 8, top + 20, name)
        _text(root, 8, top + 38, f"up to {greatest:.0f} s")
        for column, drill in enumerate(found):
            x = LEFT + (column + 0.5) * (WIDTH - LEFT - 20) / len(found)
            _drill(root, drill, x, top, greatest)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _drill(root: Element, drill: dict[str, Any], x: float, top: float, greatest: float) -> None:
    def y(seconds: float) -> str:
        return f"{top + BAND * (1 - seconds / greatest):.1f}"

    rto = drill["rto"]
    if rto["median"] is None:
        _text(root, x - 4, top + BAND, "x")
        return
    ends = {"x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": y(rto["min"]), "y2": y(rto["max"])}
    SubElement(root, "line", {**ends, "stroke": "#7d8fb3", "stroke-width": "3"})
    lost = (drill.get("rpo") or {}).get("max") or 0
    dot = {"cx": f"{x:.1f}", "cy": y(rto["median"]), "r": "4", "fill": "#2b7a4b"}
    ring = {"stroke": "#b3261e", "stroke-width": "3"} if lost else {}
    mark = SubElement(root, "circle", {**dot, **ring})
    said = f"{drill['date']} {drill['versions']}: {rto['median']:.1f} s, {lost} lost"
    SubElement(mark, "title").text = said


def _text(root: Element, x: float, y: float, text: str) -> None:
    SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}"}).text = text
