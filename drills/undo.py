"""Undoing what a drill has done, whatever stands in the way of some of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from drills import DrillError
from drills.api import UNREACHABLE, Refused

UNDO_SECONDS = 300
"""How long it is tried again: an API server may be away, and a machine still be stopping."""
PAUSE_SECONDS = 5


def undo(steps: Mapping[str, Callable[[], object]], cure: str) -> None:
    """Undo all of it: what fails is tried again for some minutes, after all the others.

    Args:
        steps: what each one mends, and what mends it; called again until it raises nothing.
        cure: what a person does about those that are left.

    Raises:
        DrillError: names those that are left when the time is over, or when somebody interrupts.
    """
    left = dict(steps)
    reason = "interrupted"
    deadline = time.monotonic() + UNDO_SECONDS
    try:
        while True:
            for what, step in [*left.items()]:
                try:
                    step()
                except (DrillError, Refused, *UNREACHABLE) as error:
                    reason = f"{what}: {error}"
                else:
                    del left[what]
            if not left:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(PAUSE_SECONDS)
    except (KeyboardInterrupt, SystemExit):
        reason = f"interrupted while it was undone ({reason})"
    raise DrillError(f"not undone: {', '.join(left)}", reason, cure) from None
