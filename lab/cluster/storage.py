"""A stand-in for Longhorn's CSI driver and the volume part of the kubelets.

`python -m lab.cluster.storage DIR` does what a kwok Stage cannot say, because it takes knowledge of
several objects: provision by storage class, decide whether a volume may be attached, mount, take
snapshots, and register the driver on the nodes while it is installed. No byte is stored anywhere.

It keeps a copy of the objects it looks at by watching them. Whenever one has changed it asks
`lab.cluster.longhorn` what is due, and does it; in a quiet cluster it does nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from pathlib import Path

import urllib3

from lab.cluster.api import Api, ApiError
from lab.cluster.longhorn import KINDS, due
from lab.cluster.requests import World
from lab.home import LabHome

log = logging.getLogger("lab.cluster.storage")
RETRY_SECONDS = 0.5


class Mirror:
    """A copy of the cluster's objects, kept fresh by one watch per kind."""

    def __init__(self, api: Api, ca: Path) -> None:
        self._api = api
        self._ca = ca
        self._objects: dict[str, dict[str, dict]] = {}
        self._lock = threading.Lock()
        self.changed = threading.Event()
        for kind, path in KINDS.items():
            threading.Thread(target=self._follow, args=(kind, path), daemon=True).start()

    def world(self) -> World | None:
        """Every object by kind, or None until each kind has been listed once."""
        with self._lock:
            if len(self._objects) < len(KINDS):
                return None
            return {kind: list(found.values()) for kind, found in self._objects.items()}

    def _follow(self, kind: str, path: str) -> None:
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
            except (ApiError, urllib3.exceptions.HTTPError) as error:
                if not self._ca.exists():  # the lab was deleted
                    os._exit(0)
                if isinstance(error, ApiError) and error.status == 404:
                    # Longhorn's chart, which brings this kind, is not installed.
                    with self._lock:
                        news = self._objects.get(kind) != {}
                        self._objects[kind] = {}
                    if news:
                        self.changed.set()
                    time.sleep(RETRY_SECONDS)
                    continue
                log.info("%s: listing again: %s", kind, error)
                time.sleep(RETRY_SECONDS)


def _uid(item: dict) -> str:
    return item["metadata"]["uid"]


def run(home: LabHome) -> None:
    """Serve until killed."""
    api = Api(home)
    mirror = Mirror(api, home.cluster / "pki" / "ca.crt")
    retry = False
    while True:
        mirror.changed.wait(RETRY_SECONDS if retry else None)
        mirror.changed.clear()
        world = mirror.world()
        if world is None:
            continue
        retry = False
        for request in due(world):
            try:
                api.request(request.method, request.path, request.body)
                log.info("%s", request.reason)
            except (ApiError, urllib3.exceptions.HTTPError) as error:
                if not (isinstance(error, ApiError) and error.status in (404, 409)):
                    log.warning("%s: %s", request.reason, error)
                retry = True


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if os.fork() == 0:  # nobody waits for it: it ends when the lab does
        os.setsid()
        run(LabHome(Path(sys.argv[1])))
