"""A plain door to the lab's API server: objects are dicts that read like their YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import urllib3
import yaml

from lab.home import LabHome

MERGE_PATCH = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused a request; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests as the lab's administrator, verified against the lab's own certificate authority."""

    def __init__(self, home: LabHome, url: str | None = None) -> None:
        """Connect to `url`, or to the server that the lab's kubeconfig names.

        Raises:
            OSError: there is no kubeconfig or no certificate yet.
        """
        if url is None:
            config = yaml.safe_load(home.kubeconfig.read_text())
            url = str(config["clusters"][0]["cluster"]["server"])
        self.url = url
        pki = home.cluster / "pki"
        self._pool = urllib3.PoolManager(
            maxsize=24,
            retries=False,
            ca_certs=str(pki / "ca.crt"),
            cert_file=str(pki / "admin.crt"),
            key_file=str(pki / "admin.key"),
        )

    def request(self, method: str, path: str, body: object = None) -> Any:
        """One request; PATCH is a JSON merge patch.

        Raises:
            ApiError: the server answered with 400 or above.
            urllib3.exceptions.HTTPError: the server cannot be reached.
        """
        answer = self._pool.request(
            method,
            self.url + path,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": MERGE_PATCH if method == "PATCH" else "application/json"},
            timeout=urllib3.Timeout(connect=2, read=10),
        )
        if answer.status >= 400:
            raise ApiError(answer.status, answer.data.decode(errors="replace")[:400])
        if "json" in answer.headers.get("Content-Type", ""):
            return json.loads(answer.data)
        return answer.data.decode()

    def watch(self, path: str, resource_version: str) -> Iterator[dict[str, Any]]:
        """Changes after `resource_version`, until the server closes the watch (within 5 min).

        Raises:
            ApiError: the version is too old (410); list again.
            urllib3.exceptions.HTTPError: the connection broke; list again.
        """
        answer = self._pool.request(
            "GET",
            f"{self.url}{path}?watch=true&timeoutSeconds=300&resourceVersion={resource_version}",
            preload_content=False,
            timeout=urllib3.Timeout(connect=2, read=310),
        )
        try:
            if answer.status >= 400:
                raise ApiError(answer.status, answer.read().decode(errors="replace")[:400])
            rest = b""
            for chunk in answer.stream(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(int(event["object"].get("code", 500)), str(event["object"]))
                    yield event
        finally:
            answer.close()
