"""What a client tried, one numbered commit at a time, and how each try ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Outcome = Literal["acknowledged", "failed", "unknown"]
"""Acknowledged: the database said yes. Failed: it was never asked to commit. Unknown: it was asked
and has not answered, so the number may be there or not; both are right."""


@dataclass(frozen=True)
class Attempt:
    """One numbered commit, or one look at the Service where nothing can be committed."""

    number: int
    begun: float
    """When it was begun, seconds of the Unix clock."""
    ended: float
    """When its outcome was known."""
    outcome: Outcome
    writer: str = ""
    """Which start of the database acknowledged it; empty where that is not known."""
    reason: str = ""
    """What the driver said, where it was not acknowledged."""

    @property
    def seconds(self) -> float:
        """How long the client waited."""
        return self.ended - self.begun

    @property
    def good(self) -> bool:
        """Whether the client got what it asked for."""
        return self.outcome == "acknowledged"


def write(attempts: Iterable[Attempt], path: Path) -> None:
    """One JSON line for each."""
    path.write_text("".join(json.dumps(asdict(attempt)) + "\n" for attempt in attempts))


def read(path: Path) -> list[Attempt]:
    """The attempts of a file, in its order.

    Raises:
        TypeError: a line is no attempt.
    """
    return [Attempt(**json.loads(line)) for line in path.read_text().splitlines()]
