"""The API server that a kubeconfig names, and who asks there."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

RETRY = urllib3.Retry(
    total=10,
    backoff_factor=0.1,
    backoff_max=5,
    status_forcelist=[429, 502, 503, 504],
    allowed_methods=None,
    raise_on_status=False,
)
"""An API server that restarts is met again within half a minute. Every write is repeatable."""
CLUSTER = {"server", "certificate-authority", "certificate-authority-data"}
USER = {
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
}


class Server:
    """An API server, asked as the user of the kubeconfig's current context."""

    def __init__(self, kubeconfig: Mapping[str, Any]) -> None:
        """Read the certificates; nothing is asked of the cluster yet.

        Raises:
            ValueError: the kubeconfig names what is not in it, or something that is not known here.
        """
        context = _named(kubeconfig, "context", kubeconfig.get("current-context"))
        cluster = _named(kubeconfig, "cluster", context.get("cluster"))
        user = _named(kubeconfig, "user", context.get("user"))
        if unknown := {*cluster} - CLUSTER | {*user} - USER:
            raise ValueError(f"the lab's kubeconfigs have no {', '.join(sorted(unknown))}")
        self._url = cluster["server"].rstrip("/")
        self._headers = {"Accept": "application/json"}
        if token := user.get("token"):
            self._headers["Authorization"] = f"Bearer {token}"
        self._pool = urllib3.PoolManager(ssl_context=_tls(cluster, user), maxsize=16, retries=RETRY)

    def ask(self, method: str, path: str, *, body: str | None, content: str) -> tuple[int, bytes]:
        """Status and content of the answer to one request.

        Raises:
            urllib3.exceptions.HTTPError: the server cannot be reached.
        """
        headers = self._headers if body is None else {**self._headers, "Content-Type": content}
        answer = self._pool.request(method, self._url + path, body=body, headers=headers)
        return answer.status, answer.data


def own_folder() -> Path | None:
    """The lab's own Pulumi home: what lies there for a moment is its owner's alone."""
    home = os.environ.get("PULUMI_HOME")
    if home is None:
        return None
    Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(home)


def _named(kubeconfig: Mapping[str, Any], what: str, name: str | None) -> Mapping[str, Any]:
    for entry in kubeconfig.get(f"{what}s") or []:
        if entry.get("name") == name:
            return entry.get(what) or {}
    raise ValueError(f"the kubeconfig has no {what} {name}")


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    authority = _content(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if certificate and key:
        # Only files are taken, for a moment: none is left if this process is killed later.
        with TemporaryDirectory(dir=own_folder()) as folder:
            files = Path(folder, "certificate"), Path(folder, "key")
            for file, content in zip(files, (certificate, key), strict=True):
                file.write_bytes(content)
            context.load_cert_chain(*files)
    return context


def _content(entry: Mapping[str, Any], what: str) -> bytes | None:
    if data := entry.get(f"{what}-data"):
        return base64.b64decode(data)
    return Path(entry[what]).read_bytes() if what in entry else None
