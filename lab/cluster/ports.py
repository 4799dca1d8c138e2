"""Ports for a lab: the same ones each time, other ones than those of the next lab."""

from __future__ import annotations

import hashlib
import socket

from lab import LabError

_FIRST, _LAST = 20000, 32000
"""Below the range from which Linux takes the ports of outgoing connections (32768 and up)."""


def free_ports(name: str, count: int) -> list[int]:
    """`count` neighbouring ports that are free on loopback, chosen by the lab's name.

    Raises:
        LabError: no such run of ports is free.
    """
    blocks = (_LAST - _FIRST) // 10
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % blocks
    for step in range(blocks):
        first = _FIRST + 10 * ((start + step) % blocks)
        ports = list(range(first, first + count))
        if all(_free(port) for port in ports):
            return ports
    raise LabError(
        "127.0.0.1",
        f"no {count} neighbouring ports are free between {_FIRST} and {_LAST}",
        "end what listens there, then run again",
    )


def _free(port: int) -> bool:
    """Whether one may listen on `port`, on loopback and on all addresses."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
