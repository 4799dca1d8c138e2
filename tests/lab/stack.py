"""The development stack in a lab, each operation in a process of its own."""

import json
import pickle
import subprocess
import sys
from typing import Any

from lab import REPOSITORY
from lab.engine import Engine, EngineError, Operation, Result
from lab.home import LabHome
from lab.toolchain import Toolchain

OPERATION = """
import json, pickle, sys
from pathlib import Path
from lab.engine import Engine, EngineError
from lab.home import LabHome
root, pulumi, tools, project, result, settings, operation, *flags = sys.argv[1:]
engine = Engine(LabHome(Path(root)), Path(pulumi), "dev", tools=Path(tools),
                project=Path(project), settings=json.loads(settings))
failed = False
try:
    done = engine.run(operation, *flags)
except EngineError as error:
    done, failed = error.result, True
Path(result).write_bytes(pickle.dumps(done))
sys.exit(failed)
"""


class Stack:
    """The development stack in these tests' lab, with the settings that a test gives it."""

    def __init__(self, home: LabHome, toolchain: Toolchain) -> None:
        self.home = home
        self.toolchain = toolchain
        self.groups: dict[str, Any] = {}
        self.project = REPOSITORY

    @property
    def settings(self) -> dict[str, Any]:
        """This test's settings by key, over those of the stack file."""
        cluster = {"kubeconfig": str(self.home.kubeconfig)}
        groups = {"cluster": cluster, **self.groups}
        return {f"ha-iris:{name}": group for name, group in groups.items()}

    @property
    def engine(self) -> Engine:
        """What the lab knows about the stack."""
        return Engine(self.home, self.toolchain.pulumi, "dev", settings=self.settings)

    def start(self, operation: Operation, *flags: str) -> subprocess.Popen[bytes]:
        """Begin an operation in a process of its own, as ``python -m lab up`` is one."""
        folders = [self.home.root, self.toolchain.pulumi, self.toolchain.bin, self.project]
        given = [self.result, json.dumps(self.settings)]
        return subprocess.Popen(
            [sys.executable, "-c", OPERATION, *map(str, folders), *given, operation, *flags],
            start_new_session=True,
            cwd=REPOSITORY,
        )

    def run(self, operation: Operation, *flags: str) -> Result:
        """Run an operation to its end.

        Raises:
            EngineError: it failed; what it wrote says why.
        """
        with self.start(operation, *flags) as process:
            failed = process.wait(timeout=600)
        with open(self.result, "rb") as file:
            result = pickle.load(file)
        if failed:
            raise EngineError("dev", operation, result)
        return result

    def pulumi(self, *arguments: str) -> str:
        """What another command of the Pulumi CLI prints for the stack, such as ``stack export``."""
        return self.engine.call(*arguments)

    @property
    def result(self) -> str:
        """Where an operation leaves its result."""
        return str(self.home.root / "result")

    def kubectl(self, *args: str) -> str:
        """What kubectl prints for the lab's cluster."""
        command = [self.toolchain.bin / "kubectl", "--kubeconfig", self.home.kubeconfig, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def get(self, *args: str) -> Any:
        """An object of the cluster, or a list of them, as data."""
        return json.loads(self.kubectl("get", "--output", "json", *args))

    def claim_uid(self) -> str:
        """Identity of the database's volume claim."""
        return self.get("persistentvolumeclaim", "iris-data", "-n", "iris")["metadata"]["uid"]


def changes(result: Result) -> dict[str, str]:
    """What an operation does to resources that it does not leave alone, by name."""
    return {step.name: step.action for step in result.steps if step.action != "same"}


def exists(stack: Stack, *args: str) -> bool:
    """Whether the cluster has an object."""
    return bool(stack.kubectl("get", "--ignore-not-found", "--output", "name", *args))
