"""The inputs of an object as the cluster has them now: what a refresh writes down."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any


def observed(inputs: Any, live: Any) -> Any:
    """The inputs as the cluster has them now: fields that we did not set are not ours to see."""
    if isinstance(inputs, Mapping) and isinstance(live, Mapping):
        # The server keeps no empty list or map.
        found = {
            key: observed(value, live[key]) if live.get(key) is not None else value
            for key, value in inputs.items()
            if live.get(key) is not None or value in ([], {})
        }
        if "stringData" in inputs:
            # Written once and shown as data from then on.
            data = live.get("data") or {}
            found["stringData"] = {
                key: base64.b64decode(data[key]).decode()
                for key in inputs["stringData"]
                if key in data
            }
        return found
    if isinstance(inputs, list) and isinstance(live, list):
        if _named(inputs) and _named(live):
            by_name = {item["name"]: item for item in live}
            return [
                observed(item, by_name[item["name"]]) for item in inputs if item["name"] in by_name
            ]
        if len(inputs) == len(live):
            return [observed(*pair) for pair in zip(inputs, live, strict=True)]
    return inputs if _same_quantity(inputs, live) else live


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) and "name" in item for item in items)


def _same_quantity(one: Any, other: Any) -> bool:
    """Whether two texts are one quantity, as 1024Mi and 1Gi are."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    if not (one[:1].isdigit() and other[:1].isdigit()):
        return False
    # Imported when it is needed: with it comes the official client, most of a second.
    from kubernetes.utils.quantity import parse_quantity

    try:
        return parse_quantity(one) == parse_quantity(other)
    except ValueError:
        return False
