"""The machines under a cluster, as far as a drill has a hand on them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused
from drills.evidence import await_silent
from drills.hosts import Hosts
from drills.phases import is_ready
from drills.switch import Switch
from drills.undo import undo
from lab.cluster import POWER_LABEL
from lab.cluster.control_plane import ControlPlane


class Site(Protocol):
    """What can be done to machines. Each of these is undone when its context ends."""

    simulated: bool
    """Whether these machines are played: nothing runs on them, and nothing can be committed."""

    down: set[str]
    """Nodes that a fault keeps from serving at this moment."""

    def crash(self, nodes: Sequence[str], seconds: int) -> contextlib.AbstractContextManager[None]:
        """Stop kernels at once, and start them again."""
        ...

    def power_off(self, nodes: Sequence[str]) -> contextlib.AbstractContextManager[None]:
        """Take the power from machines, and give it back."""
        ...

    def partition(
        self, node: str, what: str, seconds: int
    ) -> contextlib.AbstractContextManager[None]:
        """Cut a machine off: "full", or from "api" or "peers" alone."""
        ...

    def control_plane_away(self, seconds: int) -> contextlib.AbstractContextManager[None]:
        """Take the API server away from everybody."""
        ...

    def without_image(
        self, nodes: Sequence[str], image: str, seconds: int
    ) -> contextlib.AbstractContextManager[None]:
        """Take an image from machines, and its registry out of their reach."""
        ...

    def restart(self, node: str) -> None:
        """Start a machine anew in good order and wait until it is Ready."""
        ...


class Machines:
    """Real nodes: crashed and cut off by a privileged pod, switched by two commands of yours."""

    simulated = False

    def __init__(self, api: Api, hosts: Hosts, *, off: str | None, on: str | None) -> None:
        """Take the cluster's machines.

        Args:
            api: connection to the cluster.
            hosts: runs scripts on the machines themselves.
            off: command that takes the power from {node} (its name) or {id} (its provider ID).
            on: command that gives it back.
        """
        self.down: set[str] = set()
        self._api = api
        self._hosts = hosts
        self._switch = Switch(api, off=off, on=on)

    @contextlib.contextmanager
    def crash(self, nodes: Sequence[str], seconds: int) -> Iterator[None]:
        """A kernel panic; the kernel itself starts the machine again after so many seconds."""
        self.down.update(nodes)
        try:
            for node in nodes:
                self._hosts.panic(node, seconds)
            yield
        finally:
            self.down.difference_update(nodes)

    @contextlib.contextmanager
    def power_off(self, nodes: Sequence[str]) -> Iterator[None]:
        """What the two commands do."""
        self.down.update(nodes)
        try:
            with self._switch.off(nodes):
                yield
        finally:
            self.down.difference_update(nodes)

    @contextlib.contextmanager
    def partition(self, node: str, what: str, seconds: int) -> Iterator[None]:
        """Packets are dropped without a word, for so many seconds at most."""
        self.down.add(node)
        try:
            with self._hosts.cut_off([node], what, seconds):
                yield
        finally:
            self.down.discard(node)

    @contextlib.contextmanager
    def control_plane_away(self, seconds: int) -> Iterator[None]:
        """Every node is cut off from the API server: managed ones cannot be stopped."""
        nodes = [node["metadata"]["name"] for node in self._api.items("/api/v1/nodes")]
        with self._hosts.cut_off(nodes, "api", seconds):
            await_silent(self._api, nodes, "see what the pods in ha-iris-drills have done")
            yield

    @contextlib.contextmanager
    def without_image(self, nodes: Sequence[str], image: str, seconds: int) -> Iterator[None]:
        """One that a container uses stays: that is what pulling it beforehand is for."""
        with self._hosts.without_image(nodes, image, seconds):
            yield

    def restart(self, node: str) -> None:
        """Reboot, and wait until the machine is Ready that was started since."""
        before = self._boot(node)
        self._hosts.reboot(node)
        await_ready(self._api, node, lambda: self._boot(node) != before)

    def _boot(self, node: str) -> str:
        return self._api.get(f"/api/v1/nodes/{node}")["status"]["nodeInfo"]["bootID"]


class SimulatedMachines:
    """The lab's nodes: kwok plays them, and their power is a label."""

    simulated = True

    def __init__(self, api: Api, plane: ControlPlane) -> None:
        """Take the nodes of a lab."""
        self.down: set[str] = set()
        self._api = api
        self._plane = plane

    def crash(self, nodes: Sequence[str], seconds: int) -> contextlib.AbstractContextManager[None]:
        """The same as a loss of power: the control plane cannot tell them apart."""
        return self.power_off(nodes)

    @contextlib.contextmanager
    def power_off(self, nodes: Sequence[str]) -> Iterator[None]:
        """kwok lets go of the nodes: their leases are renewed no more."""
        try:
            for node in nodes:
                self.down.add(node)
                self._power(node, None)
            yield
        finally:
            undo(
                {f"power of {node}": partial(self._power, node, "on") for node in nodes},
                "once the lab's API server answers, `python -m drills clean` does it",
            )
            self.down.difference_update(nodes)

    @contextlib.contextmanager
    def partition(self, node: str, what: str, seconds: int) -> Iterator[None]:
        """What the control plane sees of it, which is what it sees of a crash.

        Raises:
            DrillError: the API server stays in reach, so that there is nothing to see.
        """
        if what == "peers":
            raise DrillError(
                "partition-peers",
                "the lab's nodes are simulated and have no peers to lose",
                "drill it on a cluster with real nodes",
            )
        with self.power_off([node]):
            yield

    @contextlib.contextmanager
    def control_plane_away(self, seconds: int) -> Iterator[None]:
        """The API server is killed, and started again after so many seconds."""
        try:
            self._plane.stop_api_server()
            time.sleep(seconds)
            if self._answers():
                raise DrillError(
                    "the lab's API server", "answers, though it was killed", "see who starts it"
                )
        finally:
            self._plane.restart_api_server()
        yield

    def _answers(self) -> bool:
        try:
            self._api.get("/version")
        except UNREACHABLE:
            return False
        return True

    def without_image(
        self, nodes: Sequence[str], image: str, seconds: int
    ) -> contextlib.AbstractContextManager[None]:
        """Raises DrillError: there is none to take."""
        raise DrillError(
            "registry-away",
            "the lab's simulated nodes pull no images",
            "drill it on a cluster with real nodes",
        )

    def restart(self, node: str) -> None:
        """Off and on again."""
        with self.power_off([node]):
            time.sleep(5)
        await_ready(self._api, node)

    def power_all(self) -> list[str]:
        """Give power to the nodes that have none; says which."""
        off = f"!{POWER_LABEL}"
        found = self._api.items("/api/v1/nodes", labelSelector=off)
        nodes = [node["metadata"]["name"] for node in found]
        for node in nodes:
            self._power(node, "on")
        return [f"power on for {node}" for node in nodes]

    def _power(self, node: str, value: str | None) -> None:
        labels = {"metadata": {"labels": {POWER_LABEL: value}}}
        self._api.request("PATCH", f"/api/v1/nodes/{node}", labels)


READY_SECONDS = 900
PAUSE_SECONDS = 1


def await_ready(api: Api, node: str, anew: Callable[[], bool] = lambda: True) -> None:
    """Wait until a node is Ready, and has started anew where that is asked.

    Raises:
        DrillError: it is not in a quarter of an hour.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(Refused, *UNREACHABLE):
            if anew() and is_ready(api.get(f"/api/v1/nodes/{node}")):
                return
        time.sleep(PAUSE_SECONDS)
    started = "" if anew() else " anew: its bootID is that of before"
    raise DrillError(
        node, f"is not Ready{started} after {READY_SECONDS} s", "see what keeps the machine"
    )
