"""How the stand-ins for Longhorn see the cluster, and what they ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

World = dict[str, list[dict[str, Any]]]
"""The cluster's objects by the names of ``lab.cluster.longhorn.KINDS``."""


@dataclass(frozen=True)
class Request:
    """One write to the API server, and what it means."""

    method: str
    path: str
    body: dict[str, Any] | None
    reason: str
