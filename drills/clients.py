"""Clients that never stop trying, whatever becomes of what they talk to."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from drills.attempts import Attempt, Outcome

PAUSE_SECONDS = 0.1
"""Between two attempts; it bounds how exactly an outage can be told."""
PATIENCE_SECONDS = 10.0
"""After this the client gives up on an answer and connects anew, as a pool with a time-out does."""


class Client(Protocol):
    """Something that tries, from `begin` to `end`."""

    measures_commits: bool
    """Whether its attempts are commits, or only looks at who would take one."""

    def begin(self) -> None:
        """Start to try."""
        ...

    def end(self) -> list[Attempt]:
        """Stop; gives every attempt in the order in which they were begun."""
        ...

    def attempts(self) -> list[Attempt]:
        """Those that have ended so far."""
        ...


class Commits:
    """Numbered commits, each in a transaction of its own, through a connection that may die.

    The connection lives in a process of its own: a driver that waits for ever on a machine that is
    gone is ended with it, and what it had asked for is unknown from then on.
    """

    measures_commits = True

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        insert: str,
        writer: str | None = None,
        first: int = 1,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Prepare to write.

        Args:
            connect: opens a DB-API connection without autocommit; picklable.
            insert: statement with one parameter, the number.
            writer: query whose one value tells the starts of the database apart.
            first: first number.
            patience: seconds for one attempt, connecting included.
        """
        self._arguments = (connect, insert, writer)
        self._number = first
        self._patience = patience
        self._attempts: list[Attempt] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._worker: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def begin(self) -> None:
        """Start to try."""
        self._thread.start()

    def attempts(self) -> list[Attempt]:
        """Those that have ended so far."""
        return list(self._attempts)

    def end(self) -> list[Attempt]:
        """Stop; gives every attempt."""
        self._stop.set()
        self._thread.join(self._patience + 5)
        self._abandon()
        return self.attempts()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._attempts.append(self._try(self._number))
            self._number += 1
            self._stop.wait(PAUSE_SECONDS)

    def _try(self, number: int) -> Attempt:
        begun = time.time()
        deadline = time.monotonic() + self._patience
        outcome: Outcome = "failed"
        writer = reason = ""
        try:
            pipe = self._connected()
            pipe.send(number)
            while True:
                if not pipe.poll(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"no answer within {self._patience:g} s")
                word, text = pipe.recv()
                if word == "commit":
                    # From here on the database may have carried it out.
                    outcome = "unknown"
                elif word == "done":
                    outcome, writer = "acknowledged", text
                    break
                else:
                    raise ConnectionError(text)
        except (EOFError, OSError) as error:
            reason = str(error) or type(error).__name__
            self._abandon()
        return Attempt(number, begun, time.time(), outcome, writer, reason)

    def _connected(self) -> Connection:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._worker = context.Process(
                target=_serve, args=(other, *self._arguments), daemon=True
            )
            self._worker.start()
            other.close()
        return self._pipe

    def _abandon(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.join(5)
        if self._pipe is not None:
            self._pipe.close()
        self._worker = self._pipe = None


def _serve(pipe: Connection, connect: Callable[[], Any], insert: str, writer: str | None) -> None:
    """Commit the numbers that come; end with the first fault, and with whoever sends them."""
    try:
        connection = connect()
        cursor = connection.cursor()
        told = ""
        if writer:
            cursor.execute(writer)
            told = str(cursor.fetchone()[0])
        while True:
            number = pipe.recv()
            cursor.execute(insert, [number])
            pipe.send(("commit", ""))
            connection.commit()
            pipe.send(("done", told))
    except EOFError:
        return
    except Exception as error:  # whatever a driver raises
        pipe.send(("fault", f"{type(error).__name__}: {error}"))


class Endpoints:
    """Looks at who would take a connection, where no database runs: commits are not measured.

    An endpoint on a node that a fault keeps from serving takes none, whatever the Service says.
    """

    measures_commits = False

    def __init__(
        self, slices: Callable[[], list[dict[str, Any]]], down: Callable[[], set[str]]
    ) -> None:
        """Look at EndpointSlices; `down` are the nodes that serve nobody at the moment."""
        self._slices = slices
        self._down = down
        self._attempts: list[Attempt] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Start to look."""
        self._thread.start()

    def attempts(self) -> list[Attempt]:
        """Those so far."""
        return list(self._attempts)

    def end(self) -> list[Attempt]:
        """Stop; gives every look."""
        self._stop.set()
        self._thread.join()
        return self.attempts()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            begun = time.time()
            serving = any(
                (endpoint.get("conditions") or {}).get("ready")
                and endpoint.get("nodeName") not in self._down()
                for item in self._slices()
                for endpoint in item.get("endpoints") or []
            )
            outcome: Outcome = "acknowledged" if serving else "failed"
            reason = "" if serving else "no endpoint that serves"
            self._attempts.append(Attempt(number, begun, time.time(), outcome, "", reason))
