"""When a silent node may be fenced. Nothing here asks or changes anything.

The rules are those of medik8s' node-healthcheck-operator, and a few that a database adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .settings import Settings
from .world import Node, View

AT_WORK = ("asked", "accepted", "off")
"""Phases in which the database of a node is not yet free: another fence waits for their end."""


@dataclass(frozen=True)
class Verdict:
    """What is to be done about a silent node that a database is on."""

    node: Node
    fence: bool
    rule: str
    """Short name of what decided, for metrics."""
    reason: str


def silent(node: Node, settings: Settings) -> bool:
    """Whether a node has stopped answering."""
    return node.silent > settings.stale_seconds


def healthy(node: Node, settings: Settings) -> bool:
    """Whether a node is alive beyond doubt."""
    return node.ready == "True" and node.renewed and node.silent <= settings.fresh_seconds


def judge(
    view: View, settings: Settings, *, me: str, answers: Callable[[str], bool]
) -> list[Verdict]:
    """A verdict on each silent node that a database is on, from the one that is silent longest.

    Of those that nothing speaks against the agent begins with one, and no other.

    Args:
        view: the cluster now.
        settings: the agent's.
        me: node that this agent runs on.
        answers: whether the kubelet at an address takes a connection.
    """
    verdicts = []
    for node in sorted(view.nodes, key=lambda one: -one.silent):
        # One whose copies are rebuilt is in service again, and may die again.
        at_work = node.record and node.record.phase != "rebuilding"
        if at_work or not node.pods or not silent(node, settings):
            continue
        held = _held(node, view, settings, me=me, answers=answers)
        rule, reason = held or ("fence", f"silent for {node.silent:.0f} s")
        verdicts.append(Verdict(node, not held, rule, reason))
    return verdicts


def _held(
    node: Node, view: View, settings: Settings, *, me: str, answers: Callable[[str], bool]
) -> tuple[str, str] | None:
    """The first rule that speaks against it."""
    if view.paused is not None:
        return "paused", f"fencing is paused: {view.paused}"
    if node.maintenance is not None:
        return "maintenance", f"the node is under maintenance: {node.maintenance or 'no reason'}"
    if node.name == me:
        return "own-node", "this agent runs there; the other one judges it"
    if view.doubt:
        return "doubt", f"the control plane is in doubt: {view.doubt}"
    if at_work := [n.name for n in view.nodes if n.record and n.record.phase in AT_WORK]:
        return "one-at-a-time", f"{at_work[0]} is being fenced"
    well = sum(healthy(one, settings) for one in view.nodes)
    if well * 2 <= len(view.nodes):
        return "quorum", f"{well} of {len(view.nodes)} nodes are healthy, and not more than half"
    others = [
        one.name
        for one in view.nodes
        if one is not node and not one.record and one.silent > settings.fresh_seconds
    ]
    if others and node.ready == "True":
        return "doubt", f"{others[0]} is silent too; waiting for Kubernetes' own word"
    if node.ready == "True" and answers(node.address):
        return "answers", "its kubelet answers; waiting for Kubernetes' own word"
    recent = [
        at for one in view.nodes for at in one.history if at > view.now - settings.storm_seconds
    ]
    if len(recent) >= settings.storm_limit:
        return "storm", f"{len(recent)} fences within {settings.storm_seconds:.0f} s are enough"
    return None
