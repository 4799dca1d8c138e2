"""What the agent is told, and what it writes on nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

RECORD = "fencing.ha-iris/fence"
"""Annotation of a node: the fence that is at work on it, as JSON."""
HISTORY = "fencing.ha-iris/history"
"""Annotation of a node: moments at which it was fenced, seconds since 1970, as JSON."""
MAINTENANCE = "fencing.ha-iris/maintenance"
"""Annotation that a person sets: leave this node alone; its value says why."""
PAUSE = "ha-iris-fencing-pause"
"""ConfigMap that a person makes in the agent's namespace: begin no fence at all."""

OUT_OF_SERVICE = {
    "key": "node.kubernetes.io/out-of-service",
    "value": "nodeshutdown",
    "effect": "NoExecute",
}
"""Kubernetes releases the volumes of such a node at once, and takes everything off it."""
REBUILDING = {"key": "fencing.ha-iris/rebuilding", "effect": "PreferNoSchedule"}
"""The node is back and its copies are not: Longhorn's pods may run there, IRIS rather not."""


@dataclass(frozen=True)
class Settings:
    """The agent's part of a stack file, as settings.json beside this file."""

    namespace: str
    """The agent's own."""
    database_namespace: str
    selectors: list[str]
    """Labels of the pods that run each IRIS, as in app=iris,tier=data."""
    power: str
    """Who switches machines: aws, azure, gcp or command."""
    options: dict[str, Any] = field(default_factory=dict)
    """What that one needs to know."""
    stale_seconds: float = 25
    """How old the last sign of life of a kubelet is when its node counts as silent."""
    settle_seconds: float = 30
    """How long a node must be Ready again before it counts as back."""
    storm_limit: int = 3
    storm_seconds: float = 3600
    """No more than so many fences within so many seconds."""
    dry_run: bool = False
    longhorn: bool = True
    """Whether there are copies to be rebuilt."""
    ask_kubelets: bool = True
    """Whether a silent node's kubelet is asked itself; simulated ones are at nobody's address."""
    name: str = "ha-iris-fencing"
    lease_seconds: int = 15
    tick: float = 2.0
    fresh_seconds: float = 15
    """A kubelet renews its lease every 10 s: one that did so within this time is alive."""
    again_seconds: float = 30
    """After so long without a result a machine is told again."""

    @classmethod
    def read(cls) -> Settings:
        """Those of this pod."""
        return cls(**json.loads((FOLDER / "settings.json").read_text()))
