"""The steps of a fence, each of which another agent can go on from.

asked     what is to happen stands on the node; nothing has happened yet
accepted  the machine was told to go off
off       it is off; Kubernetes has been told that it is out of service
released  its databases' pods are deleted: they may start elsewhere
starting  the machine was told to start
rebuilding  the node is back in service, and Longhorn has not got all copies yet
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .power import Power, PowerError, SwitchFailed, WrongMachine
from .rules import healthy, silent
from .settings import HISTORY, OUT_OF_SERVICE, REBUILDING, RECORD, Settings
from .tell import Told
from .world import Node, Record, View

FAULTS = (PowerError, OSError, ValueError, KeyError, AttributeError, TypeError)
"""What asking a cloud can end in, an answer of another shape than promised among it."""

RETRY_SECONDS = 5.0
"""What failed is tried again after so long."""


@dataclass
class Fence:
    """Takes the next step of each fence. The agent's word alone: whoever calls it must lead."""

    api: Api
    settings: Settings
    power: Power
    told: Told
    clock: Callable[[], float]
    leads: Callable[[], bool]
    """Asked once more before anything that cannot be taken back."""
    me: str = ""
    """Node that the agent runs on: its fence is the other one's."""
    failing: set[str] = field(default_factory=set)
    """Nodes at which the last attempt came to nothing."""
    _again: dict[str, float] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _off_since: dict[str, float] = field(default_factory=dict)
    """When this agent first heard that the machine is off."""

    def begin(self, node: Node, view: View, reason: str) -> bool:
        """Note the fence on the node, once it is certain which machine it is; False if it is not.

        Whatever is noted counts as begun: no other may begin beside it.
        """
        if self.settings.dry_run:
            self.told.once(node.name, "WouldFence", f"dry run: nothing is done; {reason}")
            return False
        if self.clock() < self._not_before.get(node.name, 0):
            return False
        try:
            machine = self.power.identify(node.name, node.address, node.provider_id)
        except WrongMachine as error:
            self.told.count("refused")
            self._later(node, "FenceRefused", f"not the node's machine: {error}")
            return False
        except FAULTS as error:
            self._later(node, "FenceFailed", f"nobody tells which machine it is: {error!r}")
            return False
        self.failing.discard(node.name)
        record = Record("asked", machine, str(uuid.uuid4()), view.now)
        recent = [at for at in node.history if at > view.now - self.settings.storm_seconds]
        history = json.dumps([*recent, view.now])
        if not self._note(node, record, annotations={HISTORY: history}):
            return False
        self._since.pop(node.name, None)
        self._off_since.pop(node.name, None)
        self.told.event(node.name, "FenceBegins", f"{reason}; {machine!r} is switched off")
        self._go_on(replace(node, record=record, version=""), view)
        return True

    def go_on(self, view: View) -> None:
        """Take the next step of every fence that is at work."""
        for node in view.nodes:
            if node.record:
                self._go_on(node, view)

    def _go_on(self, node: Node, view: View) -> None:
        record = node.record
        early = self.clock() < self._not_before.get(node.name, 0)
        if record is None or early or not self.leads():
            return
        if node.name == self.me and record.phase != "rebuilding":
            return
        try:
            self._step(node, record, view)
            self.failing.discard(node.name)
        except FAULTS as error:
            self._later(node, "FenceFailed", f"{record.phase}: {error!r}")

    def _later(self, node: Node, reason: str, message: str) -> None:
        """Say what went wrong, and try again a little later."""
        self.failing.add(node.name)
        self._not_before[node.name] = self.clock() + RETRY_SECONDS
        self.told.once(node.name, reason, message)

    def _step(self, node: Node, record: Record, view: View) -> None:
        match record.phase:
            case "asked":
                self._switch_off(node, record)
            case "accepted":
                self._await_off(node, record)
            case "off":
                self._release(node, record)
            case "released":
                self._start(node, record)
            case "starting":
                self._take_back(node, record)
            case "rebuilding":
                self._end(node, record, view)

    def _switch_off(self, node: Node, record: Record) -> None:
        alive = healthy(node, self.settings)
        if alive and self.power.state(record.machine, record.handle) == "on":
            # An earlier attempt may have got as far as those who are told beside it.
            self.power.done(record.machine, record.handle)
            if self._note(node, None):
                self.told.count("given-up")
                self.told.event(node.name, "FenceGivenUp", "the node answers again; left alone")
            return
        handle = self.power.off(record.machine, record.request)
        self._wait(node, again=True)
        self._note(node, replace(record, phase="accepted", handle=handle or record.handle))

    def _await_off(self, node: Node, record: Record) -> None:
        try:
            state = self.power.state(record.machine, record.handle)
        except SwitchFailed:
            again = replace(record, phase="asked", request=str(uuid.uuid4()), handle="")
            self._note(node, again)
            raise
        if state != "off":
            if self._wait(node):
                self.told.once(node.name, "FenceSlow", "the machine is not off yet; told again")
                self.power.off(record.machine, record.request)
            return
        # The proof is as old as the answer: nobody else may have started it in between.
        if not self.leads() or not self._still_off(node, record):
            return
        taints = [*_without(node, OUT_OF_SERVICE), OUT_OF_SERVICE]
        if self._note(node, replace(record, phase="off"), taints=taints):
            self.told.event(node.name, "Fenced", "the machine is off; its volumes are released")
            self._release(replace(node, version=""), replace(record, phase="off"))

    def _still_off(self, node: Node, record: Record) -> bool:
        """Whether nothing has run there since the proof.

        A machine that boots by itself, or another one of the same name, is alive by now where no
        agent was there to release its volumes in time. What ran before is gone all the same, and
        the kubelet starts the database's pod anew: to take its volume away would tear it apart.
        """
        off_since = self._off_since.setdefault(node.name, self.clock())
        if node.silent > self.settings.fresh_seconds:
            return True
        # Its last sign of life may be of before the proof: the next one tells, or its absence.
        if self.clock() - node.silent > off_since:
            self.power.done(record.machine, record.handle)
            if self._note(node, None):
                self._off_since.pop(node.name, None)
                self.told.count("restarted")
                message = "its machine was off and is on again; the database starts there anew"
                self.told.event(node.name, "FenceEnds", message)
        return False

    def _release(self, node: Node, record: Record) -> None:
        for name, uid in node.pods:
            namespace = self.settings.database_namespace
            self.api.delete_at_once(f"/api/v1/namespaces/{namespace}/pods/{name}", uid=uid)
        if self._note(node, replace(record, phase="released")):
            self.told.count("fenced")
            freed = ", ".join(name for name, _ in node.pods) or "no pod"
            self.told.event(node.name, "DatabaseReleased", f"deleted {freed}; it starts elsewhere")

    def _start(self, node: Node, record: Record) -> None:
        if node.pods:  # came in between
            self._release(node, record)
            return
        self.power.on(record.machine, record.handle)
        self._wait(node, again=True)
        self._note(node, replace(record, phase="starting"))

    def _take_back(self, node: Node, record: Record) -> None:
        if not healthy(node, self.settings) or node.attached or node.pods:
            self._since.pop(node.name, None)
            if silent(node, self.settings) and self._wait(node):
                self.told.once(node.name, "NodeStaysAway", "started, and not Ready; told again")
                self.power.on(record.machine, record.handle)
            return
        since = self._since.setdefault(node.name, self.clock())
        if self.clock() - since < self.settings.settle_seconds:
            return
        # Not even Longhorn's own pods bear the first taint, so it cannot stay until the copies
        # are there; the second one keeps IRIS away where another node will do.
        taints = [*_without(node, OUT_OF_SERVICE, REBUILDING), REBUILDING]
        if self._note(node, replace(record, phase="rebuilding"), taints=taints):
            self._since.pop(node.name, None)
            self.told.event(node.name, "NodeBack", "Ready again; in service, copies are rebuilt")

    def _end(self, node: Node, record: Record, view: View) -> None:
        since = self._since.setdefault(node.name, self.clock())
        if view.degraded or silent(node, self.settings):
            self._since.pop(node.name)
            return
        if self.clock() - since < self.settings.settle_seconds:
            return
        self.power.done(record.machine, record.handle)
        if self._note(node, None, taints=_without(node, REBUILDING)):
            self._since.pop(node.name, None)
            self.told.event(node.name, "FenceEnds", "the node and its copies are as before")

    def _wait(self, node: Node, *, again: bool = False) -> bool:
        """Whether it is time to tell the machine again; ``again`` begins to wait anew."""
        last = self._again.setdefault(node.name, self.clock())
        due = self.clock() - last >= self.settings.again_seconds
        if again or due:
            self._again[node.name] = self.clock()
        return due

    def _note(
        self,
        node: Node,
        record: Record | None,
        *,
        annotations: dict[str, str] | None = None,
        taints: list[dict[str, Any]] | None = None,
    ) -> bool:
        """Write on the node where its fence is; False if somebody else changed the node meanwhile.

        Taints are one list, of which others have theirs: it is only written over what was read.
        """
        text = json.dumps(asdict(record)) if record else None
        metadata: dict[str, Any] = {"annotations": {**(annotations or {}), RECORD: text}}
        if node.version:
            metadata["resourceVersion"] = node.version
        changes: dict[str, Any] = {"metadata": metadata}
        if taints is not None:
            changes["spec"] = {"taints": taints}
        try:
            self.api.merge(f"/api/v1/nodes/{node.name}", changes)
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        return True


def _without(node: Node, *unwanted: dict[str, str]) -> list[dict[str, Any]]:
    keys = [taint["key"] for taint in unwanted]
    return [taint for taint in node.taints if taint["key"] not in keys]
