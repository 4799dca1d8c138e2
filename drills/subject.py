"""The database that is drilled: where it runs now, and whether it is fit to be drilled."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused
from drills.phases import FENCE, is_ready

DATABASE = "app.kubernetes.io/name=iris,app.kubernetes.io/part-of=ha-iris"
LONGHORN = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system"
SETTLE_SECONDS = 900
"""How long the cluster may take to be whole again between two runs, copies included."""


@dataclass(frozen=True)
class Place:
    """Where the database is at one moment."""

    pod: str
    uid: str
    node: str
    zone: str
    volumes: tuple[str, ...]
    """Names of its PersistentVolumes."""


class Subject:
    """One IRIS database in one cluster."""

    def __init__(
        self,
        api: Api,
        *,
        namespace: str = "iris",
        pods: str = DATABASE,
        service: str = "iris",
        workload: str = "deployments/iris",
    ) -> None:
        """Take a database by its namespace, the labels of its pods, its clients' Service, and what
        keeps its pods."""
        self.api = api
        self.namespace = namespace
        self.pods = pods
        self.service = service
        self.workload = f"/apis/apps/v1/namespaces/{namespace}/{workload}"
        """What is scaled to stop it."""
        self.path = f"/api/v1/namespaces/{namespace}"
        """Where the namespace's own objects are."""

    @classmethod
    def of_stack(cls, api: Api, namespace: str) -> Subject:
        """The database of a stack in the form that it runs in; of several the first, which is the
        one that the stack's outputs lead to."""
        path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
        if not api.items(path, labelSelector=DATABASE):
            return cls(api, namespace=namespace)
        return cls(
            api,
            namespace=namespace,
            pods=f"{DATABASE},statefulset.kubernetes.io/pod-name=iris-0",
            service="iris-0",
            workload="statefulsets/iris",
        )

    def place(self) -> Place:
        """Where it runs and is Ready.

        Raises:
            DrillError: it does not; a drill of a database that is down measures nothing.
        """
        pods = self.api.items(f"{self.path}/pods", labelSelector=self.pods)
        for pod in pods:
            if is_ready(pod) and not pod["metadata"].get("deletionTimestamp"):
                break
        else:
            raise DrillError(
                f"{self.namespace}/{self.pods}",
                f"none of its {len(pods)} pods is Ready",
                "bring the database up before you drill it: docs/drills.md",
            )
        name = pod["spec"]["nodeName"]
        node = self.api.get(f"/api/v1/nodes/{name}")
        claims = [
            volume["persistentVolumeClaim"]["claimName"]
            for volume in pod["spec"].get("volumes", [])
            if "persistentVolumeClaim" in volume
        ]
        path = f"{self.path}/persistentvolumeclaims"
        return Place(
            pod=pod["metadata"]["name"],
            uid=pod["metadata"]["uid"],
            node=name,
            zone=node["metadata"]["labels"].get("topology.kubernetes.io/zone", ""),
            volumes=tuple(
                self.api.get(f"{path}/{claim}")["spec"]["volumeName"] for claim in claims
            ),
        )

    def nodes(self, *, zone: str | None = None) -> list[str]:
        """Names of the cluster's nodes, or of those of one zone."""
        selector = f"topology.kubernetes.io/zone={zone}" if zone else ""
        nodes = self.api.items("/api/v1/nodes", labelSelector=selector)
        return [node["metadata"]["name"] for node in nodes]

    def settle(self, longer: float = 0) -> None:
        """Wait until the database and every node is Ready and every volume has all its copies.

        Args:
            longer: seconds until the last machine that is away comes back by itself.

        Raises:
            DrillError: it takes too long; a next run would measure what is left of this one.
        """
        seconds = SETTLE_SECONDS + longer
        deadline = time.monotonic() + seconds
        while (fault := self._unsettled()) and time.monotonic() < deadline:
            time.sleep(1)
        if fault:
            raise DrillError(
                "the cluster",
                f"is not whole again after {seconds:.0f} s: {fault}",
                "see to that first, then go on with the runs that are left",
            )

    def _unsettled(self) -> str | None:
        try:
            self.place()
            for node in self.api.items("/api/v1/nodes"):
                if not is_ready(node):
                    return f"node {node['metadata']['name']} is not Ready"
                if FENCE in (node["metadata"].get("annotations") or {}):
                    return f"the fence of {node['metadata']['name']} is not over"
            for volume in self.longhorn("volumes"):
                found = volume.get("status", {}).get("robustness")
                if found in ("degraded", "faulted"):
                    return f"volume {volume['metadata']['name']} is {found}"
        except (DrillError, Refused, *UNREACHABLE) as error:
            return str(error)
        return None

    def longhorn(self, plural: str, selector: str = "") -> list[dict[str, Any]]:
        """Longhorn's objects of a kind; none where Longhorn is not, as in the lab."""
        try:
            return self.api.items(f"{LONGHORN}/{plural}", labelSelector=selector)
        except Refused as error:
            if error.status == 404:
                return []
            raise
