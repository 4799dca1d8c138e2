"""Faults of machines and of what connects them, and of the cluster's own services."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from drills import DrillError
from drills.evidence import await_copies_lost, await_silent
from drills.faults import Case, delete, evict
from drills.faults.marked import cordoned, scaled_away

AWAY_SECONDS = 60
FENCING = "app.kubernetes.io/name=ha-iris-fencing"
AGENT_SECONDS = 120


@contextlib.contextmanager
def node_drained(case: Case) -> Iterator[None]:
    """Cordon the node and evict the database, as an upgrade of the node does."""
    with cordoned(case.api, case.place.node):
        evict(case)
        yield


@contextlib.contextmanager
def node_crashed(case: Case) -> Iterator[None]:
    """The kernel of the database's node stops at once."""
    with case.site.crash([case.place.node], case.hold):
        _silent(case, [case.place.node])
        yield


@contextlib.contextmanager
def power_cut(case: Case) -> Iterator[None]:
    """The database's node loses its power until the run ends."""
    with _without_power(case, [case.place.node]):
        yield


def partition_full(case: Case) -> contextlib.AbstractContextManager[None]:
    """The database's node is cut off from everything."""
    return _partition(case, "full")


def partition_api(case: Case) -> contextlib.AbstractContextManager[None]:
    """The database's node is cut off from the API server, and not from its peers."""
    return _partition(case, "api")


@contextlib.contextmanager
def partition_peers(case: Case) -> Iterator[None]:
    """The database's node is cut off from its peers, and not from the API server."""
    with case.site.partition(case.place.node, "peers", case.hold):
        await_copies_lost(lambda: case.subject.longhorn("volumes"), case.place.volumes)
        yield


@contextlib.contextmanager
def zone_lost(case: Case) -> Iterator[None]:
    """Every node of the database's zone loses its power until the run ends."""
    zone = case.place.zone
    nodes = case.subject.nodes(zone=zone) if zone else [case.place.node]
    if len(nodes) == len(case.subject.nodes()):
        raise DrillError(
            f"zone {zone or 'of no name'}",
            "all nodes are in it, so that there is nowhere to come back",
            "drill a cluster that spans zones, or drill power-cut",
        )
    with _without_power(case, nodes):
        yield


@contextlib.contextmanager
def nodes_restarted(case: Case) -> Iterator[None]:
    """Every node is drained and started anew, one after the other, the database's first."""
    names = [case.place.node, *(n for n in case.subject.nodes() if n != case.place.node)]
    for name in names:
        with cordoned(case.api, name):
            case.subject.settle()
            place = case.subject.place()
            if place.node == name:
                evict(replace(case, place=place))
            case.subject.settle()
            case.site.restart(name)
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
    namespaces = {agent["metadata"]["namespace"] for agent in agents}
    paths = [
        f"/apis/apps/v1/namespaces/{agent['metadata']['namespace']}/deployments/"
        f"{agent['metadata']['name']}"
        for agent in agents
    ]
    with scaled_away(case.api, paths):
        deadline = time.monotonic() + AGENT_SECONDS
        while any(
            case.api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=FENCING)
            for namespace in namespaces
        ):
            if time.monotonic() > deadline:
                raise DrillError(
                    "the fencing agent",
                    f"still has pods {AGENT_SECONDS} s after it was scaled away",
                    "see who scales it back",
                )
            time.sleep(0.5)
        with node_crashed(case):
            yield


@contextlib.contextmanager
def registry_away(case: Case) -> Iterator[None]:
    """The pod is deleted, its node takes it no more, and no other node has or gets the image."""
    containers = case.api.get(case.pod)["spec"]["containers"]
    image = next(c["image"] for c in containers if c["name"] == "iris")
    others = [name for name in case.subject.nodes() if name != case.place.node]
    with (
        case.site.without_image(others, image, case.hold),
        cordoned(case.api, case.place.node),
    ):
        delete(case)
        yield


@contextlib.contextmanager
def control_plane_away(case: Case) -> Iterator[None]:
    """Nothing reaches the API server for a minute; the database needs none while it runs."""
    with case.site.control_plane_away(min(AWAY_SECONDS, case.hold)):
        yield


@contextlib.contextmanager
def _partition(case: Case, what: str) -> Iterator[None]:
    with case.site.partition(case.place.node, what, case.hold):
        _silent(case, [case.place.node])
        yield


@contextlib.contextmanager
def _without_power(case: Case, nodes: Sequence[str]) -> Iterator[None]:
    with case.site.power_off(nodes):
        _silent(case, nodes)
        yield


def _silent(case: Case, nodes: Sequence[str]) -> None:
    await_silent(case.api, nodes, "see what the pods in ha-iris-drills, or your command, have done")
