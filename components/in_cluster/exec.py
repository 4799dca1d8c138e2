"""A command in a container, as `kubectl exec` runs one: lines over a WebSocket (RFC 6455)."""

from __future__ import annotations

import base64
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from urllib.parse import urlencode

from .kube import Api, ApiError, message

STDIN, STDOUT, STDERR, ERROR = range(4)
CLOSE = 255
PROTOCOL = "v5.channel.k8s.io"
"""What kubectl speaks since 1.31; API servers understand it since 1.30 (KEP 4006)."""


def start(api: Api, pod: str, *, container: str, command: Sequence[str]) -> Session:
    """Begin a command in a container; ``pod`` is its path.

    Raises:
        ApiError: it could not be begun.
    """
    query = [("container", container), ("stdin", "true"), ("stdout", "true")]
    query += [("stderr", "true"), *(("command", word) for word in command)]
    connection = api.connect()
    try:
        connection.connect()
        line = f"GET {pod}/exec?{urlencode(query)} HTTP/1.1\r\n"
        connection.sock.sendall((line + _upgrade(api)).encode())
        answer = connection.sock.makefile("rb", buffering=0)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = answer.read(1)
            if not byte:
                raise OSError("the connection was closed")
            head += byte
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            text = connection.sock.recv(65536).decode(errors="replace")
            raise ApiError(status, f"exec in {pod}: {status} {message(text)}")
    except (OSError, ValueError) as error:
        connection.close()
        raise ApiError(0, f"no command can be run in {pod}: {error!r}") from error
    return Session(connection.sock)


def _upgrade(api: Api) -> str:
    key = base64.b64encode(os.urandom(16)).decode()
    return "\r\n".join(
        (
            f"Host: {api.url.netloc}",
            f"Authorization: Bearer {api.bearer()}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Protocol: {PROTOCOL}",
            "\r\n",
        )
    )


class Session:
    """A command that runs in a container: lines go in, lines come out (RFC 6455 frames)."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._frames = b""
        self._output = b""
        self.errors = ""
        """What the command wrote to stderr, and why Kubernetes says that it ended."""
        self.ended = False

    def send(self, line: str) -> None:
        """Give the command a line.

        Raises:
            ApiError: the connection is gone.
        """
        self._send(0x2, bytes([STDIN]) + line.encode() + b"\n")

    def close_input(self) -> None:
        """Tell the command that no more comes."""
        self._send(0x2, bytes([CLOSE, STDIN]))

    def line(self, seconds: float) -> str | None:
        """The next line of its output; None if none comes in time, or none comes any more."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._output and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0 or not self._receive(left):
                return None
        line, end, rest = self._output.partition(b"\n")
        if not end:
            return None
        self._output = rest
        return line.decode(errors="replace").strip()

    def close(self) -> None:
        """Let go of the command: its input ends."""
        self.ended = True
        self._socket.close()

    def _send(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        try:
            self._socket.sendall(bytes([0x80 | opcode]) + size + mask + masked)
        except OSError as error:
            self.ended = True
            raise ApiError(0, f"the connection to the command is gone: {error!r}") from error

    def _receive(self, seconds: float) -> bool:
        """Take in what has come; False if nothing did in time."""
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        if not pending and not select.select([self._socket], [], [], seconds)[0]:
            return False
        try:
            got = self._socket.recv(65536)
        except TimeoutError:
            return True
        except OSError:
            got = b""
        if not got:
            self.ended = True
            return True
        self._frames += got
        while frame := _frame(self._frames):
            opcode, payload, self._frames = frame
            self._take(opcode, payload)
        return True

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 0x8:
            self.ended = True
        elif opcode == 0x9:
            self._send(0xA, payload)
        elif opcode <= 0x2 and payload:
            channel, content = payload[0], payload[1:]
            if channel == STDOUT:
                self._output += content
            elif channel in (STDERR, ERROR):
                self.errors += content.decode(errors="replace")


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Opcode and payload of the first frame, and what follows it; None while it is not whole."""
    if len(data) < 2:
        return None
    opcode, length, start = data[0] & 0x0F, data[1] & 0x7F, 2
    if length == 126:
        length, start = int.from_bytes(data[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(data[2:10], "big"), 10
    if len(data) < start + length or len(data) < start:
        return None
    return opcode, data[start : start + length], data[start + length :]
