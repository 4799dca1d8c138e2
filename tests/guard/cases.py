"""What happens to a node, with the guard's true times, and what is seen of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from components.longhorn.settings import GUARDED_ENGINE_TIMEOUT as ENGINE_TIMEOUT
from tests.guard.machine import Machine
from tests.guard.network import API, DNS, FAR, NEAR, OTHERS
from tests.guard.processes import uptime

Make = Callable[..., Machine]


@dataclass(frozen=True)
class Seen:
    """What came of a case. Times are seconds after the cut."""

    dead: float | None
    """When IRIS was dead; None: it lived on."""
    verdict: str
    acknowledged: list[float] = field(default_factory=list)
    """Commits after the cut."""
    log: str = ""
    decided: float = 0
    """When the guard had decided and IRIS lived; 0: it had not, or IRIS was dead as soon."""


def cut_and_hang(node: Machine) -> float:
    """Cut the node off and let its writes hang: since when, at the earliest."""
    begun = uptime()
    node.hang()
    node.network.cut()
    node.settled = uptime()
    return begun


def acknowledged(node: Machine, cut: float) -> list[float]:
    """Commits after the cut was there for certain, in seconds after it."""
    return [t - cut for t in node.acknowledged() if t > max(cut, node.settled)]


def seen(node: Machine, cut: float, *, most: float) -> Seen:
    """Watch a node until IRIS is dead, at most so long after the cut."""
    died = node.wait_until_dead(most=most - (uptime() - cut))
    dead = uptime() - cut if died is not None else None
    decided = node.decided - cut if node.decided else 0
    return Seen(dead, node.verdict(), acknowledged(node, cut), decided=decided)


def cut_off(make: Make) -> Seen:
    """Silent drop of everything. The engine goes on alone when its time-out is over."""
    node = make()
    cut = cut_and_hang(node)
    found = seen(node, cut, most=ENGINE_TIMEOUT)
    time.sleep(max(0, cut + ENGINE_TIMEOUT - uptime()))
    node.answer()
    time.sleep(3)
    return replace(found, acknowledged=acknowledged(node, cut), log=node.log())


def reset(make: Make) -> Seen:
    """Everybody refuses: the engine goes on alone at once, so no write hangs for long."""
    node = make()
    node.network.reset(API, *FAR)
    node.hang()
    cut = uptime()
    time.sleep(0.3)
    node.answer()
    return seen(node, cut, most=40)


def flapping(make: Make) -> Seen:
    """The link is back for a second, which the engine misses, and gone again for good."""
    node = make()
    cut = cut_and_hang(node)
    time.sleep(12.5)
    node.network.heal()
    time.sleep(1)
    node.network.cut()
    return seen(node, cut, most=ENGINE_TIMEOUT)


def flapping_early(make: Make) -> Seen:
    """The link is back for half a second of every five."""
    node = make()
    cut = cut_and_hang(node)

    def flap() -> None:
        while uptime() < cut + ENGINE_TIMEOUT:
            time.sleep(4.5)
            node.network.heal()
            time.sleep(0.5)
            node.network.cut()

    link = threading.Thread(target=flap)
    link.start()
    found = seen(node, cut, most=ENGINE_TIMEOUT)
    link.join()
    return found


def _hung_write(make: Make, bend: Callable[[Machine], None]) -> Seen:
    """A write hangs for as long as Longhorn's engine lets it, while somebody answers."""
    node = make()
    bend(node)
    node.hang()
    cut = uptime()
    found = seen(node, cut, most=ENGINE_TIMEOUT)
    node.answer()
    time.sleep(2)
    return replace(found, acknowledged=acknowledged(node, cut))


def one_peer_left(make: Make) -> Seen:
    """The API server and one of two other nodes are gone, and a write hangs."""
    return _hung_write(make, lambda node: node.network.cut(API, DNS, FAR[0]))


def only_the_api_server(make: Make) -> Seen:
    """Both other nodes are gone, and a write hangs."""
    return _hung_write(make, lambda node: node.network.cut(*FAR))


def replica_lost(make: Make) -> Seen:
    """A node with a copy vanishes, and writes wait until the engine gives that copy up."""
    return _hung_write(make, lambda node: node.network.cut(FAR[0]))


def slow_answers(make: Make) -> Seen:
    """Answers take 0.6 of 2 s, and a write hangs."""

    def slow(node: Machine) -> None:
        node.network.delays = dict.fromkeys(OTHERS, 0.3)

    return _hung_write(make, slow)


