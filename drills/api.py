"""A plain door to a cluster's API server: objects are dicts that read like their YAML."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL
from websocket import WebSocketException

SECONDS = (5, 30)
"""For a connection, and for an answer."""
WATCH_SECONDS = 20
"""A watch without news is begun anew after this: a connection may be cut without a word."""
MERGE = "application/merge-patch+json"


class Refused(Exception):
    """The API server refused a request; `status` is its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status


@dataclass(frozen=True)
class Told:
    """What came of a command in a container."""

    output: str
    """What it printed, errors among it."""
    code: int | None
    """What it ended with; None: the connection has ended without a word of that."""


UNREACHABLE = (urllib3.exceptions.HTTPError, OSError)
"""What a request raises while the API server is away."""


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Readable by nobody else, and gone with this process."""
    return tempfile.TemporaryDirectory(prefix="ha-iris-")


class Api:
    """Requests as the user of a kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        """Log in as the kubeconfig's text says."""
        # Python's TLS reads keys from files alone, and the client keeps one for all that have it.
        self._client: Any = config.new_client_from_config_dict(
            yaml.safe_load(kubeconfig), persist_config=False, temp_file_path=_folder().name
        )

    @classmethod
    def of_file(cls, path: Path) -> Api:
        """Log in as a kubeconfig file says."""
        return cls(path.read_text())

    def get(self, path: str) -> dict[str, Any]:
        """An object, or a list of them.

        Raises:
            Refused: it is not there, or not for this user.
        """
        return self.request("GET", path)

    def items(self, path: str, **options: str) -> list[dict[str, Any]]:
        """The objects of a list; options such as labelSelector."""
        return self.request("GET", path, query=options)["items"]

    def request(
        self, method: str, path: str, body: object = None, *, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """One request; PATCH is a JSON merge patch.

        Raises:
            Refused: the server answered with 400 or above.
            urllib3.exceptions.HTTPError, OSError: it cannot be reached.
        """
        answer = self._call(method, path, body, query or {}, SECONDS)
        return json.loads(answer.data)

    def watch(self, path: str, resource_version: str, **options: str) -> Iterator[dict[str, Any]]:
        """Changes after a version, until the server ends it or there is no news for a while.

        Raises:
            Refused: the version is too old; list again.
            urllib3.exceptions.HTTPError, OSError: the connection broke; list again.
        """
        query = {**options, "watch": "true", "resourceVersion": resource_version}
        answer = self._call("GET", path, None, query, (SECONDS[0], WATCH_SECONDS))
        try:
            rest = b""
            for chunk in answer.stream(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        found = event["object"]
                        raise Refused(int(found.get("code", 500)), str(found.get("message")))
                    yield event
        finally:
            answer.close()

    def execute(
        self, namespace: str, pod: str, container: str, command: Sequence[str], seconds: float = 300
    ) -> Told:
        """Run a command in a container, for so many seconds at most.

        Raises:
            Refused: it cannot be run there.
            TimeoutError: it has not ended in this time, and may go on.
        """
        # While it connects, the client takes no other requests: what watches has one of its own.
        core: Any = client.CoreV1Api(client.ApiClient(self._client.configuration))
        run: Any = stream
        try:
            held = run(
                core.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                container=container,
                command=list(command),
                stdout=True,
                stderr=True,
                stdin=False,
                tty=False,
                _preload_content=False,
            )
        except client.ApiException as error:
            raise Refused(error.status or 0, str(error.reason)) from None
        return _listen(held, seconds, f"{namespace}/{pod}")

    def _call(
        self,
        method: str,
        path: str,
        body: object,
        query: dict[str, str],
        seconds: tuple[float, float],
    ) -> Any:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = MERGE if method == "PATCH" else "application/json"
        try:
            return self._client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=seconds,
            )
        except client.ApiException as error:
            raise Refused(error.status or 0, f"{error.reason}, {method} {path}") from None


def _listen(held: Any, seconds: float, pod: str) -> Told:
    """All that a command says until its connection ends."""
    try:
        try:
            held.run_forever(timeout=seconds)
        except (WebSocketException, OSError):  # cut in the middle
            return Told(held.read_all(), None)
        if held.is_open():
            raise TimeoutError(f"a command in {pod} has not ended after {seconds:g} s")
        status = yaml.safe_load(held.read_channel(ERROR_CHANNEL)) or {}
        return Told(held.read_all(), _code(status))
    finally:
        held.close()


def _code(status: dict[str, Any]) -> int | None:
    """Exit code in the Status with which the kubelet ends a command."""
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    return None
