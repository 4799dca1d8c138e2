"""One cluster, reached through a kubeconfig with the official client."""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import urllib3
import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config.kube_config import KubeConfigLoader
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError
from kubernetes.dynamic.resource import Resource

Object = dict[str, Any]

RETRY = urllib3.Retry(
    total=10,
    backoff_factor=0.1,
    backoff_max=5,
    status_forcelist=[429, 502, 503, 504],
    allowed_methods=None,
    raise_on_status=False,
)
"""An API server that restarts is met again within half a minute. Every write is repeatable."""


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

    def get(self, thing: Object, *, must_be: bool = False) -> Object | None:
        """The live object of the same kind and name; None without one, unless there must be."""
        try:
            return self._send("get", thing)
        except Refused as refused:
            if must_be:
                raise
            if refused.not_found:
                return None
            raise

    def apply(
        self, thing: Object, *, manager: str, force: bool = False, dry_run: bool = False
    ) -> Object:
        """Server-side apply; returns the object as the server then has it.

        Raises:
            Refused: validation, admission or another field manager stands against it.
        """
        options: dict[str, Any] = {"field_manager": manager, "force_conflicts": force}
        if dry_run:
            options["dry_run"] = "All"
        return self._send("server_side_apply", thing, body=thing, **options)

    def delete(self, thing: Object, *, propagation: str = "Foreground") -> None:
        """Ask for deletion; in the foreground it is over when ``get`` gives None."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        try:
            self._send("delete", thing, body=options)
        except Refused as refused:
            if not refused.not_found:
                raise

    def list(
        self, api_version: str, kind: str, namespace: str, selector: str = "", *, fields: str = ""
    ) -> list[Object]:
        """The objects of a kind in a namespace, by labels and fields."""
        options = {"label_selector": selector, "field_selector": fields}
        found = self._call(api_version, kind, "get", namespace=namespace, **options)["items"]
        # The items of a list come without it.
        return [{**item, "apiVersion": api_version, "kind": kind} for item in found]

    @contextmanager
    def kubeconfig_file(self) -> Iterator[Path]:
        """The kubeconfig as a file for the time of one command, readable by its owner only."""
        with NamedTemporaryFile("w", dir=_own_folder()) as file:
            yaml.safe_dump(self._document, file)
            file.flush()
            yield Path(file.name)

    def _send(self, verb: str, thing: Object, **options: Any) -> Object:
        metadata = thing["metadata"]
        place = {"name": metadata["name"], "namespace": metadata.get("namespace")}
        return self._call(thing["apiVersion"], thing["kind"], verb, **place, **options)

    def _call(self, api_version: str, kind: str, verb: str, **options: Any) -> Object:
        resource = self._resource(api_version, kind)
        try:
            return getattr(resource, verb)(**options).to_dict()
        except DynamicApiError as error:
            raise Refused(_said(error), not_found=error.status == 404) from None
        except urllib3.exceptions.HTTPError as error:
            raise Refused(f"the cluster cannot be reached: {error}") from None

    def _resource(self, api_version: str, kind: str) -> Resource:
        with self._discovery:
            try:
                return self._client.resources.get(api_version=api_version, kind=kind)
            except ResourceNotFoundError:
                # A CRD that came after discovery.
                self._client.resources.invalidate_cache()
            except urllib3.exceptions.HTTPError as error:
                raise Refused(f"the cluster cannot be reached: {error}") from None
            try:
                return self._client.resources.get(api_version=api_version, kind=kind)
            except ResourceNotFoundError:
                message = f"the cluster knows no kind {kind} in {api_version}"
                raise Refused(message, not_found=True) from None

    @cached_property
    def _client(self) -> DynamicClient:
        configuration = Configuration()
        # The client wants its certificates in files for as long as it lives. A context of our own
        # needs them for a moment, and none is left behind if this process is killed later.
        with TemporaryDirectory(dir=_own_folder()) as folder:
            loader = KubeConfigLoader(self._document, temp_file_path=folder)
            loader.load_and_set(configuration)
            context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
            if configuration.cert_file:
                context.load_cert_chain(configuration.cert_file, configuration.key_file)
        configuration.ssl_ca_cert = configuration.cert_file = configuration.key_file = None
        client = ApiClient(configuration)
        client.rest_client.pool_manager = urllib3.PoolManager(
            ssl_context=context, maxsize=16, retries=RETRY
        )
        # The folder is gone, so discovery is not kept for a later process: kinds come and go.
        return DynamicClient(client, cache_file=str(Path(folder) / "discovery"))


def _own_folder() -> Path | None:
    """The lab's own Pulumi home: what lies there for a moment is its owner's alone."""
    home = os.environ.get("PULUMI_HOME")
    if home is None:
        return None
    Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(home)


def _said(error: DynamicApiError) -> str:
    try:
        return json.loads(error.body)["message"]
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
