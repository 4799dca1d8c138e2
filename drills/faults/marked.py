"""Changes of the cluster's own objects, marked with how it was: a drill undoes them at its end, and
`drills clean` those of one that was killed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from drills.api import Api
from drills.undo import undo

CORDONED = "drills.ha-iris/cordoned"
"""Annotation of a node that a drill has cordoned; one that a person had has none."""
REPLICAS = "drills.ha-iris/replicas"
"""Annotation of a workload that a drill has scaled away: how many replicas it had."""
CURE = "once the cluster answers, `python -m drills clean --stack STACK` does it"
NODES = "/api/v1/nodes"


@contextlib.contextmanager
def cordoned(api: Api, node: str) -> Iterator[None]:
    """Cordon a node; one that was cordoned before stays so afterwards."""
    found = api.get(f"{NODES}/{node}")
    if found["spec"].get("unschedulable") and CORDONED not in _annotations(found):
        yield
        return
    try:
        _cordon(api, node, on=True)
        yield
    finally:
        undo({f"cordon of {node}": partial(_cordon, api, node, on=False)}, CURE)


@contextlib.contextmanager
def scaled_away(api: Api, workloads: Sequence[str]) -> Iterator[None]:
    """Have no pods of these workloads, named by their paths."""
    steps: dict[str, Callable[[], object]] = {}
    try:
        for path in workloads:
            found = api.get(path)
            # Where a killed drill was before, it is the number before that one.
            had = int(_annotations(found).get(REPLICAS) or found["spec"].get("replicas", 1))
            steps[f"scale of {path}"] = partial(_scale_back, api, path, had)
            _patch(api, path, {REPLICAS: str(had)}, {"replicas": 0})
        yield
    finally:
        undo(steps, CURE)


def mend(api: Api) -> list[str]:
    """Undo what a killed drill has left; says what that was."""
    steps: dict[str, Callable[[], object]] = {}
    for node in api.items(NODES):
        if CORDONED in _annotations(node):
            name = node["metadata"]["name"]
            steps[f"uncordoned {name}"] = partial(_cordon, api, name, on=False)
    for plural in ("deployments", "statefulsets"):
        for workload in api.items(f"/apis/apps/v1/{plural}"):
            if REPLICAS in _annotations(workload):
                meta, had = workload["metadata"], int(_annotations(workload)[REPLICAS])
                path = f"/apis/apps/v1/namespaces/{meta['namespace']}/{plural}/{meta['name']}"
                what = f"scaled {meta['namespace']}/{meta['name']} to {had}"
                steps[what] = partial(_scale_back, api, path, had)
    undo(steps, CURE)
    return [*steps]


def _cordon(api: Api, node: str, *, on: bool) -> None:
    _patch(
        api, f"{NODES}/{node}", {CORDONED: "true" if on else None}, {"unschedulable": on or None}
    )


def _scale_back(api: Api, path: str, replicas: int) -> None:
    _patch(api, path, {REPLICAS: None}, {"replicas": replicas})


def _patch(api: Api, path: str, annotations: dict[str, str | None], spec: dict[str, Any]) -> None:
    api.request("PATCH", path, {"metadata": {"annotations": annotations}, "spec": spec})


def _annotations(item: dict[str, Any]) -> dict[str, str]:
    return item["metadata"].get("annotations") or {}
