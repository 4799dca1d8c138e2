"""A small cluster with a clock of its own, in which hours pass in milliseconds.

It has nodes whose kubelets renew leases, the part of Kubernetes that notices silent ones and
releases volumes, a database, and two agents of the real program, each on a node. Whoever switches
the machines is played as well, and notes when a machine ran and when it did not.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from components.fencing.program.__main__ import Agent
from components.fencing.program.fence import Fence
from components.fencing.program.leader import Leader
from components.fencing.program.power import PowerError, SwitchFailed, WrongMachine
from components.fencing.program.settings import RECORD, Settings
from components.fencing.program.tell import Told
from components.fencing.program.world import Observer
from components.in_cluster.kube import ApiError

NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
PODS = "/api/v1/namespaces/iris/pods"
ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"
VOLUMES = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/volumes"
EVENTS = "/api/v1/namespaces/default/events"
CONFIG_MAPS = "/api/v1/namespaces/ha-iris-fencing/configmaps"

SETTINGS = Settings("ha-iris-fencing", "iris", ["app.kubernetes.io/name=iris"], "played")


class PlayedApi:
    """Objects by path, as the API server keeps them."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.version = 0
        self.undeletable = False
        self.longhorn_away = False

    def put(self, path: str, item: Any) -> Any:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self.objects[path] = item
        return item

    def get(self, path: str, **query: str) -> Any:
        if self.longhorn_away and path == VOLUMES:
            raise ApiError(503, path)
        if path in self.objects:
            return copy.deepcopy(self.objects[path])
        if path.rsplit("/", 1)[1].endswith("s"):
            found = [v for k, v in self.objects.items() if k.rsplit("/", 1)[0] == path]
            return {"items": copy.deepcopy(found)}
        raise ApiError(404, path)

    def create(self, path: str, item: Any) -> Any:
        return self.put(f"{path}/{item['metadata']['name']}", copy.deepcopy(item))

    def replace(self, path: str, item: Any) -> Any:
        self._unchanged(path, item)
        return self.put(path, copy.deepcopy(item))

    def merge(self, path: str, changes: Any) -> Any:
        self._unchanged(path, changes)
        item = self.objects[path]
        annotations = item["metadata"].setdefault("annotations", {})
        for key, value in changes["metadata"].get("annotations", {}).items():
            annotations.pop(key, None)
            if value is not None:
                annotations[key] = value
        item["spec"] |= changes.get("spec", {})
        return self.put(path, item)

    def delete_at_once(self, path: str, *, uid: str) -> None:
        if self.undeletable:
            raise ApiError(500, path)
        if path in self.objects and self.objects[path]["metadata"]["uid"] == uid:
            del self.objects[path]

    def _unchanged(self, path: str, item: Any) -> None:
        wanted = item["metadata"].get("resourceVersion")
        if wanted and wanted != self.objects[path]["metadata"]["resourceVersion"]:
            raise ApiError(409, path)


@dataclass
class Machine:
    """A node's machine."""

    on: bool = True
    connected: bool = True
    """Whether it reaches the API server."""
    asked_off: float | None = None
    was_reset: bool = False
    """Whether it has gone off and booted by itself."""


