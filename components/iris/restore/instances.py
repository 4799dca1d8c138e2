"""What the volumes of each instance of a StatefulSet are filled from."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.iris.restore.source_settings import InstanceClaim, SourceSettings
from components.settings import Settings

Ordinal = Annotated[int, Field(ge=0, le=29)]
"""Number of an instance, as in iris-0."""


class InstanceSource(Settings):
    """What the volumes of one instance are filled from: sources that were cut in one freeze."""

    system: SourceSettings | None = None
    """Of the volume that has IRIS itself, and the journals unless they have their own."""

    databases: SourceSettings | None = None
    """Of the volume of databases, from the same run as system."""

    journals: SourceSettings | Literal["empty"] | None = None
    """Of the volume of journals, where they have one, from the same run; or empty, where the
    others are from a time when the journals were beside IRIS."""

    since_volume: int = Field(default=1, ge=1, le=99)
    """The first iris.volume that this instance has: that of the day on which it was added."""

    @model_validator(mode="after")
    def _is_all_of_an_instance(self) -> "InstanceSource":
        if (self.system is None) != (self.databases is None) or (self.journals and not self.system):
            missing = [name for name in ("system", "databases") if not getattr(self, name)]
            raise ValueError(
                "an instance is on several volumes, and none of them is of use without the "
                f"others; name {' and '.join(missing)} too, of the same run"
            )
        return self

    def of(self, volume: str) -> SourceSettings | None:
        """What the volume that holds that is filled from; None: it begins empty."""
        source = {"system": self.system, "databases": self.databases}.get(volume, self.journals)
        return source if isinstance(source, SourceSettings) else None

    def named(self) -> dict[str, SourceSettings]:
        """Sources by what the volumes hold that they fill."""
        found = {volume: self.of(volume) for volume in ("system", "databases", "journals")}
        return {volume: source for volume, source in found.items() if source}


def instances_fault(
    chosen: Mapping[int, InstanceSource], *, instances: int, volume: int
) -> str | None:
    """Why the instances of a StatefulSet cannot be filled so; None if they can.

    Args:
        chosen: what is filled, by the number of the instance; not empty.
        instances: how many there are.
        volume: number of the volumes in use.
    """
    if over := [ordinal for ordinal in chosen if ordinal >= instances]:
        return (
            f"{over[0]} is no instance: with iris.instances {instances} the last is "
            f"{instances - 1}; raise instances, or drop it here"
        )
    for ordinal in range(instances):
        one = chosen.get(ordinal, InstanceSource())
        if one.since_volume > volume:
            return (
                f"{ordinal}.sinceVolume is {one.since_volume}, and the volume in use is {volume}; "
                f"set it to {volume} or less"
            )
        if fault := _fault(ordinal, one, volume):
            return f"{ordinal} {fault}"
    return None


def _fault(ordinal: int, one: InstanceSource, volume: int) -> str | None:
    if not one.system:
        if one.since_volume == volume:
            return None
        now = [InstanceClaim(each, volume - 1, ordinal) for each in ("system", "databases")]
        said = ", ".join(f"{claim.holds}.claim: {claim.name}" for claim in now)
        return (
            f"is filled from nothing, and iris.volume {volume} gives every instance volumes of "
            f"that number: it would begin empty. Name what it begins with; {said} copies what it "
            f"has now, and sinceVolume: {volume} says that it is new"
        )
    kinds = sorted({source.told().split()[0] for source in one.named().values()})
    if len(kinds) > 1:
        return (
            f"is filled from a {' and a '.join(kinds)}, which nobody cuts at once; name sources "
            "of one kind, of one run"
        )
    return _claims_fault(
        {each: source.claim for each, source in one.named().items() if source.claim},
        ordinal,
        volume,
    )


def _claims_fault(claims: Mapping[str, str], ordinal: int, volume: int) -> str | None:
    """Why an instance cannot be filled from these claims; None if it can, or nobody can tell."""
    found = {each: InstanceClaim.named(name) for each, name in claims.items()}
    for each, claim in found.items():
        if claim is None:
            continue  # Somebody's own.
        if claim == InstanceClaim(each, volume, ordinal):
            return (
                f"is filled from claim {claim.name}, which is the volume that is to be filled; "
                f"set iris.volume to {volume + 1}"
            )
        if claim.number == volume:
            return (
                f"is filled from claim {claim.name}, which is in use with iris.volume {volume}: "
                "it is copied only once the new pod has a node, and by then IRIS may write to it "
                "again; name snapshots of one run"
            )
        if claim.holds != each:
            return (
                f"has {each} filled from claim {claim.name}, which holds {claim.holds}; name "
                f"{claim._replace(holds=each).name}"
            )
    if len({*claims.values()}) < len(claims):
        return (
            f"has two volumes filled from one claim, of {' and '.join(claims.values())}; name that "
            "of each"
        )
    known = [claim for claim in found.values() if claim]
    if len(hosts := sorted({claim.host for claim in known})) > 1:
        return f"is filled from claims of {' and '.join(hosts)}, which share nothing; name one's"
    if len(numbers := sorted({claim.number for claim in known})) > 1:
        return (
            f"is filled from claims of iris.volume {' and '.join(map(str, numbers))}, which go on "
            "from different moments; name those of one number"
        )
    return None


def journals_fault(
    chosen: Mapping[int, InstanceSource], *, volume_gib: int | None, storage_class: str | None
) -> str | None:
    """Why the volumes of journals cannot be filled so; None if they can.

    Args:
        chosen: what is filled, by the number of the instance.
        volume_gib: size of such a volume; None: there is none.
        storage_class: of such a volume, where that is another than the databases'.
    """
    for ordinal, one in chosen.items():
        where = f"restore.instances.{ordinal}"
        if one.journals and not volume_gib:
            return (
                f"{where}.journals fills a volume of journals, and they have none here; set "
                "volumeGib to its size, or drop it"
            )
        if one.system and volume_gib and one.journals is None:
            return (
                f"volumeGib is {volume_gib}, and {where} fills the other volumes alone, which IRIS "
                f"cannot recover without its journals; name {where}.journals, of the same run, or "
                "set it to empty where the others are from a time before the journals had a volume"
            )
        source = one.of("journals")
        if source and source.backup and storage_class:
            return (
                "a backup is restored through a StorageClass like that of this program's own "
                f"Longhorn, and journals.storageClass {storage_class} is another; name "
                f"{where}.journals.snapshot, or drop journals.storageClass"
            )
    return None
