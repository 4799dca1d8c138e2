"""Where the journals of a database are, and what a change of that does to the ones there are."""

from collections.abc import Callable, Mapping
from typing import Any

from components.iris.journal_settings import JournalSettings
from components.iris.restore.source import DRIVER

JOURNALS = "ha-iris/journals"
"""Annotation of the namespace; without it journals lie beside the databases."""

OWN, GIVEN_UP = "own-volume", "volume-given-up"

CLAIMS = ("iris-journals", "journals-")
"""How the names of their claims begin, in each form."""

Get = Callable[[str], dict[str, Any] | None]


def journal_marks(journals: JournalSettings) -> dict[str, str]:
    """The annotation that tells the next run of the program."""
    if journals.volume_gib is None:
        return {}
    return {JOURNALS: OWN if journals.in_use else GIVEN_UP}


def journals_left_behind(before: Mapping[str, str], after: Mapping[str, str]) -> str | None:
    """Why IRIS would lose the journals that it needs; None if it does not."""
    if before.get(JOURNALS) != OWN or after.get(JOURNALS):
        return None
    return (
        "ha-iris:iris.journals.volumeGib is gone, and IRIS's journals are on that volume: it could "
        "neither journal nor roll back or recover what is open; set volumeGib again with "
        "journals.inUse false, which begins new ones beside the databases, and drop it once the "
        "last one there has been purged (docs/journals.md, The way back)"
    )


def ever_written(get: Get, namespace: str) -> bool:
    """Whether a volume of journals was ever there: a claim that was bound is never Pending again.

    Args:
        get: gives a cluster's answer at a path.
        namespace: of the claims.
    """
    found = get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims") or {}
    return any(
        claim["status"].get("phase") != "Pending"
        for claim in found.get("items", [])
        if claim["metadata"]["name"].startswith(CLAIMS)
    )


def unfit_class(get: Get, name: str, *, beside_longhorn: bool) -> str | None:
    """Why no volume of journals can be of a class, None if it can.

    IRIS would be stopped, and its pod wait for that volume for ever.

    Args:
        get: gives a cluster's answer at a path.
        name: of the class.
        beside_longhorn: whether the databases are on Longhorn, and so cut with the journals.
    """
    found = get(f"/apis/storage.k8s.io/v1/storageclasses/{name}")
    if found is None:
        fault = "there is no such StorageClass, and IRIS would wait for its volume for ever"
    elif beside_longhorn and found["provisioner"] != DRIVER:
        fault = (
            f"that class is {found['provisioner']}'s, and a backup cuts journals and databases at "
            "once, by Longhorn"
        )
    elif not found.get("allowVolumeExpansion"):
        fault = "that class says no allowVolumeExpansion, and a full volume could not grow"
    else:
        return None
    return (
        f"ha-iris:iris.journals.storageClass is {name}: {fault}; name a class of Longhorn's "
        "(`kubectl get storageclasses`), or drop it (docs/journals.md, A volume of their own)"
    )


def journals_move(
    before: Mapping[str, str], after: Mapping[str, str], *, stateful: bool
) -> str | None:
    """What becomes of the journals that there are; None where they stay where they are."""
    old, new = before.get(JOURNALS), after.get(JOURNALS)
    if old == new:
        return None
    if new is None:
        return (
            "The volume of journals is given up. Pulumi refuses to delete its protected claim; "
            "docs/journals.md, The way back, says how it goes."
        )
    where = "on their own volume" if new == OWN else "beside the databases"
    told = (
        f"IRIS restarts and begins its journals {where}. The old ones stay where they are, mounted "
        "as before, until it purges them."
    )
    if old is None and stateful:
        told += " The StatefulSet is replaced, so all its instances stop at once."
    return told
