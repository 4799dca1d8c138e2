"""What of a database is in the cluster already when a volume of it is to be filled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.iris.restore.check import Unfit
from components.iris.restore.source_settings import SourceSettings
from components.kubernetes_api import Api

FILLED_FROM = "ha-iris/filled-from"
"""Annotation of a claim: what its volume was filled from."""

SELECTED = "volume.kubernetes.io/selected-node"
"""Annotation of a claim whose volume waits for a pod: that pod had a node, and so all its claims
were there (Kubernetes, "Well-Known Labels, Annotations and Taints")."""


@dataclass(frozen=True)
class Claims:
    """A claim that is to be made, and those that belong to it."""

    claim: str
    """Its name."""

    beside: Sequence[str] = ()
    """The others of the same database and the same iris.volume."""

    earlier: Sequence[str] = ()
    """What held the same with the numbers before, the newest first."""


def in_the_way(
    api: Api, claims: Claims, source: SourceSettings, *, namespace: str, volume: int
) -> list[str]:
    """What a person should know of claims that are there, where one is to be made.

    Args:
        api: of the cluster.
        claims: the one that is to be made, and those beside it.
        source: what that one is to be filled from.
        namespace: of the claims.
        volume: their number.

    Raises:
        Unfit: it is there with something else on it, and nothing is written over; or it is not,
            and IRIS has had one beside it, which goes on from another moment.
    """
    name = claims.claim
    if found := _claim(api, name, namespace):
        if _filled_from(found) != source.told():
            raise Unfit(
                f"claim {name} is there, with what was written on it, and only a new one is "
                f"filled; set ha-iris:iris.volume to {volume + 1}, which leaves it, or drop "
                "restore for it"
            )
        # One without a volume is of an update that was killed, and is yet to be filled.
        if (found.get("status") or {}).get("phase") != "Bound":
            return []
        return [
            f"Claim {name} is there and is taken as it is: it was filled from {source.told()} "
            "when it was made, and has what was written on it since. Where that is not wanted, "
            f"set ha-iris:iris.volume to {volume + 1}."
        ]
    for other in claims.beside:
        if _has_been_used(_claim(api, other, namespace)):
            raise Unfit(
                f"claim {name} is not there, and {other}, of the same database, is, with what was "
                f"written on it since: what {name} would be filled with is of another moment; set "
                f"ha-iris:iris.volume to {volume + 1}, which leaves {other} and fills all of them"
            )
    return []


def begun_before(api: Api, claims: Claims, source: SourceSettings, *, namespace: str) -> list[str]:
    """What to know of a source that the volume before this one began with, too."""
    found = {name: _claim(api, name, namespace) for name in claims.earlier}
    before = next((name for name, claim in found.items() if claim), None)
    if before is None or _filled_from(found[before]) != source.told():
        return []
    return [
        f"Claim {before} was begun from {source.told()} already, and {claims.claim} will begin "
        f"there once more: what was committed on {before} since stays behind on it. To go on "
        f"with that, name claim: {before} in ha-iris:iris.restore."
    ]


def _claim(api: Api, name: str, namespace: str) -> dict[str, Any] | None:
    return api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")


def _annotations(claim: dict[str, Any] | None) -> dict[str, str]:
    return ((claim or {}).get("metadata") or {}).get("annotations") or {}


def _filled_from(claim: dict[str, Any] | None) -> str:
    return _annotations(claim).get(FILLED_FROM, "")


def _has_been_used(claim: dict[str, Any] | None) -> bool:
    """Whether a pod had it; of a class that makes its volumes at once nobody can tell."""
    phase = ((claim or {}).get("status") or {}).get("phase")
    return phase == "Bound" and SELECTED in _annotations(claim)
