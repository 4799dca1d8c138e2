"""A cluster's API as this program asks it while it runs, outside of any resource."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import yaml

SECONDS = (10, 30)
"""For a connection, and for an answer."""


class Unreachable(Exception):
    """The cluster does not answer, or not this user. It may do so in a minute."""


class Api(Protocol):
    """What may be asked; paths as in /api/v1/nodes."""

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at a path; None where there is none."""
        ...

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object after a JSON merge patch."""
        ...

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object that was created."""
        ...

    def log(self, path: str) -> str:
        """The log of a container, at the path of its pod's log; empty where there is none."""
        ...


@contextmanager
def connect(kubeconfig: str) -> Iterator[Api]:
    """The API of a cluster, for a moment: the tokens of the clouds' login programs last minutes.

    Raises:
        Unreachable: the cluster gave no answer, or refused.
    """
    # Loads in half a second, and most runs need it never.
    import urllib3
    from kubernetes import client, config

    document = yaml.safe_load(kubeconfig)
    # Python's TLS reads keys from files alone: these are nobody else's, and gone afterwards.
    with TemporaryDirectory(prefix="ha-iris-") as folder:
        try:
            api = config.new_client_from_config_dict(
                _in_files(document, Path(folder)), persist_config=False, temp_file_path=folder
            )
            if not _logs_in(document, api.configuration):
                raise Unreachable("its login program gave no token and no certificate")
            with api:
                yield _Client(api)
        except (OSError, urllib3.exceptions.HTTPError, config.ConfigException) as error:
            raise Unreachable(str(error)) from None
        except client.ApiException as error:
            # Its text has the answer's headers and body.
            raise Unreachable(f"{error.status} {error.reason}") from None


def _in_files(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The kubeconfig with its certificates and keys in files of this folder.

    The client's own files are by content: two connections at a time would share them, and the
    one that ends first would take them away from the other.
    """
    parts = [entry.get("cluster") for entry in document.get("clusters") or []]
    parts += [entry.get("user") for entry in document.get("users") or []]
    for number, part in enumerate(parts):
        for key in ("certificate-authority", "client-certificate", "client-key"):
            if data := (part or {}).pop(f"{key}-data", None):
                file = folder / f"{number}-{key}"
                file.write_bytes(base64.b64decode(data))
                part[key] = str(file)
    return document


def _logs_in(document: dict[str, Any], configuration: Any) -> bool:
    """Whether a login program, if there is one, gave something to log in with.

    The client logs a failure of the program and goes on as nobody.
    """
    programs = [user for user in document["users"] if "exec" in (user.get("user") or {})]
    return not programs or bool(configuration.api_key or configuration.cert_file)


class _Client:
    def __init__(self, api: Any) -> None:
        self._api = api

    def get(self, path: str) -> dict[str, Any] | None:
        from kubernetes import client

        try:
            return self._call("GET", path)
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("PATCH", path, body, "application/merge-patch+json")

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, body, "application/json")

    def log(self, path: str) -> str:
        from kubernetes import client

        try:
            return self._send("GET", path, None, {"Accept": "*/*"}).decode(errors="replace")
        except client.ApiException:
            return ""

    def _call(
        self, verb: str, path: str, body: Mapping[str, Any] | None = None, kind: str = ""
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", **({"Content-Type": kind} if kind else {})}
        return json.loads(self._send(verb, path, body, headers))

    def _send(
        self, verb: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> bytes:
        address, _, query = path.partition("?")
        return self._api.call_api(
            address,
            verb,
            query_params=[tuple(part.split("=", 1)) for part in query.split("&") if part],
            header_params=dict(headers),
            body=dict(body) if body else None,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=SECONDS,
        ).data
