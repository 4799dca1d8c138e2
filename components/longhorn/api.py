"""One look at a cluster's Longhorn, through the Kubernetes API."""

from collections.abc import Callable
from typing import Any

from components.kubernetes_api import Unreachable, connect
from components.longhorn.health import State

__all__ = ["Unreachable", "Unreadable", "look", "read"]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DRIVER = "/apis/storage.k8s.io/v1/csidrivers/driver.longhorn.io"
VERSION = "v1beta2"
"""Of Longhorn's objects, as this program reads them. 1.12 stores and serves no other one."""

Get = Callable[[str], dict[str, Any] | None]
"""The object at a path of the API; None where there is none."""


class Unreadable(Exception):
    """Longhorn is there and says things that this program does not know. Waiting is no cure."""


def look(kubeconfig: str) -> State | None:
    """What Longhorn's objects say now; None where Longhorn is not installed.

    Raises:
        Unreachable: the cluster gave no answer.
        Unreadable: it serves other versions of Longhorn's objects.
    """
    with connect(kubeconfig) as api:
        return read(api.get)


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
