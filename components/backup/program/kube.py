"""The Kubernetes API with the standard library: requests, and commands in a container."""

from __future__ import annotations

import base64
import http.client
import json
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT = 5.0
"""Seconds for one answer of the API server: several of them pass while IRIS is frozen."""

STDIN, STDOUT, STDERR, ERROR = range(4)
CLOSE = 255
PROTOCOL = "v5.channel.k8s.io"
"""What kubectl speaks since 1.31; API servers understand it since 1.30 (KEP 4006)."""


class ApiError(Exception):
    """The API server said no, or nothing: ``status`` is 0 where there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server, as this pod's service account."""

    def __init__(self, url: str, *, token: Path, ca: Path | None) -> None:
        self._url = urlsplit(url)
        self._token = token
        self._tls = _trusting(ca) if ca else None

    @classmethod
    def of_this_pod(cls) -> Api:
        """The one that Kubernetes names to every pod; HA_IRIS_API points elsewhere."""
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        host = f"[{host}]" if ":" in host else host
        account = Path(os.environ.get("HA_IRIS_ACCOUNT", ACCOUNT))
        url = os.environ.get("HA_IRIS_API", f"https://{host}:{port}")
        tls = url.startswith("https:")
        return cls(url, token=account / "token", ca=account / "ca.crt" if tls else None)

    def request(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json"
    ) -> Any:
        """One request; gives the answer as data.

        Raises:
            ApiError: it was refused, or nobody answered within TIMEOUT.
        """
        headers = {"Authorization": f"Bearer {self._bearer()}", "Accept": "application/json"}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body), kind
        connection = self._connection()
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, f"the API server does not answer: {error!r}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiError(answer.status, f"{method} {path}: {answer.status} {_message(text)}")
        return json.loads(text) if text else None

    def get(self, path: str, **query: str) -> Any:
        """An object, or a list of them."""
        return self.request("GET", f"{path}?{urlencode(query)}" if query else path)

    def create(self, path: str, item: Mapping[str, Any]) -> Any:
        """Create an object."""
        return self.request("POST", path, item)

    def merge(self, path: str, changes: Mapping[str, Any]) -> Any:
        """Change parts of an object."""
        return self.request("PATCH", path, changes, kind="application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone is fine."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.status != 404:
                raise

    def exec(self, pod: str, *, container: str, command: Sequence[str]) -> Session:
        """Begin a command in a container; ``pod`` is its path.

        Raises:
            ApiError: it could not be begun.
        """
        query = [("container", container), ("stdin", "true"), ("stdout", "true")]
        query += [("stderr", "true"), *(("command", word) for word in command)]
        connection = self._connection()
        try:
            connection.connect()
            line = f"GET {pod}/exec?{urlencode(query)} HTTP/1.1\r\n"
            connection.sock.sendall((line + self._upgrade()).encode())
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
                raise ApiError(status, f"exec in {pod}: {status} {_message(text)}")
        except (OSError, ValueError) as error:
            connection.close()
            raise ApiError(0, f"no command can be run in {pod}: {error!r}") from error
        return Session(connection.sock)

    def _upgrade(self) -> str:
        key = base64.b64encode(os.urandom(16)).decode()
        return "\r\n".join(
            (
                f"Host: {self._url.netloc}",
                f"Authorization: Bearer {self._bearer()}",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Key: {key}",
                f"Sec-WebSocket-Protocol: {PROTOCOL}",
                "\r\n",
            )
        )

    def _bearer(self) -> str:
        return self._token.read_text().strip()  # the kubelet replaces it

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._tls:
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)


def _trusting(ca: Path) -> ssl.SSLContext:
    """Trust the cluster's own authority, as every client of Kubernetes does.

    Python 3.13 and newer also refuse certificates without key identifiers, which EKS has given to
    clusters (tomplus/kubernetes_asyncio#349): authority, dates and name are still checked.
    """
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]


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