def too_slow_answers(make: Make) -> Seen:
    """Answers take 3 of 2 s, and a write hangs."""

    def slow(node: Machine) -> None:
        node.network.delays = dict.fromkeys(OTHERS, 1.5)

    return _hung_write(make, slow)


def short_cut(make: Make) -> Seen:
    """A cut of 12 s, which TCP gets over in its fourth try."""
    node = make()
    cut = cut_and_hang(node)
    time.sleep(12)
    node.network.heal()
    time.sleep(1.2)
    node.answer()
    return seen(node, cut, most=30)


def storage_upgrade(make: Make) -> Seen:
    """Every manager of Longhorn is down, as in an upgrade; the API server answers."""
    node = make()
    node.network.reset(NEAR, *FAR)
    return seen(node, uptime(), most=25)


def control_plane_away(make: Make) -> Seen:
    """The API server is gone for everybody, and so are names, for longer than they are kept."""
    node = make()
    node.network.cut(API, DNS)
    return seen(node, uptime(), most=50)


def starved(make: Make) -> Seen:
    """Every process takes three seconds to start: on a container without a processor to spare."""
    node = make()
    node.slow_starts()
    return seen(node, uptime(), most=30)


def never_asked_the_api_server(make: Make) -> Seen:
    """A policy keeps IRIS from the API server from its first day; all managers are down at once."""
    node = make(KUBERNETES_SERVICE_HOST="10.77.2.99")
    node.network.reset(NEAR, *FAR)
    return seen(node, uptime(), most=25)


def frozen_healthy(make: Make) -> Seen:
    """30 s without a processor in the middle of a write; then storage and network take 2 s."""
    node = make()
    node.hang()
    time.sleep(1.5)
    node.network.cut()
    node.stop_the_world()
    time.sleep(30)
    node.go_on()
    went_on = uptime()
    time.sleep(2)
    node.network.heal()
    node.answer()
    return seen(node, went_on, most=20)


def frozen_and_cut_off(make: Make) -> Seen:
    """The same, and the network does not come back. The cut is counted from the end of the 30 s."""
    node = make()
    node.hang()
    time.sleep(1.5)
    node.network.cut()
    node.stop_the_world()
    time.sleep(30)
    node.go_on()
    return seen(node, uptime(), most=ENGINE_TIMEOUT)


def cut_off_before_it_froze(make: Make) -> Seen:
    """Cut off for 8 s, then 30 s without a processor. Counted from the end of these."""
    node = make()
    cut_and_hang(node)
    time.sleep(8)
    node.stop_the_world()
    time.sleep(30)
    node.go_on()
    return seen(node, uptime(), most=ENGINE_TIMEOUT)


def guard_killed(make: Make) -> Seen:
    """Somebody kills the guard's watch twelve seconds after the cut."""
    node = make()
    cut = cut_and_hang(node)
    time.sleep(12)
    for process in node.processes("guard.sh watch"):
        node.kill(process)
    return seen(node, cut, most=ENGINE_TIMEOUT)


def kubelet_alone(make: Make) -> Seen:
    """The guard decides and cannot kill, so that the kubelet must, by the probe."""
    node = make(cannot_kill=True)
    return seen(node, cut_and_hang(node), most=ENGINE_TIMEOUT)


def only_managers_known(make: Make) -> Seen:
    """A policy keeps IRIS from the API server from its first day; then the node is cut off."""
    node = make(KUBERNETES_SERVICE_HOST="10.77.2.99")
    return seen(node, cut_and_hang(node), most=ENGINE_TIMEOUT)


def mostly_up(make: Make) -> Seen:
    """The link is gone for 4.4 of each 10 s, and a write hangs."""
    node = make()
    node.hang()
    cut = uptime()
    for _ in range(4):
        time.sleep(5.6)
        node.network.cut()
        time.sleep(4.4)
        node.network.heal()
    node.answer()
    return seen(node, cut, most=44)


def left_alone(make: Make) -> Seen:
    """Nothing happens. The log says which share of a processor the guard took."""
    node = make()
    begun = uptime()
    watch = int((node.memory / "watch").read_text())
    (watch,) = [p for p in node.processes("guard.sh watch") if node.number_inside(p) == watch]
    before = node.processor_time(watch)
    found = seen(node, begun, most=25)
    share = (node.processor_time(watch) - before) / (uptime() - begun)
    return replace(found, log=f"{share:.1%}")
