"""Whether the nodes have an image."""

import re
from dataclasses import dataclass

from components.iris.upgrade.pre_pull import LABELS, NAME
from components.iris.upgrade.steps import Change, Cluster, Refused, pods_of
from components.kubernetes_api import Api

FAILING_SECONDS = 60
"""How long every node may fail to pull an image before that counts as final."""


async def wait_for_image(cluster: Cluster, change: Change, seconds: float) -> None:
    """Return once the new image is on every node, or on some when the time is over.

    Raises:
        Refused: it is on none, with what the nodes say.
    """
    state = OnNodes(0, 0, [])
    failing_since: float | None = None

    def look(api: Api) -> bool | None:
        nonlocal state, failing_since
        state = on_nodes(api, change)
        if not state.all_fail():
            failing_since = None
        elif failing_since is None:
            failing_since = cluster.clock()
        lost = failing_since is not None and cluster.clock() - failing_since >= FAILING_SECONDS
        return True if state.complete() or lost else None

    cluster.tell(f"waiting until the nodes have {change.after}, for {seconds:.0f} s at most")
    await cluster.until(look, seconds, every=5)
    if not state.have:
        said = "; ".join(state.faults) or "no pod that pulls it has begun"
        raise Refused(f"no node has {change.after}: {said}")
    if not state.complete():
        faults = "".join(f" ({fault})" for fault in state.faults)
        cluster.tell(f"{state.have} of {state.wanted} nodes have {change.after}, going on{faults}")


@dataclass(frozen=True)
class OnNodes:
    """Where an image is."""

    have: int
    wanted: int
    faults: list[str]
    """What the nodes say that cannot pull it."""

    def complete(self) -> bool:
        """Whether every node has it."""
        return self.have >= self.wanted > 0

    def all_fail(self) -> bool:
        """Whether no node can pull it."""
        return len(self.faults) >= self.wanted > 0


def on_nodes(api: Api, change: Change) -> OnNodes:
    """Which nodes have the new image, as the pods that hold it say."""
    path = f"/apis/apps/v1/namespaces/{change.namespace}/daemonsets/{NAME}"
    status = (api.get(path) or {}).get("status") or {}
    have, faults = 0, []
    for pod in pods_of(api, change.namespace, LABELS):
        (wanted,) = [c for c in pod["spec"]["containers"] if c["name"] == "iris"]
        statuses = (pod.get("status") or {}).get("containerStatuses") or []
        state = next((s.get("state") or {} for s in statuses if s["name"] == "iris"), {})
        if wanted["image"] != change.after or pod["metadata"].get("deletionTimestamp"):
            continue
        if "running" in state:
            have += 1
        elif re.search("Image|Registry", (state.get("waiting") or {}).get("reason", "")):
            waiting = state["waiting"]
            said = f"{waiting['reason']} {waiting.get('message', '')}".strip()
            faults.append(f"{pod['spec'].get('nodeName', 'a node')}: {said}")
    return OnNodes(have, status.get("desiredNumberScheduled", 0), faults)