@dataclass
class PlayedPower:
    """Whoever switches the machines."""

    world: World
    seconds: float = 5
    """From the request to a machine that is off."""
    calls: list[str] = field(default_factory=list)
    fails: str | None = None
    wrong: set[str] = field(default_factory=set)
    """Nodes whose machine is another one's."""
    spoils: set[str] = field(default_factory=set)
    """Requests that are taken and come to nothing, however often they are made."""
    spoils_next: bool = False
    """Whether the next request is one of them."""
    boots: float | None = None
    """Seconds after which a machine that went off boots by itself, as one that is reset does."""

    def identify(self, name: str, address: str, provider_id: str) -> str:
        self._call("identify", name)
        if name in self.wrong:
            raise WrongMachine(f"{name} has another address")
        return name

    def off(self, machine: str, request: str) -> str:
        self._call("off", machine)
        if self.spoils_next:
            self.spoils_next = False
            self.spoils.add(request)
        if request in self.spoils:
            return f"spoilt {request}"
        one = self.world.machines[machine]
        one.asked_off = self.world.now if one.asked_off is None else one.asked_off
        return "handle"

    def state(self, machine: str, handle: str) -> str:
        self._call("state", machine)
        if handle.startswith("spoilt"):
            raise SwitchFailed(handle)
        one = self.world.machines[machine]
        if one.was_reset:
            return "off"
        if one.asked_off is None:
            return "on"
        return "changing" if self.world.now - one.asked_off < self.seconds else "off"

    def on(self, machine: str, handle: str) -> None:
        self._call("on", machine)
        self.world.power_on(machine)

    def done(self, machine: str, handle: str) -> None:
        self._call("done", machine)

    def _call(self, verb: str, machine: str) -> None:
        if self.fails in (verb, "all"):
            raise PowerError("timed out")
        self.calls.append(f"{verb} {machine}")


class Link:
    """The way of one agent to the API server."""

    def __init__(self, world: World, node: str) -> None:
        self._world = world
        self._node = node
        self.lost_after: str | None = None
        """The agent dies as soon as it has sent what begins so."""

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def ask(path: str, *arguments: Any, **options: Any) -> Any:
            machine = self._world.machines[self._node]
            if not machine.connected or self._world.api_away:
                raise ApiError(0, "no answer")
            return getattr(self._world.api, verb)(path, *arguments, **options)

        return ask


@dataclass
class Running:
    """An agent that runs."""

    agent: Agent
    leader: Leader
    node: str
    alive: bool = True


