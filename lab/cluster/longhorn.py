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
from lab.cluster.snapshots import snapshot
from lab.cluster.volumes import attach, expand, provision
from lab.cluster.world import Request, World, installed


def due(world: World) -> Iterator[Request]:
    """Everything that is due now; empty once the cluster has settled."""
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
    yield from use(world)
    yield from mount(world)
