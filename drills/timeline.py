"""A picture of one run: when clients were served, the fault shaded, the phases named."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from drills.attempts import Attempt
from drills.run import Run

WIDTH, LEFT, RIGHT = 960, 70, 20
TOP, HEIGHT, PHASE = 60, 140, 18
BEFORE = 10.0
"""Seconds before the fault that are shown."""
COLOURS = {"acknowledged": "#2b7a4b", "failed": "#b3261e", "unknown": "#b26a00"}
STYLE = "font-family: sans-serif; font-size: 12px"


def timeline(run: Run, where: str) -> str:
    """An SVG document, in which time goes from left to right and latency upwards."""
    shown = [a for a in run.attempts if a.ended >= run.began - BEFORE]
    end = max((a.ended for a in shown), default=run.began + 1) - run.began
    scale = (WIDTH - LEFT - RIGHT) / (end + BEFORE)
    height = TOP + HEIGHT + PHASE * (len(run.phases) + 2) + 30

    def x(seconds: float) -> float:
        return round(LEFT + (seconds + BEFORE) * scale, 1)

    size = {"width": str(WIDTH), "height": str(height), "viewBox": f"0 0 {WIDTH} {height}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "style": STYLE, **size})
    SubElement(root, "rect", _box(0, 0, WIDTH, height, "white"))
    when = datetime.fromtimestamp(run.began, UTC).isoformat(timespec="seconds")
    _text(root, LEFT, 20, f"{run.scenario} on {run.node}, {when}", weight="bold")
    _text(root, LEFT, 38, where)
    first = run.recovery.first
    until = end if first is None else first
    SubElement(root, "rect", _box(x(0), TOP, x(until) - x(0), HEIGHT, "#f4d9d6"))
    said = "not served again" if first is None else f"served again after {first:.1f} s"
    _text(root, x(0) + 4, TOP + 14, said)
    _attempts(root, shown, run.began, x)
    bottom = TOP + HEIGHT
    SubElement(root, "line", _line(LEFT, bottom, WIDTH - RIGHT, bottom, "#333"))
    for second in _ticks(end):
        SubElement(root, "line", _line(x(second), bottom, x(second), bottom + 4, "#333"))
        _text(root, x(second), bottom + 16, f"{second:g} s", anchor="middle")
    y = bottom + 26
    begins = 0.0
    for name, ends in sorted(run.phases.items(), key=lambda item: item[1]):
        width = max(x(ends) - x(begins), 1.5)
        SubElement(root, "rect", _box(x(begins), y, width, PHASE - 5, "#7d8fb3"))
        _text(root, x(ends) + 4, y + 11, f"{name} {ends:.1f} s")
        begins, y = max(begins, ends), y + PHASE
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _attempts(root: Element, attempts: Iterable[Attempt], began: float, x) -> None:
    """A stroke for each attempt, as high as it took long; those that failed below the line."""
    found = list(attempts)
    longest = max((a.seconds for a in found if a.good), default=0.0) or 1.0
    for attempt in found:
        at = x(attempt.begun - began)
        tall = 6 + (HEIGHT - 30) * min(attempt.seconds / longest, 1) if attempt.good else 8
        foot = TOP + HEIGHT
        colour = COLOURS[attempt.outcome]
        SubElement(root, "line", _line(at, foot, at, foot - round(tall, 1), colour))
    _text(root, 4, TOP + 26, f"{longest * 1000:.0f} ms")


def _ticks(end: float) -> list[float]:
    step = next(s for s in (5, 10, 20, 30, 60, 120, 300, 600, 1e9) if end / s <= 12)
    return [step * number for number in range(int(end // step) + 1)]


def _box(x: float, y: float, width: float, height: float, fill: str) -> dict[str, str]:
    box = {"x": x, "y": y, "width": round(width, 1), "height": height}
    return {**{key: str(value) for key, value in box.items()}, "fill": fill}


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str) -> dict[str, str]:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return {**{key: str(value) for key, value in ends.items()}, "stroke": stroke}


def _text(
    root: Element, x: float, y: float, text: str, *, weight: str = "normal", anchor: str = "start"
) -> None:
    place = {"x": str(x), "y": str(y), "font-weight": weight, "text-anchor": anchor}
    SubElement(root, "text", place).text = text
