"""The program inside of this process, where one call of the Pulumi CLI finds it.

The language host for Python is in no package registry, and the Pulumi CLI is. So this process
plays the language host: it serves ``pulumi.automation``'s own language server on a loopback port,
and the CLI is told to use it (``--client``, as the Automation API does). The program is the
project's own ``__main__.py``, executed as ``pulumi up`` executes it.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from pathlib import Path
from types import ModuleType

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

PROGRAM_PACKAGES = ("components", "stacks")
"""Top-level packages that belong to the program."""


@contextmanager
def serve_program(
    project: Path,
    *,
    secret_keys: Iterable[str] = (),
    warm_up: Callable[[], None] = lambda: None,
) -> Iterator[str]:
    """Serve the ``__main__.py`` of a project folder to one CLI call; gives the address.

    Args:
        project: folder of the program.
        secret_keys: configuration keys that the program shall take for secret although the CLI
            passes them in clear.
        warm_up: runs in a thread beside the CLI's start, may import the program's modules, and has
            ended when the program begins: the cloud SDKs do not load in two threads at once.
    """
    # Behind a proxy, gRPC would ask the proxy for the engine on loopback.
    os.environ.update(no_grpc_proxy="127.0.0.1")
    warm = threading.Thread(target=warm_up, name="warm-up")
    server = grpc.server(ThreadPoolExecutor(max_workers=4))

    def program() -> None:
        warm.join()
        _run(project)

    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        _LanguageHost(program, secret_keys), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with _modules_of(project):
        warm.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None)
            warm.join()


class _LanguageHost(LanguageServer):
    """Reports a failed program once; the SDK's own server has it written twice."""

    def __init__(self, program: Callable[[], None], secret_keys: Iterable[str]) -> None:
        super().__init__(program)
        self.secret_keys = secret_keys

    def Run(self, request, context):
        request.configSecretKeys.extend(self.secret_keys)
        response = super().Run(request, context)
        if response.error:
            response.error = ""
            response.bail = True
        return response


def _run(project: Path) -> None:
    with chdir(project):
        runpy.run_path(str(project / "__main__.py"), run_name="__main__")


@contextmanager
def _modules_of(project: Path) -> Iterator[None]:
    """Let the program's modules be imported, anew, and give those of this process back after it.

    Two stacks in one process, as in the tests, start alike this way.
    """
    before = _take_program_modules()
    sys.path.insert(0, str(project))
    try:
        yield
    finally:
        sys.path.remove(str(project))
        _take_program_modules()
        sys.modules.update(before)


def _take_program_modules() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in PROGRAM_PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
