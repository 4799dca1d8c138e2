"""Faults of Longhorn: its managers, its engines, its copies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drills import DrillError
from drills.evidence import await_gone
from drills.faults import Case
from drills.subject import LONGHORN

LONGHORN_PODS = "/api/v1/namespaces/longhorn-system/pods"


@contextlib.contextmanager
def manager_killed(case: Case) -> Iterator[None]:
    """The longhorn-manager of the database's node is deleted."""
    _delete_longhorns(case, "app=longhorn-manager")
    yield


@contextlib.contextmanager
def instance_manager_killed(case: Case) -> Iterator[None]:
    """The instance-manager of the database's node is deleted: the volume's engine is in it."""
    _delete_longhorns(case, "longhorn.io/component=instance-manager")
    yield


@contextlib.contextmanager
def replica_destroyed(case: Case) -> Iterator[None]:
    """One copy of the volume, on another node than the database's, is deleted with its data."""
    volume = case.place.volumes[0]
    copies = case.subject.longhorn("replicas", f"longhornvolume={volume}")
    healthy = [r for r in copies if r["spec"].get("healthyAt") and not r["spec"].get("failedAt")]
    others = [r for r in healthy if r["spec"].get("nodeID") != case.place.node]
    if len(healthy) < 2 or not others:
        raise DrillError(
            f"volume {volume}",
            f"{len(healthy)} healthy copies, of which {len(others)} on other nodes: the last ones "
            "are not destroyed",
            "drill a volume with at least two healthy copies",
        )
    meta = others[0]["metadata"]
    path = f"{LONGHORN}/replicas/{meta['name']}"
    case.api.request("DELETE", path)
    await_gone(case.api, path, meta["uid"])
    yield


def _delete_longhorns(case: Case, selector: str) -> None:
    where = {"labelSelector": selector, "fieldSelector": f"spec.nodeName={case.place.node}"}
    pods = case.api.items(LONGHORN_PODS, **where)
    if not pods:
        raise DrillError(
            selector, f"no such pod on {case.place.node}", "see whether Longhorn runs there"
        )
    for pod in pods:
        meta = pod["metadata"]
        path = f"{LONGHORN_PODS}/{meta['name']}"
        case.api.request("DELETE", path, {"gracePeriodSeconds": 0})
        await_gone(case.api, path, meta["uid"])
