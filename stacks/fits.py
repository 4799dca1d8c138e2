"""Whether what a stack file asks for fits on its nodes: what is refused, what is warned of."""

from components.backup.settings import BackupSettings
from components.capacity.disk import (
    WORST_CASE,
    copies_on_a_node,
    too_large_for_disk,
    too_many_snapshots,
)
from components.capacity.node import (
    NodeCapacity,
    Share,
    gateways_beside,
    gateways_make_way,
    gateways_on_a_node,
    instances_on_a_node,
    largest_of_two,
    too_large_for_node,
    too_many_cores_for_community,
)
from components.cluster import ClusterSettings
from components.iris import IrisSettings
from components.iris.volumes import sizes_gib


def too_large(iris: IrisSettings, cluster: ClusterSettings) -> list[str]:
    """Why these nodes cannot carry this database, a reason with its sum and cure for each."""
    on_longhorn = iris.storage_class is None
    node, disk = cluster.node_capacity(), cluster.copies_disk()
    faults: list[str] = []
    if (
        disk
        and on_longhorn
        and (fault := too_large_for_disk(sizes_gib(iris), disk, nodes=cluster.nodes))
    ):
        faults.append(fault)
    if node:
        faults += too_large_for_node(
            iris.cpu,
            iris.memory_gib,
            node,
            longhorn=on_longhorn,
            instances=instances_on_a_node(iris.pods(), nodes=cluster.nodes),
        )
    if iris.product().community and (fault := too_many_cores_for_community(node, iris.cpu)):
        faults.append(fault)
    return faults


def too_much_kept(
    iris: IrisSettings, cluster: ClusterSettings, backup: BackupSettings
) -> str | None:
    """Why the disks cannot hold the snapshots too that the stack keeps; None if they can."""
    disk = cluster.copies_disk()
    if not disk or not _takes_snapshots(iris, cluster, backup):
        return None
    return too_many_snapshots(sizes_gib(iris), backup.snapshots.kept(), disk, nodes=cluster.nodes)


def tight_fit(iris: IrisSettings, cluster: ClusterSettings, backup: BackupSettings) -> list[str]:
    """What is no fault, and what a person would rather know before the first bad day."""
    told: list[str] = []
    node, disk = cluster.node_capacity(), cluster.copies_disk()
    on_longhorn = iris.storage_class is None
    gib = copies_on_a_node(sizes_gib(iris), nodes=cluster.nodes)
    kept = backup.snapshots.kept().sizes() if _takes_snapshots(iris, cluster, backup) else 0
    times = WORST_CASE + kept
    if disk and on_longhorn and not disk.holds(gib, times=times):
        beside = f", beside {kept * gib:.3g} GiB of kept snapshots," if kept else ""
        told.append(
            f"A copy of the database may grow to {WORST_CASE} x {gib} GiB{beside} while "
            "Longhorn merges the snapshots of two rebuilds in a row, and of "
            f"ha-iris:cluster.{disk.setting} {disk.size_gib} it may fill {disk.usable_gib():g}: "
            f"{disk.size_for(gib, times=times)} would hold it."
        )
    if node is None:
        told.append(
            "The name of ha-iris:cluster.nodeType does not tell its processors and memory, so "
            f"nobody has checked that iris.cpu {iris.cpu:g} and iris.memoryGib {iris.memory_gib} "
            "fit: a database that does not waits for ever."
        )
    else:
        told += _put_out(iris, cluster, node)
    return told


def _put_out(iris: IrisSettings, cluster: ClusterSettings, node: NodeCapacity) -> list[str]:
    """When web gateways make way for the database, whose PriorityClass puts them out."""
    each, nodes = _gateways(iris), cluster.nodes
    pods = iris.pods()
    for when, instances, gateways in (
        (
            "With all nodes there",
            -(-pods // nodes),
            gateways_beside(iris.instances, each, nodes=nodes),
        ),
        (
            "Once a zone is lost",
            instances_on_a_node(pods, nodes=nodes),
            gateways_on_a_node(iris.instances, each, nodes=nodes),
        ),
    ):
        lacks = gateways and gateways_make_way(
            iris.cpu,
            iris.memory_gib,
            node,
            longhorn=iris.storage_class is None,
            instances=instances,
            beside=_share(iris, gateways),
        )
        if lacks:
            return [
                f"{when}, web gateways make way for the database where they share its node, and "
                f"fewer run: {lack}."
                for lack in lacks
            ]
    return []


def moves_when_replaced(iris: IrisSettings, cluster: ClusterSettings) -> str | None:
    """What to know of a node that has no room for a pod and its heir; None if it has."""
    node = cluster.node_capacity()
    room = node and largest_of_two(node, longhorn=iris.storage_class is None)
    if not room or iris.form != "deployment":
        return None
    if iris.cpu <= room.cpus and iris.memory_gib <= room.memory_gib:
        return None
    return (
        "A deleted pod of IRIS is replaced on another node, to which its volume moves: a node "
        f"has room for two only where iris.cpu is at most {room.cpus:g} and iris.memoryGib "
        f"{room.memory_gib:g}. The move costs about 18 s (simulated; docs/failover.md)."
    )


def _gateways(iris: IrisSettings) -> int:
    """Web gateways of each instance whose size a stack file says: not those of the operator."""
    operators = iris.operator is not None and iris.operator.web_gateway
    return iris.web_gateway.replicas if iris.has_web_gateway() and not operators else 0


def _share(iris: IrisSettings, count: int) -> Share:
    """What so many of them take of a node."""
    gateway = iris.web_gateway
    called = f"{count} web gateway{'s' if count > 1 else ''}"
    return Share(called, count * gateway.cpu, count * gateway.memory_mib / 1024)


def _takes_snapshots(iris: IrisSettings, cluster: ClusterSettings, backup: BackupSettings) -> bool:
    """Whether snapshots of a frozen database are taken by schedule."""
    possible = iris.storage_class is None and getattr(cluster, "volume_snapshots", True)
    return backup.snapshots.enabled and possible
