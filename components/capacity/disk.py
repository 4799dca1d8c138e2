"""What of a disk copies of volumes may fill, and whether the database's fit.

What Longhorn is told to keep free is what a volume is checked against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

HEAD_AND_SNAPSHOT = 2
"""What a copy may grow to, in sizes of its volume, before anybody takes a snapshot.

Longhorn cuts a snapshot of its own before each rebuild and each expansion, and never trims by
itself: head and snapshot may each be as large as the volume (Longhorn, "Volume Size")."""

WORST_CASE = 3
"""The same while Longhorn merges the snapshots of two rebuilds in a row (there: 1 + 1 + 1)."""


class KeptSnapshots(NamedTuple):
    """Snapshots of each volume that stay inside Longhorn, by schedule.

    Each holds the blocks that were written until the next one was cut, and never more than the
    volume has (Longhorn, "Volume Size"). How many that are nobody knows before: ``percent_a_day``
    is what the stack file says of it.
    """

    keep: int
    days: float
    """Between two of them, at most."""
    percent_a_day: int
    """Of the volume, written anew."""

    def sizes(self) -> float:
        """What all of them come to, in sizes of the volume."""
        return self.keep * min(100.0, self.days * self.percent_a_day) / 100


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

    def holds(self, volume_gib: int, *, times: float) -> bool:
        """Whether a copy may grow to so many sizes of its volume."""
        return times * volume_gib < self.usable_gib()

    def size_for(self, volume_gib: int, *, times: float) -> int:
        """Smallest size of such a disk that holds the copy, GiB."""
        shares = disk_shares(dedicated=self.dedicated)
        return int(100 * times * volume_gib / (100 - sum(shares))) + 1


def copies_on_a_node(volumes_gib: Sequence[int], *, nodes: int) -> int:
    """What volumes, of which three zones have a copy each, come to on a node, GiB.

    Longhorn puts a copy on the disk of the zone that has most room (scheduleReplicaToDisk in
    its replica_scheduler.go), so the nodes of a zone share them, each volume on one of them.
    """
    return max(-(-sum(volumes_gib) // max(1, nodes // 3)), *volumes_gib)


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


def too_many_snapshots(
    volumes_gib: Sequence[int], kept: KeptSnapshots, disk: CopiesDisk, *, nodes: int = 3
) -> str | None:
    """Why the disks cannot hold what is kept of these volumes too, with sum and cure, or None."""
    gib = copies_on_a_node(volumes_gib, nodes=nodes)
    times = HEAD_AND_SNAPSHOT + kept.sizes()
    if disk.holds(gib, times=times):
        return None
    fewer = [
        count
        for count in range(1, kept.keep)
        if disk.holds(gib, times=HEAD_AND_SNAPSHOT + kept._replace(keep=count).sizes())
    ]
    lower = f", or keep to {fewer[-1]}" if fewer else ""
    return (
        f"snapshots.keep is {kept.keep}, and they take {gib * kept.sizes():.3g} GiB of a node's "
        f"disk ({kept.keep} x {kept.days:.2g} days x {kept.percent_a_day} % of {gib}) beside the "
        f"{HEAD_AND_SNAPSHOT * gib} that the copies may grow to ({HEAD_AND_SNAPSHOT} x {gib}); of "
        f"ha-iris:cluster.{disk.setting} {disk.size_gib} all may fill less than "
        f"{disk.usable_gib():g}; set {disk.setting} to {disk.size_for(gib, times=times)} or "
        f"more{lower}, or snapshots.changedPercent to what is really written anew in a day"
    )
