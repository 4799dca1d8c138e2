"""What a stack may choose about fencing."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from components.backup.snapshot_settings import PYTHON_IMAGE
from components.settings import ContainerImage, Settings

FALLBACK_TOLERATION = 60
"""Seconds of iris.tolerationSeconds while fencing is on and the stack file says none.

Longer than a fence takes, so that Longhorn's node-down policy, which would disturb it, comes
second: measured 106 to 108 s against up to 214 s with 10 (simulated storage; docs/fencing.md).
"""


class FenceCommandSettings(Settings):
    """A program of one's own that switches machines, where no cloud does."""

    program: str = Field(validate_default=True)
    """Path of an executable text file, from the project's folder: docs/fencing.md, "A command"."""

    login: SecretStr | None = None
    """What it finds in its environment as FENCE_LOGIN: a password, a token, or text of any form."""

    @field_validator("program")
    @classmethod
    def _is_a_program(cls, program: str) -> str:
        file = Path(program).expanduser()
        if not file.is_file():
            raise ValueError("there is no such file; name one, seen from the project's folder")
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            text = ""
        if not text.startswith("#!"):
            raise ValueError(
                "the agent carries it as text, and its first line must say what runs it; begin it "
                "with #!/usr/bin/env python3 or another that fencing.image has"
            )
        return program


class FencingSettings(Settings):
    """An agent that switches a silent node off, so that its database may start elsewhere.

    docs/fencing.md says how it decides and what it may cost.
    """

    enabled: bool = False
    """Run it. It may switch off and on every machine of the cluster's nodes."""

    dry_run: bool = False
    """Only say what it would do, as Events of the nodes."""

    stale_seconds: int = Field(default=25, ge=20, le=300)
    """How long a node gives no sign of life before it is fenced. A kubelet gives one in 10."""

    storm_limit: int = Field(default=3, ge=1, le=20)
    """No more than so many fences within an hour."""

    command: FenceCommandSettings | None = None
    """What switches the machines of a cluster that exists. EKS, AKS and GKE do it themselves."""

    image: ContainerImage = PYTHON_IMAGE
    """Image with Python 3.11 or newer for the agent; its program is this project's."""

    def fault(self, existing: bool, nodes: int | None) -> str | None:
        """Why it cannot work on a cluster, if it cannot: what is wrong, and what would be right.

        Args:
            existing: whether somebody else made the cluster.
            nodes: how many nodes it has, if that is known.
        """
        if not self.enabled:
            return None
        if existing and self.command is None:
            return (
                "enabled is true, and nobody here knows who switches the machines of a cluster "
                "that exists; set command.program, or drop enabled"
            )
        if not existing and self.command is not None:
            return "command is configured, and the cloud switches its machines itself; drop command"
        if nodes is not None and nodes < 3:
            return (
                f"enabled is true, and of {nodes} nodes no two are left when one is off, which is "
                "what tells a dead node from a dead network; drop enabled"
            )
        return None
