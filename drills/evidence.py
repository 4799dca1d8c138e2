"""Whether a fault has happened, as the cluster tells it: a drill without one shows nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused
from drills.phases import is_ready

SILENT_SECONDS = 25
"""A kubelet renews its Lease every 10 s (Kubernetes, "Leases", "Node heartbeats")."""
WAIT_SECONDS = 120
PAUSE_SECONDS = 0.2
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def await_silent(api: Api, nodes: Iterable[str], cure: str) -> None:
    """Wait until no news has come from these nodes for a while. An API server that is out of reach
    has none.

    Raises:
        DrillError: some go on to renew their Leases.
    """
    began = time.monotonic()
    last = {node: (began, "") for node in nodes}
    while last and time.monotonic() < began + WAIT_SECONDS:
        for node, (since, told) in [*last.items()]:
            news = _news(api, node)
            if news not in (None, told):
                last[node] = (time.monotonic(), news or "")
            elif time.monotonic() - since >= SILENT_SECONDS:
                del last[node]
        time.sleep(PAUSE_SECONDS)
    if last:
        raise DrillError(
            f"node {', '.join(last)}",
            f"still renews its Lease {WAIT_SECONDS} s after it was to go silent: the fault has not "
            "happened",
            cure,
        )


def _news(api: Api, node: str) -> str | None:
    """What changes as long as a node speaks; None: the API server does not."""
    try:
        try:
            return str(api.get(f"{LEASES}/{node}")["spec"].get("renewTime"))
        except Refused as error:
            # A node without a Lease is never silent as long as it is Ready.
            if error.status == 404 and is_ready(api.get(f"/api/v1/nodes/{node}")):
                return str(time.monotonic())
    except (Refused, *UNREACHABLE):
        pass
    return None


def await_leaving(api: Api, path: str, uid: str) -> None:
    """Wait until an object is gone or on its way.

    Raises:
        DrillError: it stays.
    """

    def leaves() -> bool:
        meta = api.get(path)["metadata"]
        return meta.get("uid") != uid or bool(meta.get("deletionTimestamp"))

    _until(leaves, path, "was deleted and is there as before: the fault has not happened")


def await_gone(api: Api, path: str, uid: str, seconds: float | None = None) -> None:
    """Wait until there is no such object, or another one of its name.

    Raises:
        DrillError: it stays.
    """
    _until(
        lambda: api.get(path)["metadata"].get("uid") != uid,
        path,
        f"is still there after {seconds or WAIT_SECONDS:g} s",
        seconds,
    )


def await_restarted(api: Api, path: str, before: dict[str, Any]) -> None:
    """Wait until IRIS's container has ended since its pod was as `before`.

    Raises:
        DrillError: it has not.
    """

    def ended() -> bool:
        pod = api.get(path)
        return pod["metadata"].get("uid") != before["metadata"].get("uid") or _start(pod) != _start(
            before
        )

    _until(ended, path, "its container has not ended: the fault has not happened")


def await_copies_lost(volumes: Callable[[], list[dict[str, Any]]], names: Iterable[str]) -> None:
    """Wait until Longhorn says that a volume has lost copies.

    Args:
        volumes: reads Longhorn's volumes.
        names: of those that are looked at.

    Raises:
        DrillError: all of them are as whole as before.
    """
    chosen = set(names)

    def lost() -> bool:
        return any(
            volume.get("status", {}).get("robustness") in ("degraded", "faulted")
            for volume in volumes()
            if volume["metadata"]["name"] in chosen
        )

    what = f"volume {', '.join(sorted(chosen))}"
    _until(lost, what, "all its copies answer: the fault has not happened")


def _start(pod: dict[str, Any]) -> tuple[object, object]:
    """What changes when IRIS's container ends or starts."""
    for status in pod.get("status", {}).get("containerStatuses") or []:
        if status["name"] == "iris":
            return status.get("restartCount"), "running" in (status.get("state") or {})
    return None, None


def _until(
    happened: Callable[[], bool], what: str, otherwise: str, seconds: float | None = None
) -> None:
    deadline = time.monotonic() + (seconds or WAIT_SECONDS)
    while time.monotonic() < deadline:
        try:
            if happened():
                return
        except Refused as error:
            if error.status == 404:
                return
        except UNREACHABLE:
            pass
        time.sleep(PAUSE_SECONDS)
    raise DrillError(what, otherwise, "see its log and its events")
