"""A stack's state in the lab's file backend, read without the Pulumi CLI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import LabError
from lab.home import LabHome
from lab.plugins.markers import SIGNATURE

ANEW = "`make down` and `make up` begin anew"
SECRET = "[secret]"
"""What stands for a secret value."""


def stacks_in(home: LabHome) -> list[str]:
    """The stacks that the lab's state knows, by name."""
    return sorted(file.stem for file in home.state.glob(".pulumi/stacks/*/*.json"))


def holds_objects(home: LabHome) -> bool:
    """Whether some stack of the lab has, or may have, objects in its cluster.

    Raises:
        LabError: a state cannot be read.
    """
    files = home.state.glob(".pulumi/stacks/*/*.json")
    stacks = [Checkpoint(home, file.parent.name, file.stem) for file in files]
    return any(stack.resources or stack.is_pending for stack in stacks)


@dataclass(frozen=True)
class Checkpoint:
    """What one stack consists of, as its last operation left it."""

    home: LabHome
    project: str
    """Name of the Pulumi project."""
    stack: str

    @property
    def file(self) -> Path:
        """Where the file backend keeps it (stacks belong to a project since Pulumi 3.61)."""
        return self.home.state / ".pulumi" / "stacks" / self.project / f"{self.stack}.json"

    @property
    def exists(self) -> bool:
        """Whether the lab's state knows this stack."""
        return self.file.exists()

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources; secrets in them are encrypted.

        Raises:
            LabError: the state cannot be read.
        """
        return self._deployment().get("resources") or []

    @property
    def is_pending(self) -> bool:
        """Whether an operation was cut off before the engine could note how it ended.

        Raises:
            LabError: the state cannot be read.
        """
        return bool(self._deployment().get("pending_operations"))

    @property
    def outputs(self) -> dict[str, Any]:
        """Outputs of the stack; a secret reads ``[secret]``.

        Raises:
            LabError: the state cannot be read.
        """
        for resource in self.resources:
            if resource["type"] == "pulumi:pulumi:Stack":
                return _without_secrets(resource.get("outputs") or {})
        return {}

    @property
    def last_operation(self) -> str | None:
        """The last operation that came to its end, and how: such as ``update failed``."""
        folder = self.home.state / ".pulumi" / "history" / self.project / self.stack
        ended = sorted(folder.glob("*.history.json"))
        if not ended:
            return None
        operation = json.loads(ended[-1].read_text())
        return f"{operation['kind']} {operation['result']}"

    def check(self) -> None:
        """Find out whether an operation can begin on it, or its secrets be shown.

        Raises:
            LabError: the state cannot be read, or not decrypted.
        """
        self._deployment()
        if self.exists and not self.home.passphrase.exists():
            raise self.passphrase_fault("it is lost")
        self._drop_torn_attributes()

    def _drop_torn_attributes(self) -> None:
        """Remove what a kill left half written beside the state: nothing of the state is in it.

        The file backend notes a file's content type beside it, with a plain write, and cannot read
        a state whose note is cut off (gocloud.dev/blob/fileblob, attrs.go).
        """
        for note in self.file.parent.glob(f"{self.file.name}*.attrs"):
            try:
                json.loads(note.read_text())
            except ValueError:
                note.unlink(missing_ok=True)

    def passphrase_fault(self, what: str) -> LabError:
        """What the user is told about a passphrase that is lost, or not the state's."""
        return LabError(
            str(self.home.passphrase),
            f"{what}, and nothing else decrypts the secrets of stack {self.stack}",
            f"put the right one back, or {ANEW}",
        )

    def _deployment(self) -> dict[str, Any]:
        try:
            return json.loads(self.file.read_text())["checkpoint"].get("latest") or {}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LabError(
                str(self.file),
                f"the state of stack {self.stack} is damaged ({error or type(error).__name__})",
                f"put {self.file.name}.bak beside it in its place, or {ANEW}",
            ) from None


def adopt_created(deployment: dict[str, Any]) -> None:
    """Turn pending creations of Kubernetes objects, in an exported state, into resources.

    The engine offers to do so (``refresh --import-pending-creates``), and 3.255 forgets them.
    Random values were nowhere but in the killed run, and are made anew.
    """
    known = {resource["urn"] for resource in deployment["resources"]}
    for operation in deployment.pop("pending_operations", None) or []:
        resource = operation["resource"]
        if resource["urn"] in known or not resource["type"].startswith("kubernetes:"):
            continue
        inputs = resource["inputs"]
        # An object's name, or that of a Helm release: what pulumi-kubernetes uses for an id.
        metadata = inputs.get("metadata", inputs)
        identity = "/".join(filter(None, [metadata.get("namespace"), metadata["name"]]))
        deployment["resources"].append({**resource, "id": identity})


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if SIGNATURE in value:
            return SECRET
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return value
