"""A clean stop in the old image, before another one starts.

Functions over an API, which a test can play. Nothing here changes the image: the update of the
workload does, afterwards.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from components.kubernetes_api import Api, Unreachable

CLOSED = "ha-iris/closed-cleanly"
"""Annotation of the workload: the generation whose pods have all ended cleanly, and how many they
were. A start by anybody makes another generation."""

KILLED = 137
"""Exit code of a container that did not end within its grace, or had no memory left."""

CLOSED_LINES = (
    "Journal restore not required at next startup",
    "Transaction rollback not required at next startup",
)
"""What messages.log, which iris-main copies to the container's log, says of a clean stop
(InterSystems, "Upgrade an Instance on UNIX", GCI_unixup)."""

SETTLE_SECONDS = 120
"""What a pod may take to go, beyond its grace: the volume is unmounted, the kubelet reports."""

Answer = TypeVar("Answer")
Object = Mapping[str, Any]


class Refused(Exception):
    """The image must not change now. The database is in its old image, and running if it was."""


@dataclass(frozen=True)
class Change:
    """What is to follow what, and where."""

    namespace: str
    workload: str
    """Path of it, as in /apis/apps/v1/namespaces/iris/deployments/iris."""
    pods: Mapping[str, str]
    """Labels of its pods."""
    before: str
    after: str
    grace_seconds: int


@dataclass(frozen=True)
class Cluster:
    """How the steps reach a cluster, and the time that passes there."""

    ask: Callable[[Callable[[Api], Any]], Awaitable[Any]]
    """Calls something with the API, in a thread; raises ``Unreachable``."""
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def until(
        self,
        look: Callable[[Api], Answer | None],
        seconds: float,
        *,
        every: float = 2,
    ) -> Answer | None:
        """What a look gives once it gives something; None when the time is over."""
        deadline = self.clock() + seconds
        while True:
            try:
                if (found := await self.ask(look)) is not None:
                    return found
            except Unreachable as reason:
                if self.clock() >= deadline:
                    raise Refused(f"the cluster does not answer: {reason}") from None
            if self.clock() >= deadline:
                return None
            await self.sleep(every)


async def stop(cluster: Cluster, change: Change) -> int:
    """Stop the database in its old image; how many pods it had, and 0 if there is nothing to do.

    Raises:
        Refused: it does not run as it should, or its stop was not clean; it was started again.
    """
    workload = await cluster.until(lambda api: api.get(change.workload) or {}, change.grace_seconds)
    if not workload:
        return 0
    pods = await cluster.until(lambda api: _pods(api, change), change.grace_seconds) or []
    if workload["spec"].get("replicas") == 0 and not pods:
        if before := _closed(workload):
            return before
        raise Refused(
            f"IRIS is scaled to 0, and whether it was stopped cleanly is not known: `kubectl -n "
            f"{change.namespace} scale` it to 1, wait until it is ready, and run `pulumi up` again"
        )
    if pods and _closed(workload, starts=1) and not any(map(_has_run, pods)):
        cluster.tell(f"{change.before} has never run: the volume is as its predecessor closed it")
        return 0
    if not pods or not all(map(_ready, pods)):
        raise Refused(
            f"IRIS is not ready in {change.before}, and a newer image does not start on a volume "
            "that was not closed cleanly: let the old image recover it first"
        )
    replicas = workload["spec"].get("replicas", 1)
    cluster.tell(f"stopping IRIS, for {change.grace_seconds} s at most")
    began = cluster.clock()
    codes: dict[str, int] = {}
    logs: dict[str, str] = {}
    await cluster.ask(lambda api: api.patch(change.workload, {"spec": {"replicas": 0}}))

    def gone(api: Api) -> bool | None:
        left = _pods(api, change)
        codes.update(_exit_codes(left))
        for name in (pod["metadata"]["name"] for pod in left):
            path = f"/api/v1/namespaces/{change.namespace}/pods/{name}/log"
            logs[name] = api.log(f"{path}?container=iris&tailLines=100") or logs.get(name, "")
        return None if left else True

    ended = await cluster.until(gone, change.grace_seconds + SETTLE_SECONDS, every=1)
    took = cluster.clock() - began
    if not ended or not _clean(codes, logs, pods=len(pods), in_time=took < change.grace_seconds):
        await start(cluster, change, replicas)
        raise Refused(
            f"IRIS did not stop cleanly within {change.grace_seconds} s and runs in "
            f"{change.before} again, which recovers its volume; raise ha-iris:iris."
            "terminationGracePeriodSeconds, in an update of its own, and try again"
        )
    stopped = await cluster.ask(lambda api: api.get(change.workload))
    mark = f"{stopped['metadata']['generation']} {replicas}"
    await cluster.ask(
        lambda api: api.patch(change.workload, {"metadata": {"annotations": {CLOSED: mark}}})
    )
    cluster.tell(f"IRIS has stopped, after {took:.0f} s")
    return replicas


async def start(cluster: Cluster, change: Change, replicas: int) -> None:
    """Let the old image run again."""
    await cluster.ask(lambda api: api.patch(change.workload, {"spec": {"replicas": replicas}}))


def _clean(codes: Mapping[str, int], logs: Mapping[str, str], *, pods: int, in_time: bool) -> bool:
    """Whether all instances have stopped cleanly, from the best evidence that there is.

    Their logs say so, or their containers were not killed, or nobody saw them end and there was
    time enough. What iris-main may end with beside 0 is documented nowhere.
    """
    proven = sum(all(line in text for line in CLOSED_LINES) for text in logs.values())
    if proven >= pods:
        return True
    return all(code != KILLED for code in codes.values()) and (bool(codes) or in_time)


def _closed(workload: Object, *, starts: int = 0) -> int:
    """How many pods a workload had when it was stopped, if its stop is known to have been clean.

    0 if it is not, or if the workload has been changed more often since than ``starts``.
    """
    metadata = workload["metadata"]
    mark = (metadata.get("annotations") or {}).get(CLOSED, "")
    generation, _, replicas = mark.partition(" ")
    return int(replicas) if generation == str(metadata["generation"] - starts) else 0


def _pods(api: Api, change: Change) -> list[dict[str, Any]]:
    return pods_of(api, change.namespace, change.pods)


def pods_of(api: Api, namespace: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The pods of a namespace that have some labels."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    found = api.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")
    return found["items"] if found else []


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    told = {one["type"]: one["status"] for one in conditions}
    return told.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")


def _has_run(pod: Object) -> bool:
    """Whether a pod's container has ever been started, as far as its node has told."""
    return any(
        status.get("restartCount") or status.get("lastState") or "waiting" not in status["state"]
        for status in (pod.get("status") or {}).get("containerStatuses") or []
        if status["name"] == "iris"
    )


def _exit_codes(pods: list[dict[str, Any]]) -> dict[str, int]:
    """How the containers of pods have ended, as far as they have, by pod."""
    return {
        pod["metadata"]["name"]: ended["exitCode"]
        for pod in pods
        for status in (pod.get("status") or {}).get("containerStatuses") or []
        if status["name"] == "iris" and (ended := (status.get("state") or {}).get("terminated"))
    }
