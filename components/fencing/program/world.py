"""What the agent sees: nodes with the age of their last sign of life, databases, copies."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .settings import HISTORY, MAINTENANCE, OUT_OF_SERVICE, PAUSE, REBUILDING, RECORD, Settings

KUBELET_PORT = 10250


@dataclass(frozen=True)
class Record:
    """A fence that is at work on a node; on the node itself, so that it outlives the agent."""

    phase: str
    """asked, accepted, off, released, starting or rebuilding: see ``fence.py``."""
    machine: str
    """Which machine it is, in the words of whoever switches it."""
    request: str
    """Random name of the request: asked for twice it happens once, where a cloud can do that."""
    since: float
    """When it began, seconds since 1970."""
    handle: str = ""
    """What whoever switches the machine wants to remember."""


@dataclass(frozen=True)
class Node:
    """A node at one moment."""

    name: str
    address: str
    provider_id: str
    version: str
    ready: str
    """True, False or Unknown: Kubernetes' own word."""
    silent: float
    """Seconds since its kubelet was last seen to renew its lease."""
    renewed: bool = True
    """Whether this agent has seen it renew its lease: of one that it has just met nobody knows."""
    pods: tuple[tuple[str, str], ...] = ()
    """Name and uid of the databases' pods there."""
    attached: int = 0
    """Volumes of which Kubernetes holds that they are attached there."""
    maintenance: str | None = None
    record: Record | None = None
    history: tuple[float, ...] = ()
    taints: tuple[dict[str, Any], ...] = ()

    def tainted(self) -> bool:
        """Whether it is out of service."""
        return any(taint["key"] == OUT_OF_SERVICE["key"] for taint in self.taints)

    def rebuilding(self) -> bool:
        """Whether it is marked as not yet whole."""
        return any(taint["key"] == REBUILDING["key"] for taint in self.taints)


@dataclass(frozen=True)
class View:
    """The cluster at one moment."""

    nodes: tuple[Node, ...]
    now: float
    """Seconds since 1970."""
    paused: str | None = None
    doubt: str | None = None
    """Why the control plane is not to be believed at this moment."""
    degraded: int = 0
    """Attached volumes of Longhorn that lack a copy; 1 where Longhorn does not tell."""


@dataclass
class Observer:
    """Looks at the cluster, and remembers when each kubelet last gave a sign of life.

    What counts is when this agent saw a lease change, not what a node's clock wrote into it.
    """

    api: Api
    settings: Settings
    clock: Callable[[], float]
    """Seconds that only go forward."""
    wall: Callable[[], float]
    _signs: dict[str, tuple[str, float, bool]] = field(default_factory=dict)
    """By node: what its lease said, since when, and whether it was seen to change."""
    _failed: float | None = None

    def failed(self) -> None:
        """Note that the API server did not answer."""
        self._failed = self.clock()

    def look(self) -> View:
        """The cluster now.

        Raises:
            ApiError: the API server did not answer, or refused.
        """
        signs, now = self._look_at_leases(), self.clock()
        nodes = self.api.get("/api/v1/nodes")["items"]
        pods = self._pods()
        attachments = self.api.get("/apis/storage.k8s.io/v1/volumeattachments")["items"]
        where = [item["spec"]["nodeName"] for item in attachments]
        found = []
        for item in nodes:
            name = item["metadata"]["name"]
            if name in signs:
                _, since, renewed = signs[name]
                node = _node(item, now - since, tuple(pods.get(name, ())))
                found.append(replace(node, renewed=renewed, attached=where.count(name)))
        return View(
            nodes=tuple(found),
            now=self.wall(),
            paused=self._paused(),
            doubt=self._doubt(),
            degraded=self._degraded(found),
        )

    def _look_at_leases(self) -> dict[str, tuple[str, float, bool]]:
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        now = self.clock()
        signs = {}
        for item in self.api.get(path)["items"]:
            name, renewed = item["metadata"]["name"], item["spec"].get("renewTime", "")
            before = self._signs.get(name)
            same = before and before[0] == renewed
            signs[name] = before if same else (renewed, now, before is not None)
        self._signs = signs
        return signs

    def _pods(self) -> dict[str, list[tuple[str, str]]]:
        path = f"/api/v1/namespaces/{self.settings.database_namespace}/pods"
        found: dict[str, list[tuple[str, str]]] = {}
        for pod in self._matching(path):
            ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
            if not ended and (node := pod["spec"].get("nodeName")):
                metadata = pod["metadata"]
                found.setdefault(node, []).append((metadata["name"], metadata["uid"]))
        return found

    def _matching(self, path: str) -> list[dict[str, Any]]:
        lists = [
            self.api.get(path, labelSelector=selector)["items"]
            for selector in self.settings.selectors
        ]
        return [pod for items in lists for pod in items]

    def _paused(self) -> str | None:
        try:
            path = f"/api/v1/namespaces/{self.settings.namespace}/configmaps/{PAUSE}"
            data = self.api.get(path).get("data") or {}
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return data.get("reason") or "no reason given"

    def _doubt(self) -> str | None:
        limit = self.settings.fresh_seconds
        if self._failed is not None and self.clock() - self._failed < limit:
            return "the API server did not answer a moment ago"
        return None

    def _degraded(self, nodes: list[Node]) -> int:
        """Asked where it matters alone: a Longhorn that is ill must hold no fence up."""
        rebuilding = any(node.record and node.record.phase == "rebuilding" for node in nodes)
        if not self.settings.longhorn or not rebuilding:
            return 0
        path = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes"
        try:
            states = [item.get("status", {}) for item in self.api.get(path)["items"]]
        except ApiError as error:
            print(f"Longhorn does not tell of its volumes: {error}", flush=True)
            return 1
        return sum(
            state.get("state") == "attached" and state.get("robustness") != "healthy"
            for state in states
        )


def answers(address: str, *, port: int = KUBELET_PORT, seconds: float = 1.0) -> bool:
    """Whether the kubelet at an address greets who comes, by TLS.

    A bare connection proves nothing: the kernel of a machine whose processes hang takes it, and so
    does many a proxy in between. Who it is does not matter here, and nothing is said to it.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=seconds) as connection,
            context.wrap_socket(connection),
        ):
            return True
    except OSError:
        return False


def _node(item: dict[str, Any], silent: float, pods: tuple[tuple[str, str], ...]) -> Node:
    metadata, status = item["metadata"], item.get("status", {})
    annotations = metadata.get("annotations") or {}
    addresses = [a["address"] for a in status.get("addresses", []) if a["type"] == "InternalIP"]
    ready = [c["status"] for c in status.get("conditions", []) if c["type"] == "Ready"]
    return Node(
        name=metadata["name"],
        address=addresses[0] if addresses else "",
        provider_id=item["spec"].get("providerID", ""),
        version=metadata["resourceVersion"],
        ready=ready[0] if ready else "Unknown",
        silent=silent,
        pods=pods,
        maintenance=annotations.get(MAINTENANCE),
        record=_record(annotations.get(RECORD)),
        history=_history(annotations.get(HISTORY)),
        taints=tuple(item["spec"].get("taints") or ()),
    )


def _record(text: str | None) -> Record | None:
    """The fence that is noted; what nobody can read is no fence, and a new one may begin."""
    try:
        return Record(**json.loads(text)) if text else None
    except (ValueError, TypeError) as error:
        print(f"not the record of a fence: {error}: {text}", flush=True)
        return None


def _history(text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(at) for at in json.loads(text or "[]"))
    except (ValueError, TypeError) as error:
        print(f"not moments of fences: {error}: {text}", flush=True)
        return ()
