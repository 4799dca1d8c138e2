"""The API server of the played cluster: requests, and commands over a WebSocket (RFC 6455)."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import socket
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.unit.backup_cluster import PlayedCluster


def cut(connection: socket.socket) -> None:
    """End a connection without a word."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _merge(into: Any, changes: Any) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def handler(cluster: PlayedCluster) -> type[BaseHTTPRequestHandler]:
    """What answers for a cluster."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            cluster.connections.add(self.connection)

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            cluster.came(f"GET {url.path}")
            if url.path.endswith("/exec"):
                return self._exec(query["command"])
            if url.path.rsplit("/", 1)[1].islower() and url.path.endswith("s"):
                selector = query.get("labelSelector", [""])[0]
                return self._answer(200, {"items": cluster.items(url.path, selector)})
            item = cluster.look(url.path)
            return self._answer(200 if item else 404, item or {"message": "not found"})

        def do_POST(self) -> None:
            item = self._body()
            path = f"{self.path}/{item['metadata']['name']}"
            cluster.came(f"POST {path}")
            if path in cluster.objects:
                return self._answer(409, {"message": "already exists"})
            return self._answer(201, cluster.put(path, item))

        def do_PUT(self) -> None:
            item = self._body()
            cluster.came(f"PUT {self.path}")
            old = cluster.objects[self.path]["metadata"]["resourceVersion"]
            if item["metadata"]["resourceVersion"] != old:
                return self._answer(409, {"message": "it has changed"})
            return self._answer(200, cluster.put(self.path, item))

        def do_PATCH(self) -> None:
            changes = self._body()
            cluster.came(f"PATCH {self.path}")
            if self.path not in cluster.objects:
                return self._answer(404, {"message": "not found"})
            item = copy.deepcopy(cluster.objects[self.path])
            _merge(item, changes)
            return self._answer(200, cluster.put(self.path, item))

        def do_DELETE(self) -> None:
            cluster.came(f"DELETE {self.path}")
            for begin, status in cluster.refused.items():
                if f"DELETE {self.path}".startswith(begin):
                    return self._answer(status, {"message": "not now"})
            return self._answer(200 if cluster.objects.pop(self.path, None) else 404, {})

        def _body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, status: int, item: Any) -> None:
            content = json.dumps(item).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _exec(self, command: list[str]) -> None:
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            self.send_response(101)
            for name, value in {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Accept": accept,
                "Sec-WebSocket-Protocol": self.headers["Sec-WebSocket-Protocol"],
            }.items():
                self.send_header(name, value)
            self.end_headers()
            process = cluster.run(command)
            threading.Thread(target=self._pump_out, args=(process,), daemon=True).start()
            assert process.stdin
            try:
                while word := self._channel_0():
                    cluster.came(f"word {word.decode().strip()}")
                    process.stdin.write(word)
                    process.stdin.flush()
            except OSError:
                pass
            with contextlib.suppress(OSError):
                process.stdin.close()
            self.close_connection = True

        def _channel_0(self) -> bytes:
            """What the client sends to the command; empty once it has gone."""
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 0x0F == 8:
                return b""
            length = head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self.rfile.read(2))
            mask, masked = self.rfile.read(4), self.rfile.read(length)
            return bytes(b ^ mask[i % 4] for i, b in enumerate(masked))[1:]

        def _pump_out(self, process: subprocess.Popen[bytes]) -> None:
            assert process.stdout
            with process.stdout as output:
                for line in output:
                    self._frame(b"\x01" + line)
            process.wait()
            self._frame(b"\x03" + json.dumps({"status": "Success"}).encode())
            cut(self.connection)

        def _frame(self, payload: bytes) -> None:
            size = len(payload)
            head = bytes([0x82, size]) if size < 126 else b"\x82\x7e" + struct.pack(">H", size)
            with contextlib.suppress(OSError):
                self.connection.sendall(head + payload)

    return Handler
