"""Pulumi's provider protocol without Pulumi's SDK, for stand-ins that must start fast.

Importing ``pulumi`` takes twice as long as gRPC and the generated protocol modules together, so
the bodies of its packages are stepped over and only ``pulumi.runtime.proto`` is loaded.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import grpc

from lab import LabError

MESSAGE_LIMIT = 400 * 1024 * 1024
"""Bytes of one message, as in Pulumi's own SDK (pulumi/runtime/_grpc_settings.py)."""


def _step_over(*packages: str) -> None:
    """Make packages importable from without running their ``__init__``."""
    specification = importlib.util.find_spec(packages[0])
    if specification is None or specification.origin is None:
        raise LabError(packages[0], "this Python package is not installed", "run `make .venv`")
    site = Path(specification.origin).parent.parent
    for name in packages:
        package = ModuleType(name)
        package.__path__ = [str(site / name.replace(".", "/"))]
        sys.modules[name] = package


if TYPE_CHECKING:
    from pulumi.runtime.proto import (
        engine_pb2,
        engine_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
    )
else:
    if "pulumi" not in sys.modules:
        _step_over("pulumi", "pulumi.runtime", "pulumi.runtime.proto")
    from pulumi.runtime.proto import (
        engine_pb2,
        engine_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
    )

__all__ = [
    "Engine",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "serve",
]


class Engine:
    """The engine that has started this plugin, to tell it how things go."""

    def __init__(self, arguments: list[str]) -> None:
        """Take the plugin's arguments: the first one is the engine's address."""
        self._stub: engine_pb2_grpc.EngineStub | None = None
        if arguments:
            # Behind a proxy, gRPC would ask the proxy for the engine on loopback.
            channel = grpc.insecure_channel(arguments[0], options=[("grpc.enable_http_proxy", 0)])
            self._stub = engine_pb2_grpc.EngineStub(channel)

    def tell(self, urn: str, text: str) -> None:
        """Show a line beside a resource for as long as nothing newer is told of it."""
        request = engine_pb2.LogRequest(
            severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=True
        )
        if self._stub:
            with contextlib.suppress(grpc.RpcError):  # it may be ending
                self._stub.Log(request)


def serve(provider: provider_pb2_grpc.ResourceProviderServicer) -> None:
    """Serve a provider on a free loopback port until whoever started it closes standard input.

    The port is the first line of standard output: Pulumi's protocol for plugins.
    """
    server = grpc.server(
        ThreadPoolExecutor(max_workers=8),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_LIMIT),
            ("grpc.max_send_message_length", MESSAGE_LIMIT),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # The engine interrupts a plugin that it no longer needs.
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait() if sys.stdin is None else sys.stdin.read()
    server.stop(grace=None)
