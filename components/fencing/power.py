"""Who switches a cluster's machines, and as whom the agent asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

NAMESPACE = "ha-iris-fencing"
SERVICE_ACCOUNT = "ha-iris-fencing"
"""What clouds give an identity to."""

COMMAND_FOLDER = "/etc/ha-iris/fence"
COMMAND = f"{COMMAND_FOLDER}/fence"
"""Where a command of one's own is in the agent's pod."""


@dataclass(frozen=True)
class MachinePower:
    """What a cloud, or a command, must be told and given."""

    kind: Literal["aws", "azure", "gcp", "command"]
    """Which module of the agent's program switches machines."""

    options: Mapping[str, pulumi.Input[Any]] = field(default_factory=dict)
    """Arguments of that module's class."""

    annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Of the agent's service account."""

    audience: str | None = None
    """For whom the pod's own token is, where the cloud takes one."""

    ready: Sequence[pulumi.Resource] = ()
    """What must exist before the agent starts, and outlive it."""
