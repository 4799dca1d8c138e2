"""Where the journals of a database are, and what a change of that does to the ones there are."""

from collections.abc import Mapping

from components.iris.journal_settings import JournalSettings

JOURNALS = "ha-iris/journals"
"""Annotation of the namespace; without it journals lie beside the databases."""

OWN, GIVEN_UP = "own-volume", "volume-given-up"


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
