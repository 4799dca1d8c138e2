"""An observer that writes down every change of the database's pod, nodes, volumes and endpoints."""

from __future__ import annotations

import threading
import time
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused
from drills.phases import Seen

RETRY_SECONDS = 0.25
START_SECONDS = 30


class Observer:
    """What has been seen so far, by a watch of its own for every kind."""

    def __init__(self, api: Api, *, namespace: str, pods: str, service: str) -> None:
        """Begin to watch.

        Args:
            api: connection to the cluster.
            namespace: the database's.
            pods: label selector of the database's pods.
            service: name of the Service that clients use.

        Raises:
            DrillError: the cluster does not answer.
        """
        self.seen: list[Seen] = []
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._api = api
        self._watches: dict[str, tuple[str, dict[str, str]]] = {
            "pods": (f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": pods}),
            "nodes": ("/api/v1/nodes", {}),
            "attachments": ("/apis/storage.k8s.io/v1/volumeattachments", {}),
            "endpoints": (
                f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
                {"labelSelector": f"kubernetes.io/service-name={service}"},
            ),
        }
        self._listed = {kind: threading.Event() for kind in self._watches}
        for kind in self._watches:
            threading.Thread(target=self._follow, args=(kind,), daemon=True).start()
        for kind, listed in self._listed.items():
            if not listed.wait(START_SECONDS):
                self.end()
                raise DrillError(
                    kind, f"not listed within {START_SECONDS} s", "see whether the cluster answers"
                )

    def end(self) -> None:
        """Look no longer."""
        self._ends.set()

    def changes(self) -> list[Seen]:
        """Everything so far, in the order in which it was seen."""
        with self._lock:
            return sorted(self.seen, key=lambda change: change.at)

    def latest(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind as they are now, as far as is known."""
        found: dict[str, dict[str, Any]] = {}
        for change in self.changes():
            if change.kind == kind:
                uid = change.item["metadata"]["uid"]
                if change.gone:
                    found.pop(uid, None)
                else:
                    found[uid] = change.item
        return list(found.values())

    def _follow(self, kind: str) -> None:
        path, options = self._watches[kind]
        known: dict[str, dict[str, Any]] = {}
        while not self._ends.is_set():
            try:
                listed = self._api.request("GET", path, query=options)
                there = {item["metadata"]["uid"]: item for item in listed["items"]}
                for uid in known.keys() - there.keys():
                    self._note(kind, known[uid], gone=True)
                for uid, item in there.items():
                    if uid not in known or known[uid]["metadata"] != item["metadata"]:
                        self._note(kind, item)
                known = there
                self._listed[kind].set()
                version = listed["metadata"]["resourceVersion"]
                for event in self._api.watch(path, version, **options):
                    item, gone = event["object"], event["type"] == "DELETED"
                    if gone:
                        known.pop(item["metadata"]["uid"], None)
                    else:
                        known[item["metadata"]["uid"]] = item
                    self._note(kind, item, gone=gone)
                    if self._ends.is_set():
                        return
            except (Refused, *UNREACHABLE):
                # The API server may be what the drill takes away.
                time.sleep(RETRY_SECONDS)

    def _note(self, kind: str, item: dict[str, Any], *, gone: bool = False) -> None:
        with self._lock:
            self.seen.append(Seen(time.time(), kind, gone, item))
