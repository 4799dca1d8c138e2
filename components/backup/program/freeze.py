"""A freeze of one IRIS, seen from the job: the conversation with freeze.sh in its container."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from components.in_cluster.exec import Session, start
from components.in_cluster.kube import Api, ApiError

from .settings import Settings, freeze_program


class Refused(Exception):
    """IRIS is not frozen, for the reason that the message gives."""


class Freeze:
    """IRIS is frozen while this is entered, at most for ``freeze_seconds``.

    Three things end it if this does not: freeze.sh when it hears nothing for ``patience`` seconds
    or its input ends, what freeze.sh leaves beside itself, and the limit inside IRIS.
    """

    marker = ""
    """Number and moment of the marker that IRIS wrote before."""
    leftover = False
    """Whether IRIS was frozen before this began, and was thawed."""
    seconds = 0.0
    """How long it was frozen, from before it began until IRIS had said that it is over."""
    thawed = False
    """Whether IRIS has said that it runs again."""

    def __init__(
        self, api: Api, settings: Settings, pod: dict[str, Any], tick: Callable[[], None]
    ) -> None:
        self._api = api
        self._settings = settings
        self._pod = settings.path("pods", pod["metadata"]["name"])
        self._container = container_of(pod, settings)
        self._tick = tick
        self._session: Session | None = None
        self._began = 0.0

    def __enter__(self) -> Freeze:
        limit, patience = self._settings.freeze_seconds, self._settings.patience
        self._session = self._begin("hold", str(limit), str(patience))
        try:
            # The marker and a thaw of what was left over come before.
            said = self._wait("frozen", "refused", seconds=limit + 60)
            if not said.startswith("frozen"):
                raise Refused(said.partition(" ")[2])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._session is not None
        try:
            if not self.thawed:
                self._session.send("thaw")
                self.thawed = self._wait("thawed", "stuck", seconds=60) == "thawed"
        except (ApiError, Refused) as error:
            print(f"the freeze ended without an answer: {error}", flush=True)
        finally:
            self._session.close()
        if not self.thawed:
            self._insist()
        if self._began:
            self.seconds = time.monotonic() - self._began

    def renew(self) -> None:
        """Say that the job lives."""
        assert self._session is not None
        self._session.send("renew")
        self._tick()

    def held(self) -> bool:
        """Whether the write daemon is suspended at this moment.

        Raises:
            ApiError, Refused: nobody answers.
        """
        assert self._session is not None
        self._session.send("check")
        return self._wait("held", "lapsed", seconds=40) == "held"

    def _begin(self, *words: str) -> Session:
        command = ["bash", "-c", freeze_program(), "freeze", *words]
        return start(self._api, self._pod, container=self._container, command=command)

    def _wait(self, *words: str, seconds: float) -> str:
        """The line that begins with one of the words."""
        assert self._session is not None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line = self._session.line(self._settings.tick)
            if line is None:
                if self._session.ended:
                    break
                self.renew()
                continue
            first, _, rest = line.partition(" ")
            if first == "marked":
                self.marker = rest
                self._began = time.monotonic()
            self.leftover |= first == "leftover"
            if first in words:
                return line
        why = self._session.errors.strip() or f"no answer from {self._pod} within {seconds:g} s"
        raise Refused(why)

    def _insist(self) -> None:
        """Have it thawed anew, until IRIS says so or resumes by itself in any case."""
        deadline = time.monotonic() + self._settings.freeze_seconds + 30
        while time.monotonic() < deadline:
            try:
                session = self._begin("thaw")
                # An IRIS that answers nothing is asked for minutes: one at a time.
                said = session.line(deadline - time.monotonic()) or ""
                session.close()
                print(f"asked again to thaw: {said or 'no answer'}", flush=True)
                if "not frozen" in said or "is thawed" in said:
                    self.thawed = True
                    return
            except ApiError as error:
                print(f"IRIS cannot be asked whether it is thawed: {error}", flush=True)
            time.sleep(self._settings.tick)


def container_of(pod: dict[str, Any], settings: Settings) -> str:
    """Name of the container that runs IRIS."""
    names = [container["name"] for container in pod["spec"]["containers"]]
    return settings.container if settings.container in names else names[0]


def claims_of(pod: dict[str, Any]) -> list[str]:
    """Names of the claims that a pod mounts, those of its ephemeral volumes too."""
    # Journals of another time, which a person replays, are no part of the database.
    volumes = [v for v in pod["spec"].get("volumes", []) if v["name"] != "replay"]
    named = [
        v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v
    ]
    return named + [f"{pod['metadata']['name']}-{v['name']}" for v in volumes if "ephemeral" in v]
