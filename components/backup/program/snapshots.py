"""The snapshots of one instance: cut while it is frozen, and labelled by what is known of that."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from components.in_cluster.kube import Api, ApiError

from .freeze import Freeze, Refused, claims_of
from .job import Job
from .lease import Lease
from .retention import Taken
from .settings import (
    CONSISTENT,
    DRIVER,
    FROZEN,
    INSTANCE,
    LAPSED,
    MARKER,
    PARTS,
    REASON,
    RUN,
    STATE,
    TAKING,
    Settings,
)

PROVISIONER = "volume.kubernetes.io/storage-provisioner"


@dataclass
class Outcome:
    """What became of one instance."""

    instance: str
    marker: str = ""
    seconds: float = 0.0
    leftover: bool = False
    faults: list[str] = field(default_factory=list)
    """Why its snapshots are lapsed, or missing; empty: they are consistent."""
    handles: dict[str, str] = field(default_factory=dict)
    """Longhorn's name of each snapshot, by the name of the VolumeSnapshot."""


class Instance:
    """One IRIS and its volumes."""

    def __init__(self, api: Api, settings: Settings, pod: dict[str, Any], *, run: str) -> None:
        self.name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
        self._api = api
        self._settings = settings
        self._pod = pod
        self._run = run
        self._made: list[str] = []

    def back_up(self, lease: Lease) -> Outcome:
        """Freeze, cut, check, thaw, label; every way out of this asks IRIS to thaw."""
        outcome = Outcome(self.name)
        claims = claims_of(self._pod)
        freeze = Freeze(self._api, self._settings, self._pod, lease.renew)
        ended = None
        try:
            self._all_ours(claims)
            with freeze:
                print(f"{self.name}: frozen, marker {freeze.marker}", flush=True)
                self._cut(claims)
                outcome.handles = self._await_handles(claims, freeze)
                if not freeze.held():
                    outcome.faults.append("IRIS was not frozen any more when the cut was done")
        except (ApiError, Refused) as error:
            outcome.faults.append(str(error))
        except BaseException as error:
            outcome.faults.append(f"the job was ended: {error!r}")
            ended = error
        outcome.marker, outcome.seconds = freeze.marker, freeze.seconds
        outcome.leftover = freeze.leftover
        if freeze.marker and not freeze.thawed:
            outcome.faults.append("nobody has said that IRIS is thawed")
        self._label(outcome)
        print(f"{self.name}: frozen for {outcome.seconds:.1f} s", flush=True)
        if ended:
            raise ended
        return outcome

    def _snapshot(self, claim: str) -> str:
        return f"{claim}-{self._run}"

    def _all_ours(self, claims: list[str]) -> None:
        """Refuse volumes that Longhorn does not have: a freeze would be for nothing."""
        if not claims:
            raise Refused(f"{self.name} has no volume")
        for claim in claims:
            path = self._settings.path("persistentvolumeclaims", claim)
            found = self._api.get(path)["metadata"].get("annotations", {}).get(PROVISIONER)
            if found != DRIVER:
                raise Refused(f"claim {claim} is {found}'s and not Longhorn's")

    def _cut(self, claims: list[str]) -> None:
        for claim in claims:
            self._api.create(
                self._settings.path("volumesnapshots"),
                {
                    "apiVersion": "snapshot.storage.k8s.io/v1",
                    "kind": "VolumeSnapshot",
                    "metadata": {
                        "name": self._snapshot(claim),
                        "labels": {INSTANCE: self.name, RUN: self._run, STATE: TAKING},
                    },
                    "spec": {
                        "volumeSnapshotClassName": self._settings.snapshot_class,
                        "source": {"persistentVolumeClaimName": claim},
                    },
                },
            )
            self._made.append(self._snapshot(claim))

    def _await_handles(self, claims: list[str], freeze: Freeze) -> dict[str, str]:
        """Longhorn's name of each snapshot: it has one once it is cut."""
        deadline = time.monotonic() + self._settings.snapshot_seconds
        handles: dict[str, str] = {}
        while True:
            freeze.renew()
            for claim in claims:
                name = self._snapshot(claim)
                if name not in handles and (handle := self._handle(name)):
                    handles[name] = handle
            if len(handles) == len(claims):
                return handles
            if time.monotonic() > deadline:
                missing = ", ".join(
                    claim for claim in claims if self._snapshot(claim) not in handles
                )
                raise Refused(
                    f"no snapshot of {missing} within {self._settings.snapshot_seconds} s"
                )
            time.sleep(self._settings.tick)

    def _handle(self, name: str) -> str | None:
        snapshot = self._api.get(self._settings.path("volumesnapshots", name))
        status = snapshot.get("status") or {}
        if message := (status.get("error") or {}).get("message"):
            raise Refused(f"snapshot {name}: {message}")
        if not (content := status.get("boundVolumeSnapshotContentName")):
            return None
        path = f"/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents/{content}"
        return (self._api.get(path).get("status") or {}).get("snapshotHandle")

    def _label(self, outcome: Outcome) -> None:
        """Say on each snapshot what it is worth, as soon as the API server listens.

        One that nobody gets to say it of counts as lapsed for the next run.
        """
        state = LAPSED if outcome.faults else CONSISTENT
        annotations = {MARKER: outcome.marker, FROZEN: f"{outcome.seconds:.1f}"}
        if outcome.faults:
            annotations[REASON] = "; ".join(outcome.faults)
        for name in self._made:
            deadline = time.monotonic() + 60
            while True:
                try:
                    self._api.merge(
                        self._settings.path("volumesnapshots", name),
                        {"metadata": {"labels": {STATE: state}, "annotations": annotations}},
                    )
                except ApiError as error:
                    if time.monotonic() < deadline:
                        time.sleep(self._settings.tick)
                        continue
                    outcome.faults.append(f"snapshot {name} could not be labelled: {error}")
                break


