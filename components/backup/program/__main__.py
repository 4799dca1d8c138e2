"""One backup of every IRIS of this stack: freeze, cut, check, thaw; then upload and retention.

Ends with 0 when every instance has consistent snapshots and, where there is a store, backups of
them; else with 1, so that Kubernetes tries again and counts no success.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .freeze import container_of
from .job import Ended, end, finish, tell
from .lease import Held, Lease
from .retention import Taken, surplus
from .settings import LONGHORN, Settings
from .snapshots import Instance, Outcome, settle, taken
from .uploads import PATH, listed_anew, upload, uploaded


def main() -> int:
    """Run once."""
    signal.signal(signal.SIGTERM, end)
    settings, api = Settings.read(), Api.of_this_pod()
    try:
        with Lease(api, settings) as lease:
            faults = Run(api, settings, lease).go()
    except (ApiError, Held) as error:
        faults = [str(error)]
        tell(api, settings, "BackupFailed", str(error))
    except Ended:
        faults = ["the job was told to end"]
    return finish(faults, "consistent")


class Run:
    """One run over all instances."""

    def __init__(self, api: Api, settings: Settings, lease: Lease) -> None:
        self._api = api
        self._settings = settings
        self._lease = lease
        self._run = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")

    def go(self) -> list[str]:
        """Everything in its order; gives what went wrong."""
        for name in settle(self._api, self._settings):
            self._tell("BackupLapsed", f"{name} was left by a run that did not come to its end")
        faults: list[str] = []
        running: dict[str, dict[str, Any]] = {}
        for selector in self._settings.selectors:
            if not (found := self._pods(selector)):
                self._tell("BackupFailed", f"no IRIS runs: no pod of {selector}")
                faults.append(f"no IRIS runs: no pod of {selector}")
            running |= found
        for name in sorted(running):
            faults += self._one(running[name])
        if not running:
            return faults
        self._retain()
        return faults

    def _pods(self, selector: str) -> dict[str, dict[str, Any]]:
        """The pods of one database in which IRIS runs, by their names."""
        found = self._api.get(self._settings.path("pods"), labelSelector=selector)["items"]
        return {pod["metadata"]["name"]: pod for pod in found if self._runs(pod)}

    def _runs(self, pod: dict[str, Any]) -> bool:
        container = container_of(pod, self._settings)
        states = pod.get("status", {}).get("containerStatuses", [])
        return not pod["metadata"].get("deletionTimestamp") and any(
            state["name"] == container and "running" in state.get("state", {}) for state in states
        )

    def _one(self, pod: dict[str, Any]) -> list[str]:
        outcome = Instance(self._api, self._settings, pod, run=self._run).back_up(self._lease)
        if outcome.leftover:
            self._tell("BackupFoundFrozen", f"{outcome.instance} was frozen already; thawed first")
        if outcome.faults:
            self._tell("BackupLapsed", f"{outcome.instance}: {'; '.join(outcome.faults)}")
            return [f"{outcome.instance}: {fault}" for fault in outcome.faults]
        faults = self._upload(outcome) if self._settings.upload else []
        if faults:
            self._tell("BackupNotUploaded", f"{outcome.instance}: {'; '.join(faults)}")
        else:
            done = f"frozen for {outcome.seconds:.1f} s, marker {outcome.marker}"
            self._tell("BackupSucceeded", f"{outcome.instance}: {done}", warning=False)
        return [f"{outcome.instance}: {fault}" for fault in faults]

    def _upload(self, outcome: Outcome) -> list[str]:
        return upload(self._api, self._settings, outcome, self._lease, run=self._run)

    def _retain(self) -> None:
        """Delete what has had its time; what cannot be deleted now is found again next time."""
        settings = self._settings
        snapshots = taken(self._api, settings)
        self._delete(
            snapshots,
            settings.keep,
            settings.keep_days,
            lambda name: settings.path("volumesnapshots", name),
        )
        self._tell_of_others(snapshots, f"{settings.namespace} delete volumesnapshots")
        if settings.upload:
            backups = uploaded(self._api, settings)
            self._delete(
                backups,
                settings.keep_uploads,
                settings.keep_uploads_days,
                lambda name: f"{PATH}/{name}",
            )
            self._tell_of_others(backups, f"{LONGHORN} delete backups.longhorn.io")
            if found := listed_anew(self._api, settings):
                told = f"{len(found)} in the store, which Longhorn has listed anew, stay"
                self._tell("BackupsStay", f"{told}: {', '.join(sorted(found))}", warning=False)

    def _delete(
        self,
        sets: dict[Taken, list[str]],
        keep: int,
        days: int | None,
        path: Callable[[str], str],
    ) -> None:
        for one in surplus(sets, keep=keep, days=days, now=datetime.now(UTC)):
            for name in sets.pop(one):
                try:
                    self._api.delete(path(name))
                    print(f"deleted {name}", flush=True)
                except ApiError as error:
                    self._tell("BackupNotDeleted", f"{name} stays until the next run: {error}")

    def _tell_of_others(self, sets: dict[Taken, list[str]], by_hand: str) -> None:
        """Say which of these are of an IRIS that is none of this stack's any more."""
        others: dict[str, list[str]] = {}
        for one, names in sets.items():
            if self._settings.instances and one.instance not in self._settings.instances:
                others.setdefault(one.instance, []).extend(names)
        for instance, names in others.items():
            told = f"{len(names)} of {instance}, which is no IRIS of this stack any more, stay"
            how = f"once nobody needs them: kubectl -n {by_hand} {' '.join(sorted(names))}"
            self._tell("BackupsStay", f"{told}; {how}", warning=False)

    def _tell(self, reason: str, message: str, *, warning: bool = True) -> None:
        tell(self._api, self._settings, reason, message, warning=warning)


if __name__ == "__main__":
    sys.exit(main())
