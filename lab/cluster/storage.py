"""A stand-in for Longhorn's CSI driver and the volume part of the kubelets.

`python -m lab.cluster.storage DIR SECONDS` does what a kwok Stage cannot say, because it takes
knowledge of several objects: provision by storage class, decide whether a volume may be attached,
mount, take snapshots, free the volumes of nodes that are down, and register the driver on the nodes
while it is installed. No byte is stored anywhere. Kubelets report every SECONDS; 0: at once.

It keeps a copy of the objects it looks at by watching them. Whenever one has changed it asks
`lab.cluster.longhorn` what is due, and does it; in a quiet cluster it does nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import urllib3

from lab.cluster.api import Api, ApiError
from lab.cluster.longhorn import Longhorn
from lab.cluster.world import KINDS, Request, World
from lab.home import LabHome

log = logging.getLogger("lab.cluster.storage")
RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
LONGEST_WITHOUT_KIND_SECONDS = 5.0
"""Between two looks for a kind that the cluster does not know, as long as no kind is defined."""


class Mirror:
    """A copy of the cluster's objects, kept fresh by one watch per kind."""

    def __init__(self, api: Api, ca: Path) -> None:
        self._api = api
        self._ca = ca
        self._objects: dict[str, dict[str, dict]] = {}
        self._lock = threading.Lock()
        self.changed = threading.Event()
        self._defined = threading.Condition()
        for kind, path in KINDS.items():
            threading.Thread(target=self._follow, args=(kind, path), daemon=True).start()

    def world(self) -> World | None:
        """Every object by kind, or None until each kind has been listed once."""
        with self._lock:
            if len(self._objects) < len(KINDS):
                return None
            return {kind: list(found.values()) for kind, found in self._objects.items()}

    def _follow(self, kind: str, path: str) -> None:
        pause = RETRY_SECONDS
        while True:
            try:
                listed = self._api.request("GET", path)
                with self._lock:
                    self._objects[kind] = {_uid(item): item for item in listed["items"]}
                self.changed.set()
                for event in self._api.watch(path, listed["metadata"]["resourceVersion"]):
                    item = event["object"]
                    with self._lock:
                        if event["type"] == "DELETED":
                            self._objects[kind].pop(_uid(item), None)
                        else:
                            self._objects[kind][_uid(item)] = item
                    self.changed.set()
                    if kind == "definitions":
                        with self._defined:
                            self._defined.notify_all()
            except (ApiError, urllib3.exceptions.HTTPError) as error:
                if not self._ca.exists():  # the lab was deleted
                    os._exit(0)
                if isinstance(error, ApiError) and error.status == 404:
                    # The chart or the operator that brings this kind is not there.
                    with self._lock:
                        news = self._objects.get(kind) != {}
                        self._objects[kind] = {}
                    if news:
                        self.changed.set()
                    with self._defined:
                        woken = self._defined.wait(pause)
                    pause = RETRY_SECONDS if woken else min(2 * pause, LONGEST_WITHOUT_KIND_SECONDS)
                    continue
                log.info("%s: listing again: %s", kind, error)
                time.sleep(RETRY_SECONDS)


def _uid(item: dict) -> str:
    return item["metadata"]["uid"]


class Patience:
    """When a request that failed may be made again: later after each failure."""

    def __init__(self) -> None:
        self._pauses: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def allows(self, request: Request) -> bool:
        """Whether it is time for this request."""
        return time.monotonic() >= self._not_before.get(request.reason, 0)

    def failed(self, request: Request) -> None:
        """Have it wait, twice as long as the last time."""
        last = self._pauses.get(request.reason)
        pause = RETRY_SECONDS if last is None else min(2 * last, LONGEST_RETRY_SECONDS)
        self._pauses[request.reason] = pause
        self._not_before[request.reason] = time.monotonic() + pause

    def succeeded(self, request: Request) -> None:
        """Forget its failures."""
        self._pauses.pop(request.reason, None)
        self._not_before.pop(request.reason, None)

    def rest(self, requests: list[Request]) -> float | None:
        """Seconds until the first of these is allowed; None without any."""
        moments = [self._not_before.get(request.reason, 0) for request in requests]
        return max(0.0, min(moments) - time.monotonic()) if moments else None


def run(home: LabHome, longhorn: Longhorn) -> None:
    """Serve until killed."""
    api = Api(home)
    mirror = Mirror(api, home.cluster / "pki" / "ca.crt")
    patience = Patience()
    pause: float | None = None
    while True:
        mirror.changed.wait(pause)
        mirror.changed.clear()
        world = mirror.world()
        if world is not None:
            later = patience.rest(_act(api, longhorn.due(world), patience))
            rests = [rest for rest in (later, longhorn.rest()) if rest is not None]
            pause = min(rests, default=None)


def _act(api: Api, requests: Iterable[Request], patience: Patience) -> list[Request]:
    """Make the requests that may be made; gives those that are to be made later."""
    later = []
    for request in requests:
        if not patience.allows(request):
            later.append(request)
            continue
        try:
            api.request(request.method, request.path, request.body)
            patience.succeeded(request)
            log.info("%s", request.reason)
        except (ApiError, urllib3.exceptions.HTTPError) as error:
            # What others have changed or removed meanwhile is looked at again without a word.
            if not (isinstance(error, ApiError) and error.status in (404, 409)):
                log.warning("%s: %s", request.reason, error)
            patience.failed(request)
            later.append(request)
    return later


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if os.fork() == 0:  # nobody waits for it: it ends when the lab does
        os.setsid()
        run(LabHome(Path(sys.argv[1])), Longhorn(kubelet_status_seconds=float(sys.argv[2])))
