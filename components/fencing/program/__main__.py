"""The agent: looks every two seconds, and acts while it leads."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from components.in_cluster.kube import Api, ApiError

from .fence import Fence
from .leader import Leader
from .power import power
from .rules import Verdict, judge, silent
from .settings import Settings
from .tell import PORT, Door, Told
from .world import Node, Observer, View, answers

RENEW_SECONDS = 3.0


@dataclass
class Agent:
    """One of the two."""

    settings: Settings
    observer: Observer
    fence: Fence
    told: Told
    me: str
    """Node that it runs on."""
    leads: Callable[[], bool]
    answers: Callable[[str], bool] = answers
    aside: bool = False
    """Whether its own node is under suspicion, so that it must not lead."""

    def turn(self) -> None:
        """Look once, and act."""
        try:
            view = self.observer.look()
            mine = [node for node in view.nodes if node.name == self.me]
            self.aside = any(silent(node, self.settings) or fenced(node) for node in mine)
            verdicts: list[Verdict] = []
            if self.leads():
                self.fence.go_on(view)
                verdicts = judge(view, self.settings, me=self.me, answers=self.answers)
                begun = False
                for verdict in verdicts:
                    if verdict.fence:
                        # One whose fence cannot begin must not hold up the others.
                        begun = begun or self.fence.begin(verdict.node, view, verdict.reason)
                    else:
                        self.told.once(verdict.node.name, "FenceHeld", verdict.reason)
            self._show(view, verdicts)
        except ApiError as error:
            self.observer.failed()
            self.told.leads(self.leads())
            print(f"the cluster was not to be seen: {error}", flush=True)

    def _show(self, view: View, verdicts: list[Verdict]) -> None:
        held = Counter(verdict.rule for verdict in verdicts if not verdict.fence)
        phases = {
            f'node="{node.name}",phase="{node.record.phase}"': 1.0
            for node in view.nodes
            if node.record
        }
        nodes = view.nodes if self.leads() else ()
        failing = [
            node.name
            for node in nodes
            if node.name in self.fence.failing and (node.record or silent(node, self.settings))
        ]
        self.told.leads(self.leads())
        self.told.show(
            {
                "dry_run": {"": float(self.settings.dry_run)},
                "paused": {"": float(view.paused is not None)},
                "silent_nodes": {
                    "": float(sum(silent(node, self.settings) for node in view.nodes))
                },
                "held": {f'rule="{rule}"': float(n) for rule, n in held.items()},
                "failing": {f'node="{name}"': 1.0 for name in failing},
                "fence_phase": phases,
                "fenced_timestamp_seconds": {
                    f'node="{node.name}"': max(node.history) for node in view.nodes if node.history
                },
                "out_of_service": {
                    f'node="{node.name}"': 1.0 for node in view.nodes if node.tainted()
                },
                "last_look_timestamp_seconds": {"": view.now},
            }
        )


def fenced(node: Node) -> bool:
    """Whether a fence is at work on a node that may not have come back yet."""
    return node.record is not None and node.record.phase != "rebuilding"


def main() -> None:
    """Run until told to end."""
    settings, api = Settings.read(), Api.of_this_pod()
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    here = os.environ["NODE_NAME"]
    leader = Leader(api, settings, os.environ.get("HOSTNAME") or f"process-{os.getpid()}")
    told = Told(api, settings.name)
    agent = Agent(
        settings,
        Observer(api, settings, time.monotonic, time.time),
        Fence(api, settings, power(settings), told, time.monotonic, leader.held, here),
        told,
        here,
        leader.held,
        answers if settings.ask_kubelets else lambda address: False,
    )
    door = Door(told, time.monotonic, time.monotonic())
    door.open(int(os.environ.get("HA_IRIS_PORT", PORT)))

    def lead() -> None:
        # In a thread of its own: a cloud that answers slowly must not cost the lease.
        try:
            while not ended.wait(RENEW_SECONDS):
                try:
                    leader.run(aside=agent.aside)
                except ApiError as error:
                    print(f"the lease was not to be had: {error}", flush=True)
        finally:
            # An agent that can never lead again must not look well.
            ended.set()

    renewing = threading.Thread(target=lead, daemon=True)
    renewing.start()
    while not ended.wait(settings.tick):
        agent.turn()
        door.turned = time.monotonic()
    renewing.join(timeout=10)
    try:
        leader.give_up()
    except ApiError as error:
        print(f"the lease ends by itself: {error}", flush=True)


if __name__ == "__main__":
    main()
