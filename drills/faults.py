"""What is broken. A fault is a context: it holds as long as that does, and is undone after it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from drills import DrillError
from drills.api import Api, Refused
from drills.sites import Site, await_ready
from drills.subject import LONGHORN, Place, Subject

AWAY_SECONDS = 60
DATA = "/dur"
FILLER = f"{DATA}/ha-iris-drill-filler"
FREEZE = "##Class(Backup.General).ExternalFreeze()"
DRILLED = "drills.ha-iris/cordoned"
"""Annotation of nodes that a drill has cordoned, by which `drills clean` finds them."""
LONGHORN_PODS = "/api/v1/namespaces/longhorn-system/pods"
FENCING = "app.kubernetes.io/name=ha-iris-fencing"


@dataclass(frozen=True)
class Case:
    """One run: what is broken, where, and for how long at most."""

    subject: Subject
    site: Site
    place: Place
    hold: int
    """Seconds after which a fault that ends by itself does so."""

    @property
    def api(self) -> Api:
        """The cluster."""
        return self.subject.api

    @property
    def pod(self) -> str:
        """Path of the database's pod."""
        return f"{self.subject.path}/pods/{self.place.pod}"


Fault = Callable[[Case], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def clean_stop(case: Case) -> Iterator[None]:
    """Scale to none and back, as a planned stop does."""
    workload = case.subject.workload
    replicas = case.api.get(workload)["spec"].get("replicas", 1)
    try:
        _scale(case.api, workload, 0)
        _await_gone(case)
    finally:
        _scale(case.api, workload, replicas)
    yield


@contextlib.contextmanager
def iris_killed(case: Case) -> Iterator[None]:
    """SIGKILL to every process of the container but the first."""
    _execute(case, "kill -9 -1")
    yield


@contextlib.contextmanager
def frozen_and_killed(case: Case) -> Iterator[None]:
    """The same in the middle of a freeze for a backup."""
    _execute(case, f"iris session IRIS -U %SYS '{FREEZE}'; sleep 5; kill -9 -1")
    yield


@contextlib.contextmanager
def pod_deleted(case: Case) -> Iterator[None]:
    """kubectl delete pod."""
    case.api.request("DELETE", case.pod)
    yield


@contextlib.contextmanager
def node_drained(case: Case) -> Iterator[None]:
    """Cordon the node and evict the database, as an upgrade of the node does."""
    with _cordoned(case.api, case.place.node):
        _evict(case, case.place.pod)
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
            _scale(case.api, path, 0)
        with case.site.crash([case.place.node], case.hold):
            yield
    finally:
        for path, replicas in scaled:
            _scale(case.api, path, replicas)


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
    name = others[0]["metadata"]["name"]
    case.api.request("DELETE", f"{LONGHORN}/replicas/{name}")
    yield


@contextlib.contextmanager
def volume_full(case: Case) -> Iterator[None]:
    """A file takes what is left of the volume."""
    try:
        _execute(case, f"cat /dev/zero > {FILLER}; true")
        yield
    finally:
        _execute(case, f"rm -f {FILLER}")


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


@contextlib.contextmanager
def nodes_restarted(case: Case) -> Iterator[None]:
    """Every node is drained and started anew, one after the other, the database's first."""
    names = [case.place.node, *(n for n in case.subject.nodes() if n != case.place.node)]
    for name in names:
        with _cordoned(case.api, name):
            with contextlib.suppress(DrillError):
                place = case.subject.place()
                if place.node == name:
                    _evict(case, place.pod)
            case.subject.settle()
            case.site.restart(name)
        await_ready(case.api, name)
        case.subject.settle()
    yield


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


def _evict(case: Case, pod: str) -> None:
    kind = {"apiVersion": "policy/v1", "kind": "Eviction"}
    eviction = {**kind, "metadata": {"name": pod, "namespace": case.subject.namespace}}
    case.api.request("POST", f"{case.subject.path}/pods/{pod}/eviction", eviction)


def _execute(case: Case, script: str) -> str:
    """Run a script in the database's container.

    Raises:
        DrillError: nothing runs there.
    """
    if case.site.simulated:
        raise DrillError(
            case.place.pod,
            "no container runs on the lab's simulated nodes",
            "drill it on a cluster with real nodes",
        )
    command = ("/bin/sh", "-c", script)
    return case.api.execute(case.subject.namespace, case.place.pod, "iris", command)


def _scale(api: Api, path: str, replicas: int) -> None:
    api.request("PATCH", f"{path}/scale", {"spec": {"replicas": replicas}})


def _delete_longhorns(case: Case, selector: str) -> None:
    where = {"labelSelector": selector, "fieldSelector": f"spec.nodeName={case.place.node}"}
    pods = case.api.items(LONGHORN_PODS, **where)
    if not pods:
        raise DrillError(
            selector, f"no such pod on {case.place.node}", "see whether Longhorn runs there"
        )
    for pod in pods:
        now = {"gracePeriodSeconds": 0}
        case.api.request("DELETE", f"{LONGHORN_PODS}/{pod['metadata']['name']}", now)


def _await_gone(case: Case) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            case.api.get(case.pod)
        except Refused as error:
            if error.status == 404:
                return
        time.sleep(0.2)
    raise DrillError(case.place.pod, "has not stopped within ten minutes", "see its log")