class World:
    """A cluster of nodes a, b, c ..., with IRIS on the first and agents on the two named."""

    def __init__(
        self, nodes: str = "abc", agents: str = "bc", settings: Settings = SETTINGS
    ) -> None:
        self.now = 1000.0
        self.api = PlayedApi()
        self.api_away = False
        self.machines = {name: Machine() for name in nodes}
        self.power = PlayedPower(self)
        self.answering: set[str] = set()
        """Nodes whose kubelet takes connections although it renews nothing."""
        self.two_writers = False
        self.freed: float | None = None
        """When the database's pod was gone from its first node."""
        self.settings = settings
        for name in nodes:
            self._node(name)
        self.api.put(f"{VOLUMES}/data", {"metadata": {"name": "data"}, "status": {}})
        self._place("a")
        self.agents = [self._agent(name) for name in agents]
        self.run(40)

    def _node(self, name: str) -> None:
        ready = {"type": "Ready", "status": "True"}
        self.api.put(
            f"{NODES}/{name}",
            {
                "metadata": {"name": name, "annotations": {}},
                "spec": {"providerID": f"played://{name}", "taints": []},
                "status": {
                    "conditions": [ready],
                    "addresses": [{"type": "InternalIP", "address": name}],
                },
            },
        )
        self.api.put(f"{LEASES}/{name}", {"metadata": {"name": name}, "spec": {"renewTime": "0"}})

    def _place(self, node: str) -> None:
        name = f"iris-{self.api.version}"
        metadata = {"name": name, "uid": name}
        self.api.put(f"{PODS}/{name}", {"metadata": metadata, "spec": {"nodeName": node}})
        self.api.put(
            f"{ATTACHMENTS}/{node}", {"metadata": {"name": node}, "spec": {"nodeName": node}}
        )

    def _agent(self, node: str, number: int = 0) -> Running:
        api: Any = Link(self, node)

        def clock() -> float:
            return self.now

        leader = Leader(api, self.settings, f"agent-{node}-{self.api.version}", clock=clock)
        told = Told(api, "ha-iris-fencing", clock)
        fence = Fence(api, self.settings, self.power, told, clock, leader.held, node)
        observer = Observer(api, self.settings, clock, clock)
        agent = Agent(
            self.settings, observer, fence, told, node, leader.held, self.answering.__contains__
        )
        return Running(agent, leader, node)

    def new_agent(self, node: str) -> None:
        """Kubernetes starts one more."""
        self.agents.append(self._agent(node))

    def crash(self, node: str) -> None:
        """The machine hangs: nothing of it runs, and nobody has switched it off."""
        self.machines[node].on = False

    def power_on(self, node: str) -> None:
        """The machine boots."""
        self.machines[node] = Machine()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds)):
            self.now += 1
            self._machines()
            self._kubernetes()
            for one in self.agents:
                if one.alive and self.machines[one.node].on:
                    self._turn(one)

    def until(self, done: Callable[[], object], seconds: float = 600) -> float:
        """Let time pass until something is so; how long it took."""
        began = self.now
        while not done():
            assert self.now - began < seconds, self.events()
            self.run(1)
        return self.now - began

    def _machines(self) -> None:
        for name, machine in self.machines.items():
            asked = machine.asked_off
            if asked is not None and self.now - asked >= self.power.seconds:
                machine.on = False
                if self.power.boots is not None and self.now - asked >= self.power.boots:
                    self.machines[name] = machine = Machine(was_reset=True)
            lease = self.api.objects[f"{LEASES}/{name}"]["spec"]
            due = self.now - float(lease["renewTime"]) >= 10
            if machine.on and machine.connected and not self.api_away and due:
                lease["renewTime"] = str(self.now)
                self.node(name)["status"]["conditions"][0]["status"] = "True"

    def _kubernetes(self) -> None:
        for name in self.machines:
            node = self.node(name)
            renewed = float(self.api.objects[f"{LEASES}/{name}"]["spec"]["renewTime"])
            ready = node["status"]["conditions"][0]
            if ready["status"] == "True" and self.now - renewed > 50 and not self.api_away:
                ready["status"] = "Unknown"
                self.api.put(f"{NODES}/{name}", node)
            if any("out-of-service" in taint["key"] for taint in node["spec"]["taints"]):
                self.api.objects.pop(f"{ATTACHMENTS}/{name}", None)
        if not self.pods():
            old = self.machines["a"]
            self.two_writers |= old.on
            self.freed = self.freed or self.now
            self._place("b")

    def _turn(self, one: Running) -> None:
        if self.now % 3 == 0:
            with contextlib.suppress(ApiError):
                one.leader.run(aside=one.agent.aside)
        if self.now % 2 == 0:
            one.agent.turn()

    def node(self, name: str) -> Any:
        return self.api.objects[f"{NODES}/{name}"]

    def annotate(self, node: str, key: str, value: str) -> None:
        """What a person does with kubectl."""
        self.api.merge(f"{NODES}/{node}", {"metadata": {"annotations": {key: value}}})

    def phase(self, node: str) -> str | None:
        """How far a fence is."""
        text = self.node(node)["metadata"]["annotations"].get(RECORD)
        return json.loads(text)["phase"] if text else None

    def taints(self, node: str) -> list[str]:
        return [taint["key"].split("/")[1] for taint in self.node(node)["spec"]["taints"]]

    def pods(self) -> list[str]:
        """Nodes that a database's pod is on."""
        items = [v for k, v in self.api.objects.items() if k.startswith(f"{PODS}/")]
        return [item["spec"]["nodeName"] for item in items]

    def events(self) -> list[str]:
        """Reason and message of each Event, in order."""
        items = [v for k, v in self.api.objects.items() if k.startswith(f"{EVENTS}/")]
        return [f"{item['reason']}: {item['message']}" for item in items]

    def leads(self) -> list[str]:
        """Nodes of the agents that lead."""
        return [one.node for one in self.agents if one.alive and one.leader.held()]
