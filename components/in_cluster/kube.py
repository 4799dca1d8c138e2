"""The Kubernetes API with the standard library, for programs that run in a pod."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT = 5.0
"""Seconds for one answer of the API server.

Several of them pass while IRIS is frozen, and a fence's lease of 15 s must bear two.
"""


class ApiError(Exception):
    """The API server said no, or nothing: ``status`` is 0 where there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server, as this pod's service account."""

    def __init__(self, url: str, *, token: Path, ca: Path | None) -> None:
        self.url = urlsplit(url)
        self._token = token
        self._tls = _trusting(ca) if ca else None

    @classmethod
    def of_this_pod(cls) -> Api:
        """The one that Kubernetes names to every pod; HA_IRIS_API points elsewhere."""
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        host = f"[{host}]" if ":" in host else host
        account = Path(os.environ.get("HA_IRIS_ACCOUNT", ACCOUNT))
        url = os.environ.get("HA_IRIS_API", f"https://{host}:{port}")
        tls = url.startswith("https:")
        return cls(url, token=account / "token", ca=account / "ca.crt" if tls else None)

    def request(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json"
    ) -> Any:
        """One request; gives the answer as data.

        Raises:
            ApiError: it was refused, or nobody answered within TIMEOUT.
        """
        headers = {"Authorization": f"Bearer {self.bearer()}", "Accept": "application/json"}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body), kind
        connection = self.connect()
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            raise ApiError(0, f"the API server does not answer: {error!r}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiError(answer.status, f"{method} {path}: {answer.status} {message(text)}")
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise ApiError(0, f"{method} {path}: no JSON: {text[:300]}") from error

    def get(self, path: str, **query: str) -> Any:
        """An object, or a list of them."""
        return self.request("GET", f"{path}?{urlencode(query)}" if query else path)

    def create(self, path: str, item: Mapping[str, Any]) -> Any:
        """Create an object."""
        return self.request("POST", path, item)

    def replace(self, path: str, item: Mapping[str, Any]) -> Any:
        """Write a whole object, if it is still the one that was read."""
        return self.request("PUT", path, item)

    def merge(self, path: str, changes: Mapping[str, Any]) -> Any:
        """Change parts of an object."""
        return self.request("PATCH", path, changes, kind="application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone is fine."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.status != 404:
                raise

    def delete_at_once(self, path: str, *, uid: str) -> None:
        """Delete a pod without its kubelet's word; one that is gone, or replaced, is fine."""
        try:
            self.request("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def bearer(self) -> str:
        """The account's token of this moment: the kubelet replaces it."""
        return self._token.read_text().strip()

    def connect(self) -> http.client.HTTPConnection:
        """A connection for one request."""
        host, port = self.url.hostname or "", self.url.port
        if self._tls:
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)


def _trusting(ca: Path) -> ssl.SSLContext:
    """Trust the cluster's own authority, as every client of Kubernetes does.

    Python 3.13 and newer also refuse certificates without key identifiers, which EKS has given to
    clusters (tomplus/kubernetes_asyncio#349): authority, dates and name are still checked.
    """
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def message(text: str) -> str:
    """What a refusal of the API server says."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
