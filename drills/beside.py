"""A picture of one scenario in several labs: a bar for each, its outage in phases, on one axis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from drills import DrillError
from drills.phases import NAMES

WIDTH, LEFT, RIGHT, TOP = 960, 20, 20, 92
LANE, BAR = 92, 26
BEFORE = 10.0
"""Seconds before the fault that are shown."""
AFTER = 1.12
"""How much further than the slowest recovery the axis goes."""
CHARACTER = 6.4
"""Width of one in the picture's font, about."""

TITLES = {
    "article": "the article's manifest",
    "ours": "ha-iris",
    "fenced": "ha-iris with fencing",
}
COLOURS = {
    "noticed": "#d9534f",
    "evicted": "#e8883a",
    "fenced": "#8e63b8",
    "detached": "#c9a227",
    "attached": "#4f83cc",
    "started": "#3aa6a0",
    "ready": "#5b9e5f",
    "routed": "#8aa05b",
}
STYLE = """
text { font: 12px sans-serif; fill: #222 } .bold { font-weight: bold } .faint { fill: #666 }
.on-bar { fill: #fff } .paper { fill: #fff } .served { fill: #cfe6d2 } .outage { fill: #f4d9d6 }
.axis { stroke: #888 } .spread { stroke: #222 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e6e6 } .faint { fill: #a5a5a5 } .on-bar { fill: #fff } .paper { fill: #0d1117 }
  .served { fill: #24452b } .outage { fill: #4a2422 } .spread { stroke: #e6e6e6 }
}
"""


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The reports of a comparison's scenario, by the lab's name.

    Raises:
        DrillError: there are none.
    """
    found = {name: folder / name / "report.json" for name in TITLES}
    reports = {name: json.loads(file.read_text()) for name, file in found.items() if file.exists()}
    if not reports:
        raise DrillError(
            str(folder), "has no report of a lab", "name a scenario's folder of `drills compare`"
        )
    return reports


def beside(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """An SVG document: of each lab the run in the middle, and the spread of all its runs.

    Args:
        reports: summaries of drills, by the lab's name.
    """
    longest = max((report["rto"]["max"] or 0.0 for report in reports.values()), default=0.0)
    end = (longest or 60.0) * AFTER
    scale = (WIDTH - LEFT - RIGHT) / (end + BEFORE)
    height = TOP + LANE * len(reports) + 40

    def x(seconds: float) -> float:
        return round(LEFT + (seconds + BEFORE) * scale, 1)

    size = {"width": str(WIDTH), "height": str(height), "viewBox": f"0 0 {WIDTH} {height}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
    SubElement(root, "style").text = STYLE
    _box(root, 0, 0, WIDTH, height, "paper")
    drilled = ", ".join(dict.fromkeys(report["scenario"] for report in reports.values()))
    _text(root, LEFT, 24, f"{drilled}: seconds from the fault to the first success", "bold")
    _legend(root, reports.values())
    bottom = TOP + LANE * len(reports)
    for number, (name, report) in enumerate(reports.items()):
        _lane(root, TOP + LANE * number, name, report, x, end)
    SubElement(root, "line", _ends(LEFT, bottom, WIDTH - RIGHT, bottom) | {"class": "axis"})
    for second in range(0, int(end) + 1, _step(end)):
        SubElement(
            root, "line", _ends(x(second), bottom, x(second), bottom + 4) | {"class": "axis"}
        )
        _text(root, x(second), bottom + 18, f"{second} s", "faint", anchor="middle")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _lane(
    root: Element,
    top: float,
    name: str,
    report: Mapping[str, Any],
    x: Callable[[float], float],
    end: float,
) -> None:
    """One lab: title, bar, whisker of the spread, and its phases in words."""
    run, rto = _middle(report), report["rto"]
    first = run["first"]
    _text(root, LEFT, top + 12, TITLES[name], "bold")
    said = f"not back within the limit, {rto['runs']} of {rto['runs']} runs"
    if first is not None:
        said = f"{rto['median']:.0f} s ({rto['min']:.0f} to {rto['max']:.0f}, {rto['runs']} runs)"
    _text(root, LEFT + 180, top + 12, said)
    bar = top + 20
    _box(root, x(-BEFORE), bar, x(0) - x(-BEFORE), BAR, "served")
    until = end if first is None else first
    _box(root, x(0), bar, x(until) - x(0), BAR, "outage")
    if first is not None:
        _box(root, x(first), bar, x(end) - x(first), BAR, "served")
    begins = 0.0
    words = []
    for phase, ends in sorted(run["phases"].items(), key=lambda item: item[1]):
        words.append(f"{phase} {ends:.0f}")
        if ends <= begins:
            continue
        wide = max(x(ends) - x(begins) - 1, 1.0)
        SubElement(root, "rect", _size(x(begins), bar, wide, BAR) | {"fill": COLOURS[phase]})
        if wide > CHARACTER * len(phase) + 8:
            _text(root, x(begins) + 4, bar + 17, phase, "on-bar")
        begins = ends
    if first is None:
        _text(root, x(begins) + 6, bar + 17, "still down")
    elif rto["max"] > rto["min"]:
        whisker = bar + BAR + 5
        for ends in (
            (x(rto["min"]), whisker, x(rto["max"]), whisker),
            (x(rto["min"]), whisker - 3, x(rto["min"]), whisker + 3),
            (x(rto["max"]), whisker - 3, x(rto["max"]), whisker + 3),
        ):
            SubElement(root, "line", _ends(*ends) | {"class": "spread"})
    _text(root, LEFT, bar + BAR + 21, ", ".join(words), "faint")


def _legend(root: Element, reports: Iterable[Mapping[str, Any]]) -> None:
    """What each colour waits for, as far as it is in the picture."""
    shown = {phase for report in reports for phase in _middle(report)["phases"]}
    at = float(LEFT)
    _text(root, LEFT, 48, "each colour ends with:", "faint")
    at += CHARACTER * 23
    for phase in NAMES:
        if phase in shown:
            SubElement(root, "rect", _size(at, 39, 10, 10) | {"fill": COLOURS[phase]})
            _text(root, at + 14, 48, phase)
            at += 14 + CHARACTER * (len(phase) + 2)
    _text(
        root, LEFT, 68, "whisker: least to greatest of all runs; the bar: the middle one", "faint"
    )


def _middle(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run in the middle; one that did not recover counts as the slowest."""
    runs = sorted(report["runs"], key=lambda run: (run["first"] is None, run["first"] or 0))
    return runs[(len(runs) - 1) // 2]


def _step(end: float) -> int:
    return next(step for step in (5, 10, 20, 30, 60, 120, 300, 600) if end / step <= 16)


def _size(x: float, y: float, width: float, height: float) -> dict[str, str]:
    box = {"x": x, "y": y, "width": round(width, 1), "height": height}
    return {key: str(value) for key, value in box.items()}


def _box(root: Element, x: float, y: float, width: float, height: float, kind: str) -> None:
    SubElement(root, "rect", _size(x, y, width, height) | {"class": kind})


def _ends(x1: float, y1: float, x2: float, y2: float) -> dict[str, str]:
    return {"x1": str(x1), "y1": str(y1), "x2": str(x2), "y2": str(y2)}


def _text(
    root: Element, x: float, y: float, text: str, kind: str = "", *, anchor: str = "start"
) -> None:
    place = {"x": str(round(x, 1)), "y": str(y), "class": kind, "text-anchor": anchor}
    SubElement(root, "text", place).text = text
