"""Dashboards for Grafana, made from what is worth seeing of each subject."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("dashboards")

WIDTH = 24
"""Columns of Grafana's grid."""
PER_ROW = 3
HEIGHTS = {"stat": 4, "timeseries": 8}

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that the person who looks has chosen: no name, no address, no password."""


def dashboards(namespace: str, *, longhorn: bool) -> dict[str, str]:
    """Dashboards as Grafana's JSON, by the name of their file."""
    names = ["iris", *(["longhorn"] if longhorn else [])]
    return {
        f"ha-iris-{namespace}-{name}.json": json.dumps(dashboard(name, namespace), indent=1)
        for name in names
    }


def dashboard(name: str, namespace: str) -> dict[str, Any]:
    """One dashboard, as data."""
    text = (FOLDER / f"{name}.yaml").read_text().replace("IRIS_NAMESPACE", namespace)
    described = yaml.safe_load(text)
    return {
        "uid": f"ha-iris-{name}-{namespace}"[:40],
        "title": described["title"],
        "tags": ["ha-iris"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                }
            ]
        },
        "panels": list(_panels(described["panels"])),
    }


def expressions(described: dict[str, Any]) -> list[str]:
    """Every expression of a dashboard that ``dashboard`` made."""
    return [target["expr"] for panel in described["panels"] for target in panel["targets"]]


def _panels(described: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Panels from left to right and from top to bottom, those of a kind in rows of their own."""
    x = y = 0
    previous = ""
    for number, panel in enumerate(described, 1):
        kind = panel.get("kind", "timeseries")
        width = WIDTH // (2 * PER_ROW if kind == "stat" else PER_ROW)
        if previous and (kind != previous or x + width > WIDTH):
            x, y = 0, y + HEIGHTS[previous]
        yield {
            "id": number,
            "type": kind,
            "title": panel["title"],
            "description": panel.get("description", ""),
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": width, "h": HEIGHTS[kind]},
            "fieldConfig": {
                "defaults": {
                    "unit": panel.get("unit", "short"),
                    "mappings": [_mapping(panel["values"])] if "values" in panel else [],
                    **({"min": panel["min"]} if "min" in panel else {}),
                },
                "overrides": [],
            },
            "targets": [
                {
                    "refId": chr(ord("A") + index),
                    "datasource": SOURCE,
                    "expr": expression,
                    "legendFormat": legend,
                }
                for index, (legend, expression) in enumerate(panel["shows"].items())
            ],
        }
        x, previous = x + width, kind


def _mapping(values: dict[int, list[str]]) -> dict[str, Any]:
    """Numbers that stand for words, each with a colour."""
    return {
        "type": "value",
        "options": {
            str(value): {"index": index, "text": text, "color": color}
            for index, (value, (text, color)) in enumerate(values.items())
        },
    }
