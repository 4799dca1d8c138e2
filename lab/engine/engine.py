"""One stack of the program on the real Pulumi engine, with a state of the lab's own.

One operation is one call of the Pulumi CLI, which finds the program in this process (see
``lab.engine.program``). The Automation API makes three calls for it, and that costs more than the
whole preview of an empty program.

Nothing of the user's Pulumi is read or written: home, state, passphrase and stack file are the
lab's own.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import psutil
import yaml

from lab import REPOSITORY, LabError
from lab.engine import orphans
from lab.engine.checkpoint import Checkpoint, adopt_created
from lab.engine.events import Result, read
from lab.engine.program import serve_program
from lab.engine.project_copy import copy_project
from lab.home import LabHome, write

Operation = Literal["preview", "up", "refresh", "destroy"]

FLAGS: dict[Operation, tuple[str, ...]] = {
    "preview": (),
    "up": ("--yes", "--skip-preview"),
    "refresh": ("--yes", "--skip-preview", "--clear-pending-creates"),
    # With its preview: one that meets protected data is refused before anything is deleted.
    "destroy": ("--yes",),
}


class EngineError(LabError):
    """An operation failed, and the engine has written why."""

    def __init__(self, stack: str, operation: Operation, result: Result) -> None:
        super().__init__(f"stack {stack}", f"pulumi {operation} failed", "the reason is above")
        self.result = result
        """What had been done until then, and the engine's error messages."""


@dataclass(frozen=True)
class Engine:
    """One stack of a program, its state in a lab's home."""

    home: LabHome
    pulumi: Path
    """The Pulumi CLI."""
    stack: str
    tools: Path | None = None
    """Folder of programs that provider plugins call, such as helm; goes on PATH."""
    project: Path = REPOSITORY
    """The project folder: Pulumi.yaml, stack files and ``__main__.py``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Configuration laid over the stack file's, by key as typed there (``ha-iris:cluster``)."""
    environment: Callable[[], Mapping[str, str]] = dict
    """Gives environment variables for the CLI and its plugins, over those of this process."""
    warm_up: Callable[[], None] = lambda: None
    """Runs beside the CLI's start and ends before the program begins."""
    output: IO[str] | None = None
    """File for what the engine writes; without one, standard output and standard error."""

    def run(self, operation: Operation, *flags: str) -> Result:
        """Run one operation; its progress goes to ``output`` as the engine writes it.

        What a killed run left half done is looked for in the cluster first, and taken over.

        Raises:
            EngineError: the operation failed, for a reason that the output and the error have told.
            LabError: there is no such stack, or its file cannot be used.
        """
        made_up = self._prepare(preview=operation == "preview")
        if operation in ("up", "destroy") and self._checkpoint.is_pending:
            self._adopt_created()
            self._call_with_program("refresh", made_up)
        return self._call_with_program(operation, made_up, *flags)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Outputs as the last update left them; a hidden secret reads ``[secret]``.

        Raises:
            LabError: the state cannot be read.
        """
        self._checkpoint.check()
        if not show_secrets or not self.exists:
            return self._checkpoint.outputs
        return json.loads(self.call("stack", "output", "--json", "--show-secrets"))

    @property
    def exists(self) -> bool:
        """Whether the lab's state knows this stack."""
        return self._checkpoint.exists

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources as Pulumi's state has them; secrets are encrypted in it."""
        return self._checkpoint.resources

    @property
    def last_operation(self) -> str | None:
        """The last operation that came to its end, and how: such as ``update failed``."""
        return self._checkpoint.last_operation

    @property
    def is_pending(self) -> bool:
        """Whether an operation was cut off; the next one looks for what it left."""
        return self._checkpoint.is_pending

    @property
    def _checkpoint(self) -> Checkpoint:
        name = yaml.safe_load((self.project / "Pulumi.yaml").read_text())["name"]
        return Checkpoint(self.home, name, self.stack)

    def _prepare(self, *, preview: bool) -> list[str]:
        for folder in (self.home.root, self.home.state, self.home.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._checkpoint.check()
        if not self.home.passphrase.exists():
            write(self.home.passphrase, secrets.token_urlsafe(32))
        made_up = copy_project(
            self.project,
            self.home.work,
            self.stack,
            self.settings,
            preview=preview,
            plugins=self.home.plugins,
        )
        self._drop_stale_locks()
        if not self.exists:
            self.call("stack", "init")
        return made_up

    def _adopt_created(self) -> None:
        """Let the state know of objects that a killed run may have created without noting it.

        The following refresh forgets those that do not exist.
        """
        state = json.loads(self.call("stack", "export"))
        adopt_created(state["deployment"])
        file = self.home.work / f"{self.stack}.state.json"
        write(file, json.dumps(state))
        self.call("stack", "import", "--file", str(file))
        file.unlink()

    def _drop_stale_locks(self) -> None:
        """Remove locks of CLI processes that died; the lock of one that runs stays."""
        for lock in (self.home.state / ".pulumi" / "locks").rglob("*.json"):
            try:
                holder = json.loads(lock.read_text())
            except (OSError, json.JSONDecodeError):
                continue
            if holder["hostname"] == socket.gethostname() and not _runs(holder["pid"]):
                lock.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PULUMI_") and name != "KUBECONFIG"
        }
        path = [*([self.tools] if self.tools else []), inherited.get("PATH", "")]
        return {
            **inherited,
            "PATH": os.pathsep.join(map(str, path)),
            "PULUMI_HOME": str(self.home.root / "pulumi"),
            "PULUMI_BACKEND_URL": self.home.state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.home.passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # Makes --event-log known, as in the Automation API.
            "PULUMI_DEBUG_COMMANDS": "true",
            orphans.MARK: str(self.home.root),
            **self.environment(),
        }

    def _command(self, *arguments: str) -> list[str]:
        return [str(self.pulumi), *arguments, "--stack", self.stack, "--cwd", str(self.home.work)]

    def call(self, *arguments: str) -> str:
        """What a command of the Pulumi CLI that runs no program prints, such as ``stack export``.

        Raises:
            LabError: the command failed; carries what it says.
        """
        done = subprocess.run(
            [*self._command(*arguments), "--non-interactive"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            reason = done.stderr.strip().removeprefix("error: ")
            if "incorrect passphrase" in reason:
                raise self._checkpoint.passphrase_fault("it does not fit")
            raise LabError(f"pulumi {' '.join(arguments)}", reason, "see docs/lab.md")
        return done.stdout

    def _call_with_program(self, operation: Operation, made_up: list[str], *flags: str) -> Result:
        events = self.home.work / f"{self.stack}.events.json"
        events.unlink(missing_ok=True)
        with serve_program(self.project, secret_keys=made_up, warm_up=self.warm_up) as address:
            process = subprocess.Popen(
                [
                    *self._command(operation, *FLAGS[operation], *flags),
                    f"--client={address}",
                    "--exec-kind=auto.inline",
                    f"--event-log={events}",
                ],
                env=self._environment(),
                stdout=self.output,
                stderr=self.output and subprocess.STDOUT,
            )
            code = _wait(process)
        result = read(events)
        if code:
            raise EngineError(self.stack, operation, result)
        return result


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for the CLI, also through Ctrl-C: the terminal sends it to the CLI as well."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _runs(pid: int) -> bool:
    """Whether this process runs and is Pulumi, not a later one of the same number."""
    try:
        process = psutil.Process(pid)
        return "pulumi" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
