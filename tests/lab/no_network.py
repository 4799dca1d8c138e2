"""Runs a command where the only network is loopback, and counts what it sent anywhere else.

``python no_network.py COUNTS COMMAND...`` writes the number of such packets to the file COUNTS and
gives the command's exit code, or 77 where the kernel refuses network namespaces to this user.

The kernel keeps these counters for each network namespace; they also tell of attempts whose
failure a program keeps to itself.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

REFUSED = 77
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
COUNTERS = ("IpOutNoRoutes", "Ip6OutNoRoutes", "UdpNoPorts", "Udp6NoPorts")
"""No route: to another machine. No port: to a name server on loopback, of which there is none."""


def enter() -> None:
    """Move this process into a network namespace of its own and bring up its loopback.

    Raises:
        OSError: the kernel refuses.
    """
    flags = CLONE_NEWNET | (CLONE_NEWUSER if os.geteuid() else 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def sent() -> int:
    """Packets that this namespace was asked to send and could not."""
    counts = {}
    lines = Path("/proc/net/snmp").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        protocol, *keys = names.replace(":", "").split()
        counts |= {
            f"{protocol}{key}": int(n) for key, n in zip(keys, values.split()[1:], strict=True)
        }
    for line in Path("/proc/net/snmp6").read_text().splitlines():
        key, number = line.split()
        counts[key] = int(number)
    return sum(counts[name] for name in COUNTERS)


def main(counts: str, command: list[str]) -> int:
    """Run the command; gives the exit code."""
    try:
        enter()
    except OSError:
        return REFUSED
    code = subprocess.run(command).returncode
    Path(counts).write_text(str(sent()))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
