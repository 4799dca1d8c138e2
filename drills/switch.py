"""The switch of real machines: two commands, as a cluster has none for its nodes."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from drills import DrillError
from drills.api import Api, Refused
from drills.phases import is_ready
from drills.undo import undo

OFF = "drills.ha-iris/off"
"""Annotation of a node that a drill has switched off: its provider ID."""
COMMAND_SECONDS = 300
CURE = (
    "switch them on by hand, or with `python -m drills clean --stack STACK --power-on COMMAND`: "
    "each has the annotation " + OFF
)
NODES = "/api/v1/nodes"


class Switch:
    """Takes the power from machines, and gives it back."""

    def __init__(self, api: Api, *, off: str | None, on: str | None) -> None:
        """Take two commands, with {node} (its name) or {id} (its provider ID) in them."""
        self._api = api
        self._off, self._on = off, on

    @contextlib.contextmanager
    def off(self, nodes: Sequence[str]) -> Iterator[None]:
        """Have these machines without power.

        Raises:
            DrillError: there are no commands, one has failed, or machines are off at the end.
        """
        if not (self._off and self._on):
            raise DrillError(
                "--power-off and --power-on",
                "a cluster has no switch for its machines, and no command for it was given",
                "give both, such as --power-off 'virsh destroy {node}' --power-on 'virsh start "
                "{node}', or drill node-crashed instead",
            )
        # Later the API server may be away, and a cloud take the Node of a machine that is off.
        found = {node: self._api.get(f"{NODES}/{node}") for node in nodes}
        ids = {node: item["spec"].get("providerID", "") for node, item in found.items()}
        for node, identity in ids.items():
            for command in (self._off, self._on):
                words(command, node, identity)
        tried: dict[str, str] = {}
        refused: set[str] = set()
        try:
            for node in nodes:
                tried[node] = ids[node]
                self._mark(node, ids[node])
                try:
                    run(self._off, node, ids[node])
                except DrillError:
                    refused.add(node)
                    raise
            yield
        finally:
            self._give_back(self._on, tried, refused)

    def on_again(self) -> list[str]:
        """Switch on what a killed drill has left off; says which.

        Raises:
            DrillError: there is no command for it, or machines are off at the end.
        """
        left = {
            node["metadata"]["name"]: node["metadata"]["annotations"][OFF]
            for node in self._api.items(NODES)
            if OFF in (node["metadata"].get("annotations") or {})
        }
        if left and not self._on:
            raise DrillError(
                ", ".join(left),
                "a drill has switched these machines off, and there is no command for the way back",
                "add --power-on COMMAND, as the drill had it",
            )
        self._give_back(self._on or "", left, set())
        return [f"power on for {node}" for node in left]

    def _give_back(self, on: str, machines: Mapping[str, str], refused: set[str]) -> None:
        switched: set[str] = set()

        def step(node: str, identity: str) -> None:
            if node not in switched:
                try:
                    run(on, node, identity)
                except DrillError:
                    # What was not switched off may not be switched on either.
                    if node not in refused or not is_ready(self._api.get(f"{NODES}/{node}")):
                        raise
                switched.add(node)
            try:
                self._mark(node, None)
            except Refused as error:
                if error.status != 404:  # the cloud has taken the Node
                    raise

        steps: dict[str, Callable[[], object]] = {
            f"power of {node}": partial(step, node, identity) for node, identity in machines.items()
        }
        undo(steps, CURE)

    def _mark(self, node: str, identity: str | None) -> None:
        mark = {"metadata": {"annotations": {OFF: identity}}}
        self._api.request("PATCH", f"{NODES}/{node}", mark)


def run(command: str, node: str, identity: str) -> None:
    """Run a command for a machine, out of reach of a Ctrl-C.

    Raises:
        DrillError: it failed, or has not ended in time.
    """
    program, *arguments = words(command, node, identity)
    try:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise DrillError(
            program, f"has not ended after {COMMAND_SECONDS} s", "run it by hand"
        ) from None
    except OSError as error:
        raise DrillError(program, f"cannot be run: {error.strerror}", "name a program") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DrillError(program, f"ended with {done.returncode}: {last}", "run it by hand")


def words(command: str, node: str, identity: str) -> list[str]:
    """A command's words for a machine.

    Raises:
        DrillError: it has none, an open quotation, or braces of another kind.
    """
    try:
        if found := [word.format(node=node, id=identity) for word in shlex.split(command)]:
            return found
        reason = "is empty"
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        reason = f"cannot be read: {error}"
    raise DrillError(command, reason, "write {node} or {id}, and any other brace twice")
