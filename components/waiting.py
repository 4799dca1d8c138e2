"""Waiting for a cluster, with an end to every wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from components.kubernetes_api import Unreachable

EVERY_SECONDS = 15
"""Between two looks."""

SETTLED_SECONDS = 90
"""How long all must be well without a break.

A node that has just gone still looks well: Longhorn gives up a copy that does not answer after
seconds, Kubernetes a node after 50 (node-monitor-grace-period, since 1.32).
"""

SILENCE_SECONDS = 300
"""How long a cluster may give no answer, as while its control plane is replaced."""


class GaveUp(Exception):
    """All was not well in time; says what was missing last."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds."""

    timeout: float
    """For all to be well."""
    settled: float = SETTLED_SECONDS
    silence: float = SILENCE_SECONDS
    every: float = EVERY_SECONDS
    between_lines: float = 60


async def wait(
    missing: Callable[[], Awaitable[list[str] | None]],
    patience: Patience,
    tell: Callable[[str], None],
    *,
    well: str = "nothing is missing",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Return once nothing has been missing for a while, one look after the other.

    Args:
        missing: looks, and says what is missing, or None where there is nothing to wait for;
            raises ``Unreachable`` if nobody answers.
        patience: when to give up.
        tell: gets a line when what is missing has changed.
        well: what it says when nothing is missing, and it looks again to be sure.
        clock: seconds that only ever grow.
        sleep: waits for so many seconds.

    Raises:
        GaveUp: the time was over, or the cluster gave no answer for too long.
    """
    began = answered = clock()
    well_since: float | None = None
    told, told_at = "", began - patience.between_lines
    while True:
        try:
            faults = await missing()
            if faults is None:
                return
            answered = clock()
        except Unreachable as error:
            faults = [f"the cluster does not answer: {error}"]
            if clock() - answered >= patience.silence:
                raise GaveUp("; ".join(faults)) from None
        now = clock()
        if faults:
            well_since = None
            line = "; ".join(faults)
            if now - began >= patience.timeout:
                raise GaveUp(line)
        else:
            well_since = now if well_since is None else well_since
            if now - well_since >= patience.settled:
                return
            line = f"{well}, for {patience.settled:.0f} s to be sure"
        if line != told and (not faults or now - told_at >= patience.between_lines):
            tell(line)
            told, told_at = line, now
        await sleep(patience.every)
