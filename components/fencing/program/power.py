"""Who switches machines, and what each of them must promise."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any, Protocol

from .settings import Settings

SECONDS = 30
"""For how long a command may run."""


class PowerError(Exception):
    """The machine was not switched, or nobody knows."""


class WrongMachine(PowerError):
    """What the node names is not the machine that the node is: nothing may be done to it."""


class SwitchFailed(PowerError):
    """The request was taken and came to nothing; by the same name it will not be tried again."""


class Power(Protocol):
    """Switches one machine. Every call may be repeated; every one may raise PowerError."""

    def identify(self, name: str, address: str, provider_id: str) -> str:
        """The machine of a node, once whoever switches it says that it is that node's.

        Raises:
            WrongMachine: it is another one's, or there is none.
        """
        ...

    def off(self, machine: str, request: str) -> str:
        """Cut its power, without a word to its system; gives what to remember of it."""
        ...

    def state(self, machine: str, handle: str) -> str:
        """``on``, ``changing``, or ``off``: proof that nothing of before runs any more.

        Raises:
            SwitchFailed: what ``off`` began is over, and did not switch the machine.
        """
        ...

    def on(self, machine: str, handle: str) -> None:
        """Start it again."""
        ...

    def done(self, machine: str, handle: str) -> None:
        """Tell everybody who was told of the fence that it is over, without a handle too."""
        ...


class Command:
    """A command of one's own: it is called with a verb, the node's name, address and providerID.

    ``status`` prints on, off or changing; ``off`` and ``on`` switch. Another status than 0 is a
    failure. Whether the name leads to the right machine is for the command to know, so ``identify``
    is asked first and must print the node's name.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)

    def identify(self, name: str, address: str, provider_id: str) -> str:
        """The machine: whatever the node says of itself, as arguments."""
        machine = "\n".join((name, address, provider_id))
        if (said := self._run("identify", machine)) != name:
            raise WrongMachine(f"the command says that {name} is {said or 'nobody'}")
        return machine

    def off(self, machine: str, request: str) -> str:
        """Cut its power."""
        self._run("off", machine)
        return ""

    def state(self, machine: str, handle: str) -> str:
        """What the command says."""
        said = self._run("status", machine)
        if said not in ("on", "off", "changing"):
            raise PowerError(f"the command's status is {said!r}: neither on, off nor changing")
        return said

    def on(self, machine: str, handle: str) -> None:
        """Start it again."""
        self._run("on", machine)

    def done(self, machine: str, handle: str) -> None:
        """Nobody else was told."""

    def _run(self, verb: str, machine: str) -> str:
        try:
            ran = subprocess.run(
                [*self._command, verb, *machine.split("\n")],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PowerError(f"{verb}: {error}") from error
        if ran.returncode:
            raise PowerError(f"{verb} ended with {ran.returncode}: {ran.stderr.strip()[:300]}")
        return ran.stdout.strip()


def power(settings: Settings) -> Power:
    """Whoever switches this cluster's machines."""
    options: dict[str, Any] = settings.options
    match settings.power:
        case "aws":
            from .aws import Aws

            return Aws(**options)
        case "azure":
            from .azure import Azure

            return Azure(**options)
        case "gcp":
            from .gcp import Gcp

            return Gcp(**options)
        case _:
            return Command(**options)
