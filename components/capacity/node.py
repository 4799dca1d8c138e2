"""What a node has, what others take of it, and whether the database fits into what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

COMMUNITY_CORES = 20
"""Cores of a machine on which Community Edition starts; a limit of the container lowers nothing
(InterSystems, "Running InterSystems Products in Containers")."""

LONGHORN_CPU_PERCENT = 12
"""Processors of a node's allocatable ones that an instance manager requests
(guaranteed-instance-manager-cpu, Longhorn settings reference 1.12.1)."""

LONGHORN_MEMORY_GIB = 1
"""Memory for Longhorn's pods on a node. They request none: an estimate of this program."""


class Machine(NamedTuple):
    """Size of a machine as its cloud sells it."""

    cpus: float
    memory_gib: float


class Share(NamedTuple):
    """What somebody takes of a node."""

    whose: str
    cpus: float
    memory_gib: float


@dataclass(frozen=True)
class NodeCapacity:
    """What a node that may run the database has; None where nobody said."""

    settings: tuple[str, str]
    """What of a stack file's cluster decides processors and memory, as in nodeType m7i.xlarge."""

    cpus: float | None
    memory_gib: float | None

    reserved: tuple[Share, ...]
    """What is not allocatable to pods."""

    system_pods: Share
    """What DaemonSets and DNS request."""

    def shares(self, *, longhorn: bool) -> tuple[Share, ...]:
        """All that others take of it."""
        shares = (*self.reserved, self.system_pods)
        if not longhorn:
            return shares
        allocatable = (self.cpus or 0) - sum(share.cpus for share in self.reserved)
        cpus = allocatable * LONGHORN_CPU_PERCENT / 100
        return (*shares, Share("Longhorn", cpus, LONGHORN_MEMORY_GIB))


def instances_on_a_node(instances: int, *, nodes: int) -> int:
    """How many instances a node carries once a zone, or the only other node, is lost."""
    left = nodes - max(1, nodes // 3) if nodes > 1 else 1
    return -(-instances // left)


def gateways_beside(instances: int, gateways: int, *, nodes: int) -> int:
    """How many web gateways may share a node with a database while all nodes are there.

    Args:
        instances: databases, spread over the nodes.
        gateways: of each of them, spread over the nodes by themselves: of one database no node
            has two more than another. They avoid it as long as there are nodes without one.
        nodes: all of them.
    """
    on_each, others = divmod(gateways, nodes)
    return instances * (on_each + (others > max(0, nodes - instances)))


def gateways_on_a_node(instances: int, gateways: int, *, nodes: int) -> int:
    """How many a node carries once a zone, or the only other node, is lost."""
    return instances * instances_on_a_node(gateways, nodes=nodes)


def too_large_for_node(
    cpu: float,
    memory_gib: float,
    node: NodeCapacity,
    *,
    longhorn: bool,
    instances: int = 1,
) -> list[str]:
    """Why so many databases cannot run on a node, a reason with its sum for each resource.

    Args:
        cpu: processors of each.
        memory_gib: memory of each.
        node: any that may run one.
        longhorn: whether Longhorn is on it.
        instances: databases on one node, once another node is lost.
    """
    wanted = (cpu, memory_gib)
    return [
        f"{lack.told}, so its pod would wait for ever{lack.or_else}; choose larger nodes"
        f"{lack.lower}"
        for lack in _lacks(wanted, node, node.shares(longhorn=longhorn), instances)
    ]


def gateways_make_way(
    cpu: float,
    memory_gib: float,
    node: NodeCapacity,
    *,
    longhorn: bool,
    instances: int,
    beside: Share,
) -> list[str]:
    """What a database's node lacks for the web gateways too: its priority puts them out.

    Arguments as above, and ``beside``: the gateways.
    """
    shares = (*node.shares(longhorn=longhorn), beside)
    return [lack.told for lack in _lacks((cpu, memory_gib), node, shares, instances)]


def largest_of_two(node: NodeCapacity, *, longhorn: bool) -> Machine | None:
    """What each of two equal databases may take of a node at most; None: nobody said its size."""
    if node.cpus is None or node.memory_gib is None:
        return None
    shares = node.shares(longhorn=longhorn)
    cpus = (node.cpus - sum(share.cpus for share in shares)) / 2
    memory_gib = (node.memory_gib - sum(share.memory_gib for share in shares)) / 2
    return Machine(cpus // 0.1 / 10, memory_gib // 1)


def too_many_cores_for_community(node: NodeCapacity | None, cpu: float) -> str | None:
    """Why Community Edition would not start on a node; None if it would, or nobody knows.

    Args:
        node: what the stack file says of it.
        cpu: processors that the database asks for, which the node then has at least.
    """
    cure = "set iris.image and iris.licenseKey to a licensed IRIS"
    if node is None or node.cpus is None:
        if cpu <= COMMUNITY_CORES:
            return None
        return (
            f"cpu is {cpu:g}, and Community Edition starts on machines with {COMMUNITY_CORES} "
            f"cores or less; lower it, or {cure}"
        )
    if node.cpus <= COMMUNITY_CORES:
        return None
    return (
        f"Community Edition starts on machines with {COMMUNITY_CORES} cores or less, whatever "
        f"iris.cpu is, and ha-iris:cluster.{node.settings[0]} has {node.cpus:g}; choose smaller "
        f"nodes, or {cure}"
    )


class _Lack(NamedTuple):
    told: str
    or_else: str
    lower: str


def _lacks(
    wanted: tuple[float, float],
    node: NodeCapacity,
    shares: Sequence[Share],
    instances: int,
) -> list[_Lack]:
    """Of which of processors and memory a node has too little for so many databases."""
    together = (
        f" for each of {instances} instances that share a node once another is lost"
        if instances > 1
        else ""
    )
    parts = (
        ("cpu", "processors", node.cpus, 0.1, 0, ""),
        ("memoryGib", "GiB", node.memory_gib, 1, 1, " or take what Longhorn needs"),
    )
    found = []
    for (key, unit, capacity, step, number, or_else), each in zip(parts, wanted, strict=True):
        if capacity is None:
            continue
        taken = [(s.whose, (s.cpus, s.memory_gib)[number]) for s in shares]
        left = (capacity - sum(amount for _, amount in taken)) / instances
        if each <= left:
            continue
        terms = [
            f"{capacity:g}",
            *(f"{amount:.2g} for {whose}" for whose, amount in taken if amount),
        ]
        if instances > 1:
            terms = [f"({terms[0]}", *terms[1:-1], f"{terms[-1]}) / {instances}"]
        whole = round(left // step * step, 1)
        told = (
            f"{key} is {each:g}{together}, and a node of ha-iris:cluster.{node.settings[number]} "
            f"leaves the database {whole:g} {unit} ({' - '.join(terms)})"
        )
        found.append(_Lack(told, or_else, f", or lower {key} to {whole:g}" if whole > 0 else ""))
    return found
