"""One backup at a time: a Lease that the run holds and that a dead run loses."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .job import Job


class Held(Exception):
    """Another run of the job is at work."""


class Lease:
    """Taken on entry, renewed by whoever calls ``renew`` often enough, given back on exit."""

    def __init__(self, api: Api, settings: Job) -> None:
        self._api = api
        self._settings = settings
        self._me = os.environ.get("HOSTNAME") or f"process-{os.getpid()}"
        self._item: dict[str, Any] = {}
        self._renewed = 0.0

    def __enter__(self) -> Lease:
        # A run that died without a word holds it for its whole time.
        deadline = time.monotonic() + self._settings.lease_seconds + 10
        while not self._try():
            if time.monotonic() > deadline:
                raise Held(f"another run is at work: {self._item['spec']['holderIdentity']}")
            time.sleep(self._settings.tick)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._write(holder=None)
        except ApiError as error:
            print(f"the lease could not be given back and ends by itself: {error}", flush=True)

    def renew(self) -> None:
        """Keep it, if a third of its time has passed; no failure of this stops a backup.

        Whoever took it meanwhile thaws IRIS before anything else, and the check after the cut
        tells that the freeze was lost.
        """
        if time.monotonic() - self._renewed > self._settings.lease_seconds / 3:
            try:
                self._write(holder=self._me)
            except ApiError as error:
                print(f"the lease could not be renewed: {error}", flush=True)
                self._renewed = time.monotonic()

    def _try(self) -> bool:
        path = self._settings.path("leases")
        try:
            self._item = self._api.get(f"{path}/{self._settings.cron_job}")
        except ApiError as error:
            if error.status != 404:
                raise
            self._item = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._settings.cron_job},
                "spec": {},
            }
        spec = self._item["spec"]
        if spec.get("holderIdentity") not in (None, "", self._me) and not _ended(spec):
            return False
        try:
            self._write(holder=self._me)
        except ApiError as error:
            if error.status != 409:  # somebody was quicker
                raise
            return False
        return True

    def _write(self, *, holder: str | None) -> None:
        self._item["spec"] = {
            "holderIdentity": holder,
            "leaseDurationSeconds": self._settings.lease_seconds,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        path = self._settings.path("leases")
        if "resourceVersion" in self._item["metadata"]:
            path += f"/{self._settings.cron_job}"
            self._item = self._api.replace(path, self._item)
        else:
            self._item = self._api.create(path, self._item)
        self._renewed = time.monotonic()


def _ended(spec: dict[str, Any]) -> bool:
    renewed = datetime.fromisoformat(spec["renewTime"])
    return datetime.now(UTC) > renewed + timedelta(seconds=spec["leaseDurationSeconds"])
