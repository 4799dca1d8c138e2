"""One look at a cluster's Longhorn, through the Kubernetes API."""

import json
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from components.longhorn.health import State

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DRIVER = "/apis/storage.k8s.io/v1/csidrivers/driver.longhorn.io"
VERSION = "v1beta2"
"""Of Longhorn's objects, as this program reads them. 1.12 stores and serves no other one."""
SECONDS = (10, 30)
"""For a connection, and for an answer."""

Get = Callable[[str], dict[str, Any] | None]
"""The object at a path of the API; None where there is none."""


class Unreachable(Exception):
    """The cluster does not answer, or not this user. It may do so in a minute."""


class Unreadable(Exception):
    """Longhorn is there and says things that this program does not know. Waiting is no cure."""


def look(kubeconfig: str) -> State | None:
    """What Longhorn's objects say now; None where Longhorn is not installed.

    Logs in anew each time, as the tokens of the clouds' login programs last for minutes.

    Raises:
        Unreachable: the cluster gave no answer.
        Unreadable: it serves other versions of Longhorn's objects.
    """
    # Loads in half a second, and most runs need it never.
    import urllib3
    from kubernetes import client, config

    document = yaml.safe_load(kubeconfig)
    # Python's TLS reads keys from files alone: these are nobody else's, and gone after the look.
    with TemporaryDirectory(prefix="ha-iris-") as folder:
        try:
            api = config.new_client_from_config_dict(
                document, persist_config=False, temp_file_path=folder
            )
            if not _logs_in(document, api.configuration):
                raise Unreachable("its login program gave no token and no certificate")
            with api:
                return read(lambda path: _get(api, path))
        except (OSError, urllib3.exceptions.HTTPError, config.ConfigException) as error:
            raise Unreachable(str(error)) from None
        except client.ApiException as error:
            # Its text has the answer's headers and body.
            raise Unreachable(f"{error.status} {error.reason}") from None


def read(get: Get) -> State | None:
    """What Longhorn's objects say; None where Longhorn is not installed.

    Asked for are the definitions themselves: an API server that has just started says of kinds
    that it does not know them yet.

    Raises:
        Unreachable: the API server does not serve yet what is defined.
        Unreadable: they are of another version, or the driver is there without them.
    """
    definition = get(f"{DEFINITIONS}/volumes.longhorn.io")
    if definition is None:
        if get(DRIVER) is None:
            return None
        raise Unreadable("Longhorn's driver is there, and volumes.longhorn.io is not")
    served = [one["name"] for one in definition["spec"]["versions"] if one["served"]]
    if VERSION not in served:
        raise Unreadable(
            f"Longhorn serves its volumes as {', '.join(served) or 'nothing'}, "
            f"and this program reads {VERSION}"
        )

    def items(path: str) -> list[dict[str, Any]]:
        found = get(path)
        if found is None:
            raise Unreachable(f"it does not know {path} yet")
        return found["items"]

    return State(
        volumes=items(f"/apis/longhorn.io/{VERSION}/volumes"),
        engines=items(f"/apis/longhorn.io/{VERSION}/engines"),
        replicas=items(f"/apis/longhorn.io/{VERSION}/replicas"),
        storage_nodes=items(f"/apis/longhorn.io/{VERSION}/nodes"),
        nodes=items("/api/v1/nodes"),
    )


def _logs_in(document: dict[str, Any], configuration: Any) -> bool:
    """Whether a login program, if there is one, gave something to log in with.

    The client logs a failure of the program and goes on as nobody.
    """
    programs = [user for user in document["users"] if "exec" in (user.get("user") or {})]
    return not programs or bool(configuration.api_key or configuration.cert_file)


def _get(api: Any, path: str) -> dict[str, Any] | None:
    from kubernetes import client

    try:
        answer = api.call_api(
            path,
            "GET",
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=SECONDS,
        )
    except client.ApiException as error:
        if error.status == 404:
            return None
        raise
    return json.loads(answer.data)
