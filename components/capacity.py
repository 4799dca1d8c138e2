"""What a node has, what others take of it, and whether the database fits into what is left.

The one place of this arithmetic, for every kind of cluster: what Longhorn is told to keep free is
what a database volume is checked against.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

HEAD_AND_SNAPSHOT = 2
"""What a copy may grow to, in sizes of its volume, before anybody takes a snapshot.

Longhorn cuts a snapshot of its own before each rebuild and each expansion, and never trims by
itself: head and snapshot may each be as large as the volume (Longhorn, "Volume Size")."""

WORST_CASE = 3
"""The same while Longhorn merges the snapshots of two rebuilds in a row (there: 1 + 1 + 1)."""

COMMUNITY_CORES = 20
"""Cores of a machine on which Community Edition starts; a limit of the container lowers nothing
(InterSystems, "Running InterSystems Products in Containers")."""

MACHINE_PERCENT = 7.5
"""Share of a machine's memory that firmware, kernel and hypervisor take, at most: the default of
vm-memory-overhead-percent, by which Karpenter foresees nodes on AWS and Azure."""

EVICTION_GIB = 100 / 1024
"""Memory that the kubelets of all three clouds keep free: memory.available < 100Mi."""

LONGHORN_CPU_PERCENT = 12
"""Processors of a node's allocatable ones that an instance manager requests
(guaranteed-instance-manager-cpu, Longhorn settings reference 1.12.1)."""

LONGHORN_MEMORY_GIB = 1
"""Memory for Longhorn's pods on a node. They request none: an estimate of this program."""


class DiskShares(NamedTuple):
    """What of a disk no copy may use, as Longhorn is told, in percent of its size."""

    reserved: int
    """storageReservedPercentageForDefaultDisk: for what is not Longhorn's."""

    kept_free: int
    """storageMinimalAvailablePercentage: with less than this left, nothing new comes here."""


def disk_shares(*, dedicated: bool) -> DiskShares:
    """Longhorn's defaults where it shares the system's disk, 0 and 10 on one of its own.

    Best practices 1.12.1 advise both. A kubelet begins to evict pods, the database among them,
    when 10 percent of a shared disk are left.
    """
    return DiskShares(0, 10) if dedicated else DiskShares(30, 25)


@dataclass(frozen=True)
class CopiesDisk:
    """The disk of each node that holds a copy of the volume."""

    setting: str
    """Key of the size in a stack file's cluster, such as ``dataDiskGib``."""

    size_gib: int
    dedicated: bool

    def usable_gib(self) -> float:
        """What copies may fill so that Longhorn can still rebuild one here.

        It rebuilds where available - actual size > kept free (IsSchedulableToDisk, Longhorn
        1.12.1), and all disks of a cluster fill alike.
        """
        return self.size_gib * (100 - sum(disk_shares(dedicated=self.dedicated))) / 100

    def holds(self, volume_gib: int, *, times: int) -> bool:
        """Whether a copy may grow to so many sizes of its volume."""
        return times * volume_gib < self.usable_gib()

    def size_for(self, volume_gib: int, *, times: int) -> int:
        """Smallest size of such a disk that holds the copy, GiB."""
        shares = disk_shares(dedicated=self.dedicated)
        return 100 * times * volume_gib // (100 - sum(shares)) + 1


