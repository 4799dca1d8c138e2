"""Whether Longhorn has every copy of every volume, read from its own objects.

Plain functions over objects as the API server gives them (longhorn.io/v1beta2, Longhorn 1.12.1).
What is missing, unknown or no longer as it was counts as a copy that is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """What one look at a cluster found."""

    volumes: Sequence[Object] = ()
    engines: Sequence[Object] = ()
    replicas: Sequence[Object] = ()
    storage_nodes: Sequence[Object] = ()
    """Longhorn's own objects of the nodes."""
    nodes: Sequence[Object] = ()
    """Kubernetes' objects of the nodes."""


@dataclass(frozen=True)
class Leaving:
    """The nodes that a change takes away or wipes, by a label that every cloud node has."""

    label: str
    """Such as eks.amazonaws.com/nodegroup."""
    value: str
    """Name of the group, pool or set."""


@dataclass(frozen=True)
class Copies:
    """The copies of one volume."""

    volume: str
    wanted: int
    """How many it shall have."""
    whole: int
    """How many hold every write, on disks and nodes that are there."""
    elsewhere: int
    """How many of the whole ones are on nodes that surely stay."""
    rebuilt: int | None = None
    """How much of the next copy is written, in percent; None if none is being written."""

    def allow_change(self) -> bool:
        """Whether nodes may be changed: two copies are left, and at most one had to be.

        A copy that is missing from just those nodes does not hinder: the change may be its cure.
        """
        spare = self.elsewhere >= max(1, self.wanted - 1)
        return spare or (self.whole >= self.wanted and self.elsewhere >= 2)

    def allow_retirement(self) -> bool:
        """Whether nodes may go for good: every copy is on others."""
        return self.elsewhere >= self.wanted

    def __str__(self) -> str:
        """Such as ``pvc-1: 2 of 3 copies whole, the next one 41 % rebuilt``."""
        said = f"{self.volume}: {self.whole} of {self.wanted} copies whole"
        if self.elsewhere != self.whole:
            said += f", {self.elsewhere} of them on nodes that stay"
        if self.rebuilt is not None:
            said += f", the next one {self.rebuilt} % rebuilt"
        elif self.whole < self.wanted:
            said += ", none being rebuilt"
        return said


def copies(state: State, leaving: Leaving) -> list[Copies]:
    """The copies of each volume, and how many of them would survive the loss of ``leaving``."""
    alive = _ready(state.nodes) & _ready(state.storage_nodes)
    labels = {_name(node): node["metadata"].get("labels") or {} for node in state.nodes}
    # Without the label nobody knows whether a node stays.
    stay = {
        name for name in alive if labels[name].get(leaving.label, leaving.value) != leaving.value
    }
    disks = {_name(node): _disks(node) for node in state.storage_nodes}
    return [_of(volume, state, alive, stay, disks) for volume in state.volumes]


def _of(
    volume: Object,
    state: State,
    alive: set[str],
    stay: set[str],
    disks: Mapping[str, set[str]],
) -> Copies:
    name, wanted = _name(volume), volume["spec"]["numberOfReplicas"]
    status = volume.get("status") or {}
    robustness = status.get("robustness")
    engine = _only(
        e for e in state.engines if _is_active(e) and e["spec"].get("volumeName") == name
    )
    where: list[str] = []
    for replica in state.replicas:
        spec = replica["spec"]
        node = spec.get("nodeID", "")
        if (
            spec.get("volumeName") != name
            or not _is_active(replica)
            or spec.get("failedAt")
            or not spec.get("healthyAt")
            or node not in alive
            or spec.get("diskID") not in disks[node]
        ):
            continue
        match status.get("state"), robustness:
            case "attached", "healthy" | "degraded":
                if engine and engine["spec"].get("nodeID") in alive and _in_use(replica, engine):
                    where.append(node)
            # Nobody writes to it, so each copy is as whole as it was when the volume was detached.
            case "detached", "unknown":
                where.append(node)
    # Longhorn misses one that its other objects still show, and nobody knows which.
    phantoms = robustness == "degraded" and len(where) >= wanted
    return Copies(
        name,
        wanted,
        whole=len(where) - phantoms,
        elsewhere=max(0, sum(node in stay for node in where) - phantoms),
        rebuilt=_rebuilt(engine),
    )


def _in_use(replica: Object, engine: Object) -> bool:
    """Whether the engine reads from and writes to a replica, as opposed to rebuilding it."""
    modes = (engine.get("status") or {}).get("replicaModeMap") or {}
    running = (replica.get("status") or {}).get("currentState") == "running"
    return running and modes.get(_name(replica)) == "RW"


def _rebuilt(engine: Object | None) -> int | None:
    rebuilds = ((engine or {}).get("status") or {}).get("rebuildStatus") or {}
    under_way = [one.get("progress", 0) for one in rebuilds.values() if one.get("isRebuilding")]
    return min(under_way, default=None)


def _ready(nodes: Iterable[Object]) -> set[str]:
    return {
        _name(node)
        for node in nodes
        if _has(node.get("status") or {}, "Ready") and "deletionTimestamp" not in node["metadata"]
    }


def _disks(node: Object) -> set[str]:
    """Identities of the disks that a node has now: a wiped disk has a new one."""
    found = (node.get("status") or {}).get("diskStatus") or {}
    return {
        disk["diskUUID"] for disk in found.values() if disk.get("diskUUID") and _has(disk, "Ready")
    }


def _has(status: Object, condition: str) -> bool:
    conditions = status.get("conditions") or []
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def _is_active(item: Object) -> bool:
    """Not the twin that an engine upgrade or a migration makes beside it."""
    return item["spec"].get("active") is True and "deletionTimestamp" not in item["metadata"]


def _only(items: Iterable[Object]) -> Object | None:
    found = list(items)
    return found[0] if len(found) == 1 else None


def _name(item: Object) -> str:
    return item["metadata"]["name"]
