"""Which of the two agents acts: the one that holds the Lease."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from components.in_cluster.kube import TIMEOUT, Api, ApiError

from .settings import Settings

MARGIN = TIMEOUT
"""Seconds before its end at which a lease that could not be renewed counts as lost: what was begun
before has ended by then."""


class Leader:
    """Holds the Lease, or waits for it; told apart by clocks of its own, as client-go does."""

    def __init__(
        self,
        api: Api,
        settings: Settings,
        me: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._settings = settings
        self._me = me
        self._clock = clock
        self._seen: tuple[Any, Any] = (None, None)
        self._since = clock()
        self._renewed: float | None = None

    def held(self) -> bool:
        """Whether nobody else can hold it at this moment."""
        limit = self._settings.lease_seconds - MARGIN
        return self._renewed is not None and self._clock() - self._renewed < limit

    def run(self, *, aside: bool) -> bool:
        """Take it, keep it, or give it up; whether this one leads.

        Args:
            aside: this agent must not lead, as the node that it runs on is under suspicion.

        Raises:
            ApiError: the API server does not answer.
        """
        began = self._clock()
        item = self._read()
        spec = item.get("spec", {})
        holder = spec.get("holderIdentity") or None
        seen = (holder, spec.get("renewTime"))
        if seen != self._seen:
            self._seen, self._since = seen, began
        if aside:
            if holder == self._me:
                self._write(item, None)
            self._renewed = None
            return False
        free = holder in (None, self._me)
        if not free and began - self._since < self._settings.lease_seconds:
            self._renewed = None
            return False
        if self._write(item, self._me):
            self._renewed = began
        return self.held()

    def give_up(self) -> None:
        """Let the other one lead at once."""
        if self.held():
            self.run(aside=True)

    def _path(self, name: str = "") -> str:
        leases = f"/apis/coordination.k8s.io/v1/namespaces/{self._settings.namespace}/leases"
        return f"{leases}/{name}" if name else leases

    def _read(self) -> dict[str, Any]:
        try:
            return self._api.get(self._path(self._settings.name))
        except ApiError as error:
            if error.status != 404:
                raise
            return {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._settings.name},
            }

    def _write(self, item: dict[str, Any], holder: str | None) -> bool:
        item["spec"] = {
            "holderIdentity": holder,
            "leaseDurationSeconds": self._settings.lease_seconds,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        try:
            if "resourceVersion" in item["metadata"]:
                self._api.replace(self._path(self._settings.name), item)
            else:
                self._api.create(self._path(), item)
        except ApiError as error:
            if error.status != 409:  # somebody was quicker
                raise
            return False
        return True