def taken(api: Api, settings: Job) -> dict[Taken, list[str]]:
    """The runs whose snapshots are there, with the names of these."""
    found = api.get(settings.path("volumesnapshots"), labelSelector=RUN)["items"]
    return by_run(found, good=lambda item: item["metadata"]["labels"].get(STATE) == CONSISTENT)


def by_run(items: list[dict[str, Any]], *, good: Any, busy: Any = None) -> dict[Taken, list[str]]:
    """Snapshots or backups together by instance and run; what is being deleted is left out.

    One of which a part was never begun, or is gone, is not good.
    """
    sets: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in items:
        labels = item["metadata"]["labels"]
        if not item["metadata"].get("deletionTimestamp"):
            sets.setdefault((labels.get(INSTANCE, ""), labels[RUN]), []).append(item)
    return {
        Taken(
            instance,
            run,
            datetime.fromisoformat(min(item["metadata"]["creationTimestamp"] for item in some)),
            good=all(map(good, some)) and len(some) >= _parts(some),
            busy=any(map(busy, some)) if busy else False,
        ): [item["metadata"]["name"] for item in some]
        for (instance, run), some in sets.items()
    }


def _parts(some: list[dict[str, Any]]) -> int:
    return max(int(item["metadata"]["labels"].get(PARTS, 1)) for item in some)


def settle(api: Api, settings: Settings) -> list[str]:
    """Call lapsed what a run has left that did not come to its end; gives the names."""
    path = settings.path("volumesnapshots")
    left = api.get(path, labelSelector=f"{STATE}={TAKING}")["items"]
    for item in left:
        why = "the run that took it did not come to its end"
        changes = {"labels": {STATE: LAPSED}, "annotations": {REASON: why}}
        api.merge(f"{path}/{item['metadata']['name']}", {"metadata": changes})
    return [item["metadata"]["name"] for item in left]