def copies_on_a_node(volumes_gib: Sequence[int], *, nodes: int) -> int:
    """What volumes, of which three zones have a copy each, come to on a node, GiB.

    Longhorn puts a copy on the disk of the zone that has most room (scheduleReplicaToDisk in
    its replica_scheduler.go), so the nodes of a zone share them, each volume on one of them.
    """
    return max(-(-sum(volumes_gib) // max(1, nodes // 3)), *volumes_gib)


def instances_on_a_node(instances: int, *, nodes: int) -> int:
    """How many instances a node carries once a zone, or the only other node, is lost."""
    left = nodes - max(1, nodes // 3) if nodes > 1 else 1
    return -(-instances // left)


def too_large_for_disk(
    volumes_gib: Sequence[int], disk: CopiesDisk, *, nodes: int = 3
) -> str | None:
    """Why the disks of nodes cannot hold volumes of so many GiB, with sum and cure, or None."""
    gib = copies_on_a_node(volumes_gib, nodes=nodes)
    if disk.holds(gib, times=HEAD_AND_SNAPSHOT):
        return None
    shares = disk_shares(dedicated=disk.dedicated)
    most = -(-disk.usable_gib() // HEAD_AND_SNAPSHOT) - 1
    needed = disk.size_for(gib, times=HEAD_AND_SNAPSHOT)
    if len(volumes_gib) == 1:
        what = f"storageGib is {gib}, and each node's copy"
        lower = f", or storageGib to {most:g} or less" if most > 0 else ""
    else:
        sizes = " + ".join(map(str, volumes_gib))
        what = f"the volumes have {sizes} GiB, copies of {gib} come to a node, and they"
        lower = ", or take smaller volumes or fewer instances"
    reserved = f"{shares.reserved} % for the system and " if shares.reserved else ""
    return (
        f"{what} may grow to "
        f"{HEAD_AND_SNAPSHOT * gib} GiB ({gib} and as much for the snapshot that "
        f"Longhorn cuts before a rebuild); of ha-iris:cluster.{disk.setting} {disk.size_gib} it "
        f"may fill less than {disk.usable_gib():g} ({disk.size_gib} less {reserved}"
        f"{shares.kept_free} % without which Longhorn rebuilds nothing here); "
        f"set {disk.setting} to {needed} or more{lower}"
    )


class Machine(NamedTuple):
    """Size of a machine as its cloud sells it."""

    cpus: float
    memory_gib: float


class Share(NamedTuple):
    """What somebody takes of a node."""

    whose: str
    cpus: float
    memory_gib: float


# No cloud documents what its DaemonSets and DNS request together: estimates of this program.
EKS_PODS = Share("EKS's own pods", 0.3, 0.5)
AKS_PODS = Share("AKS's own pods", 0.5, 0.5)
GKE_PODS = Share("GKE's own pods", 0.7, 0.5)
OTHER_PODS = Share("the cluster's own pods", 0.3, 0.5)


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


def too_large_for_node(
    cpu: float, memory_gib: int, node: NodeCapacity, *, longhorn: bool, instances: int = 1
) -> list[str]:
    """Why so many databases cannot run on a node, a reason with its sum for each resource."""
    shares = node.shares(longhorn=longhorn)
    cpus = _exceeded(
        cpu, node.cpus, 0.1, [(share.whose, share.cpus) for share in shares], instances
    )
    gib = _exceeded(
        memory_gib, node.memory_gib, 1, [(s.whose, s.memory_gib) for s in shares], instances
    )
    together = (
        f" for each of {instances} instances that share a node once another is lost"
        if instances > 1
        else ""
    )
    faults = []
    if cpus:
        faults.append(
            f"cpu is {cpu:g}{together}, and a node of ha-iris:cluster.{node.settings[0]} leaves "
            f"the database {cpus.left:g} processors ({cpus.sum}), so its pod would wait for ever; "
            f"choose larger nodes{cpus.lower('cpu')}"
        )
    if gib:
        faults.append(
            f"memoryGib is {memory_gib}{together}, and a node of "
            f"ha-iris:cluster.{node.settings[1]} leaves the database {gib.left:g} GiB "
            f"({gib.sum}), so its pod would wait for ever or take what Longhorn needs; "
            f"choose larger nodes{gib.lower('memoryGib')}"
        )
    return faults


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


def eks_reserved(machine: Machine, *, max_pods: int) -> tuple[Share, ...]:
    """What EKS's AL2023 keeps from pods (awslabs/amazon-eks-ami, nodeadm, kubelet/config.go)."""
    kube_gib = (255 + 11 * max_pods) / 1024
    return _reserved(machine, _tiers(machine.cpus, _CPUS), kube_gib)


def aks_reserved(machine: Machine, *, max_pods: int) -> tuple[Share, ...]:
    """What AKS 1.29 and later keep from pods ("Node resource reservations", AKS)."""
    cpus = _tiers(machine.cpus, [(1, 0.06), (1, 0.04), (2, 0.02), (float("inf"), 0.01)])
    kube_gib = (20 * max_pods + 50) * 1e6 / 2**30
    return _reserved(machine, cpus, min(kube_gib, machine.memory_gib / 4))


def gke_reserved(machine: Machine) -> tuple[Share, ...]:
    """What GKE keeps from pods ("Plan GKE Standard node sizes")."""
    memory = [(4, 0.25), (4, 0.2), (8, 0.1), (112, 0.06), (float("inf"), 0.02)]
    kube_gib = _tiers(machine.memory_gib, memory)
    return _reserved(machine, _tiers(machine.cpus, _CPUS), kube_gib)


_CPUS = [(1, 0.06), (1, 0.01), (2, 0.005), (float("inf"), 0.0025)]
"""Of the first processor 6 %, of the second 1 %, of the next two 0.5 %, of the others 0.25 %."""


def _tiers(amount: float, tiers: Iterable[tuple[float, float]]) -> float:
    """Sum of a share for each slice of an amount, as taxes are."""
    total = 0.0
    for width, share in tiers:
        total += min(amount, width) * share
        amount -= min(amount, width)
    return total


def _reserved(machine: Machine, kube_cpus: float, kube_gib: float) -> tuple[Share, ...]:
    return (
        Share("the machine itself", 0, machine.memory_gib * MACHINE_PERCENT / 100),
        Share("Kubernetes", kube_cpus, kube_gib + EVICTION_GIB),
    )


class _Excess(NamedTuple):
    left: float
    sum: str

    def lower(self, key: str) -> str:
        return f", or lower {key} to {self.left:g}" if self.left > 0 else ""


def _exceeded(
    wanted: float,
    capacity: float | None,
    step: float,
    shares: Sequence[tuple[str, float]],
    instances: int,
) -> _Excess | None:
    """What is left of a capacity for each instance, in whole steps, where it is too little."""
    if capacity is None:
        return None
    left = (capacity - sum(taken for _, taken in shares)) / instances
    if wanted <= left:
        return None
    terms = [f"{capacity:g}", *(f"{taken:.2g} for {whose}" for whose, taken in shares if taken)]
    if instances > 1:
        terms = [f"({terms[0]}", *terms[1:-1], f"{terms[-1]}) / {instances}"]
    return _Excess(round(left // step * step, 1), " - ".join(terms))
