"""What Longhorn, kubelets and InterSystems' operator do next, as a function of the cluster.

Nothing happens to a volume before the driver's CSIDriver object exists, which Longhorn's driver
deployer brings some time after its chart is installed.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.cluster.driver import deploy
from lab.cluster.iris_operator import operate
from lab.cluster.kubelets import mount, register, use
from lab.cluster.longhorn_manager import apply_defaults, target_backups, upload
from lab.cluster.node_down import NodeDown
from lab.cluster.rhythm import Rhythm
from lab.cluster.snapshots import snapshot
from lab.cluster.volumes import attach, expand, provision
from lab.cluster.world import Request, World, installed

AT_ONCE = Rhythm(0)


class Longhorn:
    """Longhorn and the kubelets of one cluster."""

    def __init__(self, *, kubelet_status_seconds: float = 0) -> None:
        """Begin to look; kubelets tell their volumes with their status, every so many seconds."""
        self._node_down = NodeDown()
        self._kubelet_status = Rhythm(kubelet_status_seconds)

    def due(self, world: World) -> Iterator[Request]:
        """Everything that is due now; empty once the cluster has settled."""
        yield from due(world, self._kubelet_status)
        if installed(world):
            yield from self._node_down.free(world)

    def rest(self) -> float | None:
        """Seconds until something is to be looked at again; None: until something changes."""
        rests = [self._kubelet_status.rest(), self._node_down.resync.rest()]
        return min((rest for rest in rests if rest is not None), default=None)


def due(world: World, kubelet_status: Rhythm = AT_ONCE) -> Iterator[Request]:
    """What is due of all that needs no memory."""
    yield from deploy(world)
    yield from register(world)
    yield from apply_defaults(world)
    yield from target_backups(world)
    if installed(world):
        yield from provision(world)
        yield from expand(world)
        yield from attach(world)
        yield from snapshot(world)
        yield from upload(world)
    yield from operate(world)
    yield from use(world, kubelet_status)
    yield from mount(world)
