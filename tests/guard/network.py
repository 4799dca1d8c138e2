"""A node's network, and what is at the other end: real connections over a wire that tests bend."""

import contextlib
import ctypes
import fcntl
import heapq
import os
import selectors
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

API = "10.77.2.1"
NEAR = "10.77.1.9"
"""Longhorn's manager on the node itself: reachable whatever happens to the network."""
FAR = ("10.77.2.11", "10.77.2.12")
"""Longhorn's managers on the other nodes."""
DNS = "10.77.2.53"
OTHERS = (API, *FAR, DNS)
"""All that a cut separates the node from."""

API_PORT = 443
PEER_PORT = 9500
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000

T = TypeVar("T")


class Network:
    """Two network namespaces, the node's and that of the others, and the wire between them.

    The wire is this process: a packet is passed on, delayed or dropped by the address of the
    others, in both directions, so a drop is a silent one. A listener that is closed answers with
    a reset, as the kernel does.
    """

    def __init__(self, name: str) -> None:
        self.node, self.others = f"{name}-node", f"{name}-others"
        self.delays: dict[str, float] = {}
        self.dropped: set[str] = set()
        self._late: list[tuple[float, int, int, bytes]] = []
        self._listeners: dict[str, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._closing = False
        for namespace in (self.node, self.others):
            _ip("netns", "add", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
        self._near = _inside(self.node, lambda: _tun("wire"))
        self._far = _inside(self.others, lambda: _tun("wire"))
        self._prepare(self.node, "10.77.1.2", [NEAR])
        self._prepare(self.others, "10.77.2.254", OTHERS)
        for tun in (self._near, self._far):
            self._selector.register(tun, selectors.EVENT_READ)
        self._lookups = _inside(self.others, lambda: socket.socket(type=socket.SOCK_DGRAM))
        self._lookups.bind((DNS, 53))
        self._selector.register(self._lookups, selectors.EVENT_READ)
        self.listen(NEAR, *OTHERS[:-1])
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _prepare(self, namespace: str, address: str, more: tuple[str, ...] | list[str]) -> None:
        _ip("-n", namespace, "addr", "add", f"{address}/32", "dev", "wire")
        _ip("-n", namespace, "link", "set", "wire", "up")
        _ip("-n", namespace, "route", "add", "default", "dev", "wire")
        for one in more:
            _ip("-n", namespace, "addr", "add", f"{one}/32", "dev", "lo")

    def listen(self, *addresses: str) -> None:
        """Answer connections to these addresses."""
        for address in addresses:
            namespace = self.node if address == NEAR else self.others
            listener = _inside(namespace, socket.socket)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, API_PORT if address == API else PEER_PORT))
            listener.listen(64)
            self._listeners[address] = listener
            self._selector.register(listener, selectors.EVENT_READ)

    def reset(self, *addresses: str) -> None:
        """Refuse connections to these addresses: the kernel there answers with a reset."""
        for address in addresses:
            listener = self._listeners.pop(address)
            self._selector.unregister(listener)
            listener.close()

    def cut(self, *addresses: str) -> None:
        """Drop every packet to and from these addresses, or to and from all of the others."""
        self.dropped |= {*(addresses or OTHERS)}

    def heal(self) -> None:
        """Pass every packet on again."""
        self.dropped = set()

    def _carry(self) -> None:
        while not self._closing:
            wait = max(0.0, self._late[0][0] - time.monotonic()) if self._late else 0.05
            for key, _ in self._selector.select(min(wait, 0.05)):
                with contextlib.suppress(OSError):
                    self._take(key.fileobj)
            while self._late and self._late[0][0] <= time.monotonic():
                _, _, to, packet = heapq.heappop(self._late)
                os.write(to, packet)

    def _take(self, source: object) -> None:
        if source is self._lookups:
            question, client = self._lookups.recvfrom(512)
            self._lookups.sendto(_answer(question, (NEAR, *FAR)), client)
        elif isinstance(source, socket.socket):
            source.accept()[0].close()
        else:
            outward = source == self._near
            packet = os.read(self._near if outward else self._far, 65535)
            address = socket.inet_ntoa(packet[16:20] if outward else packet[12:16])
            if address not in self.dropped:
                due = time.monotonic() + self.delays.get(address, 0)
                to = self._far if outward else self._near
                heapq.heappush(self._late, (due, id(packet), to, packet))

    def close(self) -> None:
        """Take both namespaces away."""
        self._closing = True
        self._thread.join()
        for listener in (*self._listeners.values(), self._lookups):
            listener.close()
        for tun in (self._near, self._far):
            os.close(tun)
        for namespace in (self.node, self.others):
            _ip("netns", "delete", namespace)


def _answer(question: bytes, addresses: tuple[str, ...]) -> bytes:
    """Reply to a DNS question: these addresses to one for A, nothing to any other."""
    end = question.index(b"\0", 12) + 5
    asked_a = question[end - 4 : end - 2] == b"\0\1"
    records = [
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + socket.inet_aton(address)
        for address in (addresses if asked_a else ())
    ]
    head = question[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, len(records), 0, 0)
    return head + question[12:end] + b"".join(records)


def _tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_WITHOUT_HEADER))
    return device


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _inside(namespace: str, make: Callable[[], T]) -> T:
    """What a function makes in a network namespace, which only a thread of its own enters."""

    def steps() -> Iterator[T]:
        handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns to {namespace}")
        finally:
            os.close(handle)
        yield make()

    made: list[T] = []
    thread = threading.Thread(target=lambda: made.extend(steps()))
    thread.start()
    thread.join()
    return made[0]
