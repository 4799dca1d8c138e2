"""Faults of machines and of what connects them, and of the cluster's own services."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from drills import DrillError
from drills.api import Api
from drills.faults import Case, evict, scale
from drills.sites import await_ready

AWAY_SECONDS = 60
DRILLED = "drills.ha-iris/cordoned"
"""Annotation of nodes that a drill has cordoned, by which `drills clean` finds them."""
FENCING = "app.kubernetes.io/name=ha-iris-fencing"


@contextlib.contextmanager
def node_drained(case: Case) -> Iterator[None]:
    """Cordon the node and evict the database, as an upgrade of the node does."""
    with _cordoned(case.api, case.place.node):
        evict(case, case.place.pod)
        yield


def node_crashed(case: Case) -> contextlib.AbstractContextManager[None]:
    """The kernel of the database's node stops at once."""
    return case.site.crash([case.place.node], case.hold)


def power_cut(case: Case) -> contextlib.AbstractContextManager[None]:
    """The database's node loses its power."""
    return case.site.power_off([case.place.node])


def partition_full(case: Case) -> contextlib.AbstractContextManager[None]:
    """The database's node is cut off from everything."""
    return case.site.partition(case.place.node, "full", case.hold)


def partition_api(case: Case) -> contextlib.AbstractContextManager[None]:
    """The database's node is cut off from the API server, and not from its peers."""
    return case.site.partition(case.place.node, "api", case.hold)


def partition_peers(case: Case) -> contextlib.AbstractContextManager[None]:
    """The database's node is cut off from its peers, and not from the API server."""
    return case.site.partition(case.place.node, "peers", case.hold)


def zone_lost(case: Case) -> contextlib.AbstractContextManager[None]:
    """Every node of the database's zone loses its power."""
    zone = case.place.zone
    nodes = case.subject.nodes(zone=zone) if zone else [case.place.node]
    if len(nodes) == len(case.subject.nodes()):
        raise DrillError(
            f"zone {zone or 'of no name'}",
            "all nodes are in it, so that there is nowhere to come back",
            "drill a cluster that spans zones, or drill power-cut",
        )
    return case.site.power_off(nodes)


@contextlib.contextmanager
def nodes_restarted(case: Case) -> Iterator[None]:
    """Every node is drained and started anew, one after the other, the database's first."""
    names = [case.place.node, *(n for n in case.subject.nodes() if n != case.place.node)]
    for name in names:
        with _cordoned(case.api, name):
            with contextlib.suppress(DrillError):
                place = case.subject.place()
                if place.node == name:
                    evict(case, place.pod)
            case.subject.settle()
            case.site.restart(name)
        await_ready(case.api, name)
        case.subject.settle()
    yield


@contextlib.contextmanager
def fencing_agent_dead(case: Case) -> Iterator[None]:
    """The fencing agent is away when the database's node crashes."""
    agents = case.api.items("/apis/apps/v1/deployments", labelSelector=FENCING)
    if not agents:
        raise DrillError(
            "the fencing agent", f"no Deployment has the label {FENCING}", "drill node-crashed"
        )
    scaled: list[tuple[str, int]] = []
    try:
        for agent in agents:
            meta = agent["metadata"]
            path = f"/apis/apps/v1/namespaces/{meta['namespace']}/deployments/{meta['name']}"
            scaled.append((path, agent["spec"]["replicas"]))
            scale(case.api, path, 0)
        with case.site.crash([case.place.node], case.hold):
            yield
    finally:
        for path, replicas in scaled:
            scale(case.api, path, replicas)


@contextlib.contextmanager
def registry_away(case: Case) -> Iterator[None]:
    """The pod is deleted, its node takes it no more, and no other node has or gets the image."""
    containers = case.api.get(case.pod)["spec"]["containers"]
    image = next(c["image"] for c in containers if c["name"] == "iris")
    others = [name for name in case.subject.nodes() if name != case.place.node]
    with (
        case.site.without_image(others, image, case.hold),
        _cordoned(case.api, case.place.node),
    ):
        case.api.request("DELETE", case.pod)
        yield


def control_plane_away(case: Case) -> contextlib.AbstractContextManager[None]:
    """Nothing reaches the API server for a minute; the database needs none while it runs."""
    return case.site.control_plane_away(min(AWAY_SECONDS, case.hold))


def uncordon_drilled(api: Api) -> list[str]:
    """Uncordon the nodes that a killed drill has left cordoned; gives their names."""
    found = []
    for node in api.items("/api/v1/nodes"):
        if DRILLED in node["metadata"].get("annotations", {}):
            _cordon(api, node["metadata"]["name"], on=False)
            found.append(node["metadata"]["name"])
    return found


@contextlib.contextmanager
def _cordoned(api: Api, node: str) -> Iterator[None]:
    try:
        _cordon(api, node, on=True)
        yield
    finally:
        _cordon(api, node, on=False)


def _cordon(api: Api, node: str, *, on: bool) -> None:
    annotations = {DRILLED: "true" if on else None}
    patch: Any = {"metadata": {"annotations": annotations}, "spec": {"unschedulable": on or None}}
    api.request("PATCH", f"/api/v1/nodes/{node}", patch)
