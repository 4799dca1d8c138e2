"""What differs between two sets of inputs, what replaces an object, and what has drifted."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes.utils.quantity import parse_quantity

Path = tuple[str | int, ...]

IMMUTABLE: dict[str, list[Path]] = {
    "ConfigMap": [("data",), ("binaryData",), ("immutable",)],
    "Secret": [("data",), ("stringData",), ("immutable",), ("type",)],
    "PersistentVolumeClaim": [("spec",)],
    "PersistentVolume": [("spec", "csi")],
    "StorageClass": [
        ("parameters",),
        ("provisioner",),
        ("reclaimPolicy",),
        ("volumeBindingMode",),
    ],
    "PriorityClass": [("value",), ("preemptionPolicy",)],
    "Deployment": [("spec", "selector")],
    "StatefulSet": [
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "podManagementPolicy"),
        ("spec", "volumeClaimTemplates"),
    ],
    "Job": [("spec", "selector"), ("spec", "template"), ("spec", "completions")],
    "RoleBinding": [("roleRef",)],
    "ClusterRoleBinding": [("roleRef",)],
}
"""Fields that cannot change in place, by kind (Kubernetes API reference 1.35), beside the name.

Contents of Secrets and ConfigMaps can, but pulumi-kubernetes replaces those too, so that what
uses them is told.
"""

MUTABLE: list[Path] = [
    ("spec", "resources", "requests", "storage"),
    ("spec", "volumeAttributesClassName"),
]
"""What may change below the immutable fields of a claim."""

IDENTITY: list[Path] = [
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
]


def changed(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every place where two values differ, with ``add``, ``delete`` or ``update``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key not in new:
                yield (*path, key), "delete"
            elif key not in old:
                yield (*path, key), "add"
            else:
                yield from changed(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from changed(before, after, (*path, index))
    elif old != new:
        yield path, "update"


def replaces(kind: str, path: Path, *, in_place: bool = False) -> bool:
    """Whether a change at this place needs another object.

    ``in_place``: the object is a Secret whose contents may change, as the provider's setting
    enableSecretMutable allows for one that is not immutable.
    """
    frozen = IDENTITY + ([("type",)] if in_place else IMMUTABLE.get(kind, []))
    return any(path[: len(field)] == field for field in frozen) and path not in MUTABLE


def as_text(path: Path) -> str:
    """A place as the engine writes it: ``spec.ports[0].port``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


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
    try:
        return parse_quantity(one) == parse_quantity(other)
    except ValueError:
        return False
