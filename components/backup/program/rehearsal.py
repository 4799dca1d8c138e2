"""One rehearsal: the newest backup of every IRIS restored, started, looked through and removed.

Ends with 0 when every one is whole and has its marker; else with 1, so that Kubernetes counts no
success. It never touches an IRIS that runs, or a backup: it only reads and labels.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .clone import Clone, NotProven, Source
from .job import Ended, end, finish, tell
from .lease import Held, Lease
from .rehearsal_settings import (
    AT,
    FAILED,
    PASSED,
    PROVEN,
    REHEARSED,
    SECONDS,
    WHY,
    RehearsalSettings,
)
from .retention import Taken, newest_good
from .settings import MARKER
from .snapshots import taken
from .uploads import PATH, uploaded

MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def main() -> int:
    """Run once."""
    signal.signal(signal.SIGTERM, end)
    settings, api = RehearsalSettings.read(), Api.of_this_pod()
    try:
        with Lease(api, settings) as lease:
            faults = Rehearsal(api, settings, lease).go()
    except (ApiError, Held) as error:
        faults = [str(error)]
        tell(api, settings, "RehearsalFailed", str(error))
    except Ended:
        faults = ["the job was told to end"]
    return finish(faults, "passed")


class Rehearsal:
    """One run over all instances."""

    def __init__(self, api: Api, settings: RehearsalSettings, lease: Lease) -> None:
        self._api = api
        self._settings = settings
        self._lease = lease

    def go(self) -> list[str]:
        """Everything in its order; gives what went wrong."""
        read = uploaded if self._settings.from_store else taken
        sets = read(self._api, self._settings)
        newest = newest_good(sets)
        proven: list[Taken] = []
        faults: list[str] = []
        for instance in self._settings.instances:
            if backup := newest.get(instance):
                fault = self._rehearse(backup, sorted(sets[backup]))
                proven.append(backup)
            else:
                place = "the store" if self._settings.from_store else "Longhorn"
                fault = f"there is nothing to rehearse: no consistent backup of it in {place}"
                self._tell("RehearsalFailed", f"{instance}: {fault}")
            if fault:
                faults.append(f"{instance}: {fault}")
        self._sum_up(proven, faults)
        return faults

    def _rehearse(self, backup: Taken, names: list[str]) -> str:
        """Rehearse one backup and say what comes of it; why that is no proof, or nothing."""
        began = time.monotonic()
        try:
            fault = self._one(backup.instance, names)
        except (ApiError, NotProven) as error:
            fault = str(error)
        seconds = time.monotonic() - began
        self._publish(names, fault, seconds)
        told = f"{backup.instance}, run {backup.run}, {seconds:.0f} s"
        if fault := fault or self._too_old(backup):
            self._tell("RehearsalFailed", f"{told}: {fault}")
        else:
            self._tell("RehearsalSucceeded", f"{told}: whole, and its marker is there", False)
        return fault

    def _too_old(self, backup: Taken) -> str:
        """Why a backup that is whole proves nothing of what is made today, or nothing."""
        if datetime.now(UTC) - backup.moment < timedelta(seconds=self._settings.old_seconds):
            return ""
        return (
            f"it is whole, and of {backup.moment.strftime(MOMENT)}: no proof of the backups that "
            "should have come since"
        )

    def _one(self, instance: str, names: list[str]) -> str:
        """Rehearse one backup; why it is not good, or nothing."""
        items = [self._api.get(self._path(name)) for name in names]
        wanted = next(filter(None, map(_marker, items)), "")
        sources = [self._source(item) for item in items]
        with Clone(
            self._api, self._settings, sources, self._lease.renew, hostname=instance
        ) as clone:
            whole, marker, said = clone.ask()
        if not whole:
            return f"^Integrity finds errors: {' '.join(said)[-600:]}"
        if not wanted or marker.split(" ")[0] != wanted.split(" ")[0]:
            return f"its newest marker is {marker or 'none'}, and was {wanted or 'none'} at the cut"
        return ""

    def _path(self, name: str) -> str:
        if self._settings.from_store:
            return f"{PATH}/{name}"
        return self._settings.path("volumesnapshots", name)

    def _source(self, item: dict[str, Any]) -> Source:
        status, name = item.get("status") or {}, item["metadata"]["name"]
        if self._settings.from_store:
            # Named by uploads.py: namespace, claim, run.
            rest = name.removeprefix(f"{self._settings.namespace}-")
            claim = rest.rsplit("-", 2)[0]
            if not status.get("url"):
                raise NotProven(f"backup {name} has no URL")
            return Source(claim, status.get("volumeSize") or self._size(claim), url=status["url"])
        claim = item["spec"]["source"]["persistentVolumeClaimName"]
        content = status["boundVolumeSnapshotContentName"]
        path = f"/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents/{content}"
        handle = (self._api.get(path).get("status") or {}).get("snapshotHandle")
        if not handle:
            raise NotProven(f"snapshot {name} has no handle")
        return Source(claim, str(status.get("restoreSize") or self._size(claim)), handle=handle)

    def _size(self, claim: str) -> str:
        found = self._api.get(self._settings.path("persistentvolumeclaims", claim))
        return str(found["status"]["capacity"]["storage"])

    def _publish(self, names: list[str], fault: str, seconds: float) -> None:
        """Say on each part of the backup what has become of it."""
        changes = {
            "labels": {REHEARSED: FAILED if fault else PASSED},
            "annotations": {AT: _now(), SECONDS: f"{seconds:.0f}", WHY: fault[:500] or None},
        }
        for name in names:
            try:
                self._api.merge(self._path(name), {"metadata": changes})
            except ApiError as error:
                print(f"{name} could not be labelled: {error}", flush=True)

    def _sum_up(self, backups: list[Taken], faults: list[str]) -> None:
        """Leave the outcome on the CronJob, where `make status` and a person read it."""
        told: dict[str, str | None] = {
            REHEARSED: FAILED if faults else PASSED,
            AT: _now(),
            WHY: "; ".join(faults)[:500] or None,
        }
        if not faults:  # What was proven before stays proven.
            told[PROVEN] = min(one.moment for one in backups).strftime(MOMENT)
        path = self._settings.path("cronjobs", self._settings.cron_job)
        self._api.merge(path, {"metadata": {"annotations": told}})

    def _tell(self, reason: str, message: str, warning: bool = True) -> None:
        tell(self._api, self._settings, reason, message, warning=warning)


def _marker(item: dict[str, Any]) -> str:
    """The marker that was newest at the cut, from a snapshot or a backup."""
    places: Iterator[dict[str, Any]] = (
        place or {}
        for place in (
            item["metadata"].get("annotations"),
            (item.get("status") or {}).get("labels"),
            (item.get("spec") or {}).get("labels"),
        )
    )
    return next((place[MARKER] for place in places if place.get(MARKER)), "")


def _now() -> str:
    return datetime.now(UTC).strftime(MOMENT)


if __name__ == "__main__":
    sys.exit(main())
