"""One operation on a stack, in a process of its own that need not import the SDKs first.

Each is forked from one process that has imported them and done nothing else: their import is a
third of what an operation costs. The program's own modules are imported anew in each.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import REPOSITORY
from lab.engine import Engine, EngineError, Operation, Result

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        __name__,
        "kubernetes.client",
        "pulumi_kubernetes.apps.v1",
        "pulumi_kubernetes.batch.v1",
        "pulumi_kubernetes.core.v1",
        "pulumi_kubernetes.helm.v3",
        "pulumi_random",
        "pydantic",
    ]
)


class Forked:
    """An operation at work in a session of its own, of which ``pid`` is the leader."""

    def __init__(self, engine: Mapping[str, Any], operation: Operation, *flags: str) -> None:
        """Begin it.

        Args:
            engine: arguments of the engine.
        """
        self._result: Path = engine["home"].root / "result"
        self._result.unlink(missing_ok=True)
        given = (engine, operation, flags, self._result, dict(os.environ), os.getpid())
        self._process = FORKS.Process(target=_run, args=given)
        self._process.start()
        assert self._process.pid
        self.pid: int = self._process.pid

    def wait(self, *, timeout: float = 60) -> int:
        """Its status, once it has ended.

        Raises:
            TimeoutError: it has not.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError(f"the operation has not ended within {timeout} s")
        return self._process.exitcode

    @property
    def result(self) -> Result:
        """What it came to.

        Raises:
            FileNotFoundError: it was killed before it could say.
        """
        return pickle.loads(self._result.read_bytes())


def _run(
    engine: Mapping[str, Any],
    operation: Operation,
    flags: tuple[str, ...],
    result: Path,
    environment: Mapping[str, str],
    test: int,
) -> None:
    os.setsid()
    os.chdir(REPOSITORY)
    for descriptor in (1, 2):  # where the test itself writes
        there = os.open(f"/proc/{test}/fd/{descriptor}", os.O_WRONLY | os.O_APPEND)
        os.dup2(there, descriptor)
    os.environ.clear()
    os.environ.update(environment)
    failed = False
    try:
        done = Engine(**engine).run(operation, *flags)
    except EngineError as error:
        done, failed = error.result, True
    result.write_bytes(pickle.dumps(done))
    sys.exit(failed)
