"""The Kubernetes API with the standard library."""

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
TIMEOUT = 4.0
"""Seconds for one answer: a control plane that takes longer is in doubt."""


class ApiError(Exception):
    """The API server said no, or nothing: ``status`` is 0 where there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server, as this pod's service account."""

    def __init__(self, url: str, *, token: Path, ca: Path | None) -> None:
        self._url = urlsplit(url)
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(ca)) if ca else None

    @classmethod
    def of_this_pod(cls) -> Api:
        """The one that Kubernetes names to every pod; HA_IRIS_API points elsewhere."""
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
        account = Path(os.environ.get("HA_IRIS_ACCOUNT", ACCOUNT))
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        url = os.environ.get("HA_IRIS_API", f"https://{where}")
        tls = url.startswith("https:")
        return cls(url, token=account / "token", ca=account / "ca.crt" if tls else None)

    def request(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json"
    ) -> Any:
        """One request; gives the answer as data.

        Raises:
            ApiError: it was refused, or nobody answered within TIMEOUT.
        """
        bearer = self._token.read_text().strip()  # the kubelet replaces it
        headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body), kind
        host, port = self._url.hostname or "", self._url.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        )
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, f"the API server does not answer: {error!r}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise ApiError(answer.status, f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text) if text else None

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

    def delete(self, path: str, *, uid: str) -> None:
        """Delete an object at once, without the kubelet's word; one that is gone is fine."""
        try:
            self.request("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
        except ApiError as error:
            if error.status not in (404, 409):
                raise
