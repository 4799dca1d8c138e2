"""What happens to a container that starts again, or whose instance ends by itself."""

import time
from dataclasses import dataclass

from tests.guard.cases import Make, seen
from tests.guard.machine import Machine
from tests.guard.network import API, FAR
from tests.guard.processes import uptime

LONGER_THAN_A_NEW_POD_WAITS = 63


@dataclass(frozen=True)
class Restarted:
    """A container that was restarted."""

    ran_while_cut_off: bool
    waited_after_the_heal: float | None
    log: str


def restarted_while_cut_off(make: Make) -> Restarted:
    """The kubelet restarts the container on a node that is still cut off; later the link heals."""
    node = make()
    node.network.reset(API, *FAR)
    before = len(node.processes("commits.sh"))
    assert before == 1
    node.wait_until_dead(most=40)
    begun = uptime()
    while not node.restarts and uptime() < begun + 20:
        time.sleep(0.1)
    time.sleep(10)
    ran = node.iris_lives()
    node.network.listen(API, *FAR)
    healed = uptime()
    while not node.iris_lives() and uptime() < healed + 40:
        time.sleep(0.1)
    waited = uptime() - healed if node.iris_lives() else None
    return Restarted(ran, waited, node.log())


@dataclass(frozen=True)
class Denied:
    """A pod that may reach nobody, on a node that is well."""

    dead: float | None
    """When IRIS was dead, seconds after the policy."""
    waited: float
    """Seconds for which the restarted container let no IRIS start; it may have gone on waiting."""
    new_pod_after: float | None
    """Seconds from the pod's deletion until the next one's IRIS ran."""
    log: str
    guarded: bool = False
    """Whether the new pod knows the API server as a witness, once that answers."""


def _started(node: Machine, *, most: float) -> float | None:
    begun = uptime()
    while uptime() < begun + most:
        if node.iris_lives():
            return uptime() - begun
        time.sleep(0.1)
    return None


def egress_denied(make: Make) -> Denied:
    """A policy forbids the pod every way out; the API server alone is allowed again for the next.

    Writes end, as Longhorn's own connections are the node's and not the pod's.
    """
    node = make()
    denied = uptime()
    node.network.cut()
    died = seen(node, denied, most=40).dead
    while not node.restarts and uptime() < denied + 60:
        time.sleep(0.1)
    begun = uptime()
    waited = _started(node, most=LONGER_THAN_A_NEW_POD_WAITS) or uptime() - begun
    node.network.dropped.discard(API)
    node.delete_pod()
    return Denied(died, waited, _started(node, most=20), node.log())


def nobody_ever_answered(make: Make) -> Denied:
    """A new pod that may reach nobody at all; later the API server answers."""
    node = make()
    node.network.cut()
    node.delete_pod()
    started = _started(node, most=90)
    log = node.log()
    node.network.heal()
    begun = uptime()
    while not (node.memory / "knows-api").exists() and uptime() < begun + 20:
        time.sleep(0.1)
    return Denied(None, 0, started, log, guarded=(node.memory / "knows-api").exists())


@dataclass(frozen=True)
class NotRunning:
    """What became of an instance that says no more that it runs."""

    told_to_stop_after: float | None
    probe_before: int


def instance_gone(make: Make) -> NotRunning:
    """`iris qlist` says down. Asked each second here, each fifteen elsewhere."""
    node = make(GUARD_QLIST="1")
    while not (node.memory / "probed").exists():
        time.sleep(0.1)
    time.sleep(3)
    (node.observed / "qlist").write_text("IRIS^/usr/irissys^2026.2^down, last used x^i.cpf^^^\n")
    begun = uptime()
    time.sleep(2)
    before = node.probe()
    while not (node.observed / "told").exists() and uptime() < begun + 20:
        time.sleep(0.05)
    told = uptime() - begun if (node.observed / "told").exists() else None
    return NotRunning(told, before)
