"""The development stack in a lab."""

import json
import multiprocessing
import subprocess
import sys
import warnings
from collections.abc import Sequence
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lab import REPOSITORY
from lab.engine import Engine, EngineError, Operation, Result, sdk_classes
from lab.home import LabHome
from lab.toolchain import Toolchain

_FORK = multiprocessing.get_context("fork")

READING = ("get", "describe", "logs", "wait")
"""Commands of kubectl that change nothing."""
OPERATION = """
import json, sys
from pathlib import Path
from lab.engine import Engine, EngineError
from lab.home import LabHome
root, pulumi, tools, project, settings, operation, *flags = sys.argv[1:]
engine = Engine(LabHome(Path(root)), Path(pulumi), "dev", tools=Path(tools),
                project=Path(project), settings=json.loads(settings))
try:
    engine.run(operation, *flags)
except EngineError:
    sys.exit(1)
"""


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
    def engine(self) -> Engine:
        """What the lab knows about the stack."""
        return Engine(
            self.home,
            self.toolchain.pulumi,
            "dev",
            tools=self.toolchain.bin,
            project=self.project,
            settings=self.settings,
        )

    def start(self, operation: Operation, *flags: str) -> subprocess.Popen[bytes]:
        """Begin an operation in a process of its own, which a test may kill."""
        self.stands = None
        folders = [self.home.root, self.toolchain.pulumi, self.toolchain.bin, self.project]
        arguments = [*map(str, folders), json.dumps(self.settings), operation, *flags]
        return subprocess.Popen(
            [sys.executable, "-c", OPERATION, *arguments],
            start_new_session=True,
            cwd=REPOSITORY,
        )

    def run(self, operation: Operation, *flags: str) -> Result:
        """Run an operation to its end, in a fork of this process: what it imports is there already.

        Raises:
            EngineError: it failed; what it wrote says why.
        """
        self.stands = None
        _warm_up()
        receiver, sender = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_operate, args=(self.engine, sender, operation, flags))
        with warnings.catch_warnings():
            # Other threads of this process hold no lock that an operation takes.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        sender.close()
        try:
            failed, result = receiver.recv()
        finally:
            process.kill()
            process.join()
        if failed:
            raise EngineError("dev", operation, result)
        if operation == "up" and not flags:
            self.stands = self._described
        return result

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


@cache
def _warm_up() -> None:
    """Load once what every operation loads; what was loaded goes with a fork."""
    sdk_classes.load("existing")


def _operate(engine: Engine, to: Connection, operation: Operation, flags: Sequence[str]) -> None:
    try:
        told = (False, engine.run(operation, *flags))
    except EngineError as error:
        told = (True, error.result)
    sys.stdout.flush()
    to.send(told)


def changes(result: Result) -> dict[str, str]:
    """What an operation does to resources that it does not leave alone, by name."""
    return {step.name: step.action for step in result.steps if step.action != "same"}


def exists(stack: Stack, *args: str) -> bool:
    """Whether the cluster has an object."""
    return bool(stack.kubectl("get", "--ignore-not-found", "--output", "name", *args))
