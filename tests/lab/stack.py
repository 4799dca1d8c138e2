"""The development stack in a lab."""

import json
import subprocess
from pathlib import Path
from typing import Any

from lab import REPOSITORY
from lab.engine import Engine, EngineError, Operation, Result
from lab.home import LabHome
from lab.toolchain import Toolchain
from tests.lab.operation import Forked

READING = ("get", "describe", "logs", "wait")
"""Commands of kubectl that change nothing."""


class Stack:
    """The development stack in these tests' lab, with the settings that a test gives it."""

    def __init__(self, home: LabHome, toolchain: Toolchain) -> None:
        self.home = home
        self.toolchain = toolchain
        self.groups: dict[str, Any] = {}
        self.project = REPOSITORY
        self.stands: tuple[Path, str] | None = None
        """What it was last brought up from, if nothing was done since but to read."""

    @property
    def settings(self) -> dict[str, Any]:
        """This test's settings by key, over those of the stack file."""
        cluster = {"kubeconfig": str(self.home.kubeconfig)}
        groups = {"cluster": cluster, **self.groups}
        return {f"ha-iris:{name}": group for name, group in groups.items()}

    @property
    def _described(self) -> tuple[Path, str]:
        return self.project, json.dumps(self.groups)

    @property
    def _engine(self) -> dict[str, Any]:
        return {
            "home": self.home,
            "pulumi": self.toolchain.pulumi,
            "stack": "dev",
            "tools": self.toolchain.bin,
            "project": self.project,
            "settings": self.settings,
        }

    @property
    def engine(self) -> Engine:
        """What the lab knows about the stack."""
        return Engine(**self._engine)

    def start(self, operation: Operation, *flags: str) -> Forked:
        """Begin an operation in a process of its own, which a test may kill."""
        self.stands = None
        return Forked(self._engine, operation, *flags)

    def run(self, operation: Operation, *flags: str) -> Result:
        """Run an operation to its end, in a process of its own as ``python -m lab up`` is one.

        Raises:
            EngineError: it failed; what it wrote says why.
        """
        process = self.start(operation, *flags)
        failed = process.wait(timeout=600)
        if failed:
            raise EngineError("dev", operation, process.result)
        if operation == "up" and not flags:
            self.stands = self._described
        return process.result

    def pulumi(self, *arguments: str) -> str:
        """What another command of the Pulumi CLI prints for the stack, such as ``stack export``."""
        self.stands = None
        return self.engine.call(*arguments)

    def kubectl(self, *args: str) -> str:
        """What kubectl prints for the lab's cluster."""
        if args[0] not in READING and "--dry-run=server" not in args:
            self.stands = None
        command = [self.toolchain.bin / "kubectl", "--kubeconfig", self.home.kubeconfig, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def get(self, *args: str) -> Any:
        """An object of the cluster, or a list of them, as data."""
        return json.loads(self.kubectl("get", "--output", "json", *args))

    def bring_up(self) -> None:
        """Have the stack as its file describes it, up and running."""
        self.groups, self.project = {}, REPOSITORY
        if self.stands != self._described:
            self.run("up")

    def bring_down(self) -> None:
        """Have nothing of the stack, whatever a test left."""
        self.groups, self.project = {}, REPOSITORY
        resources = self.engine.resources
        if any(resource.get("protect") for resource in resources):
            # As a person would: what a protected test leaves is unprotected by `up`.
            self.run("up")
        if resources:
            self.run("destroy")

    def claim_uid(self) -> str:
        """Identity of the database's volume claim."""
        return self.get("persistentvolumeclaim", "iris-data", "-n", "iris")["metadata"]["uid"]


def changes(result: Result) -> dict[str, str]:
    """What an operation does to resources that it does not leave alone, by name."""
    return {step.name: step.action for step in result.steps if step.action != "same"}


def exists(stack: Stack, *args: str) -> bool:
    """Whether the cluster has an object."""
    return bool(stack.kubectl("get", "--ignore-not-found", "--output", "name", *args))
