"""One cluster, reached through a kubeconfig.

The official client would do, and its models of every kind take most of a second to import: each
operation on a stack would wait for them, and objects are dicts here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

from lab.plugins.kubernetes.kubeconfig import Server, own_folder

Object = dict[str, Any]
APPLY = "application/apply-patch+yaml"
"""Server-side apply; JSON is YAML too."""


class Refused(Exception):
    """The API server said no, or does not know the kind; the message is its own."""

    def __init__(self, message: str, *, not_found: bool = False) -> None:
        super().__init__(message)
        self.not_found = not_found


class Cluster:
    """Reads and writes objects that are dicts like their YAML."""

    def __init__(self, kubeconfig: Object, context: str | None) -> None:
        """Take a kubeconfig's content; nothing is asked of the cluster yet.

        Raises:
            ValueError: it is no kubeconfig.
        """
        if not isinstance(kubeconfig, dict) or "clusters" not in kubeconfig:
            raise ValueError("no kubeconfig")
        self._document = {**kubeconfig, **({"current-context": context} if context else {})}
        self._discovery = threading.Lock()
        self._kinds: dict[str, dict[str, Object]] = {}

    def get(self, thing: Object, *, must_be: bool = False) -> Object | None:
        """The live object of the same kind and name; None without one, unless there must be."""
        try:
            return self._send("GET", thing)
        except Refused as refused:
            if must_be or not refused.not_found:
                raise
            return None

    def apply(
        self, thing: Object, *, manager: str, force: bool = False, dry_run: bool = False
    ) -> Object:
        """Server-side apply; returns the object as the server then has it.

        Raises:
            Refused: validation, admission or another field manager stands against it.
        """
        options = {"fieldManager": manager, "force": "true" if force else "false"}
        if dry_run:
            options["dryRun"] = "All"
        return self._send("PATCH", thing, body=thing, options=options, content=APPLY)

    def delete(self, thing: Object, *, propagation: str = "Foreground") -> None:
        """Ask for deletion; in the foreground it is over when ``get`` gives None."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        try:
            self._send("DELETE", thing, body=options)
        except Refused as refused:
            if not refused.not_found:
                raise

    def list(
        self, api_version: str, kind: str, namespace: str, selector: str = "", *, fields: str = ""
    ) -> list[Object]:
        """The objects of a kind in a namespace, by labels and fields."""
        options = {"labelSelector": selector, "fieldSelector": fields}
        path = self._path(api_version, kind, namespace)
        found = self._ask("GET", f"{path}?{urlencode(options)}")["items"]
        # The items of a list come without it.
        return [{**item, "apiVersion": api_version, "kind": kind} for item in found]

    @contextmanager
    def kubeconfig_file(self) -> Iterator[Path]:
        """The kubeconfig as a file for the time of one command, readable by its owner only."""
        with NamedTemporaryFile("w", dir=own_folder()) as file:
            yaml.safe_dump(self._document, file)
            file.flush()
            yield Path(file.name)

    def _send(
        self,
        method: str,
        thing: Object,
        *,
        body: Object | None = None,
        options: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> Object:
        metadata = thing["metadata"]
        path = self._path(thing["apiVersion"], thing["kind"], metadata.get("namespace"))
        query = f"?{urlencode(options)}" if options else ""
        return self._ask(method, f"{path}/{metadata['name']}{query}", body, content)

    def _path(self, api_version: str, kind: str, namespace: str | None) -> str:
        """Where the API server keeps objects of a kind, in a namespace if the kind has them."""
        group = _group(api_version)
        with self._discovery:
            # A CRD may come later than the first look at its group.
            if kind not in self._kinds.get(api_version, {}):
                self._kinds[api_version] = self._discover(group)
            found = self._kinds[api_version].get(kind)
        if found is None:
            raise Refused(f"the cluster knows no kind {kind} in {api_version}", not_found=True)
        if found["namespaced"] and namespace:
            group = f"{group}/namespaces/{namespace}"
        return f"{group}/{found['name']}"

    def _discover(self, group: str) -> dict[str, Object]:
        """The kinds of a group by name, subresources such as ``pods/log`` left out."""
        try:
            resources = self._ask("GET", group)["resources"]
        except Refused as refused:
            if refused.not_found:
                return {}
            raise
        return {item["kind"]: item for item in resources if "/" not in item["name"]}

    def _ask(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content: str = "application/json",
    ) -> Object:
        try:
            status, answer = self._server.ask(
                method, path, body=None if body is None else json.dumps(body), content=content
            )
        except urllib3.exceptions.HTTPError as error:
            raise Refused(f"the cluster cannot be reached: {error}") from None
        if status >= 400:
            raise Refused(_said(status, answer), not_found=status == 404)
        return json.loads(answer)

    @cached_property
    def _server(self) -> Server:
        try:
            return Server(self._document)
        except (OSError, ValueError) as error:
            raise Refused(f"the cluster cannot be reached: {error}") from None


def _group(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _said(status: int, answer: bytes) -> str:
    try:
        return json.loads(answer)["message"]
    except (ValueError, KeyError, TypeError):
        return f"{status} {answer.decode(errors='replace')[:400]}"
