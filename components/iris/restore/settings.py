"""Which volume the database is on, and what a new one is filled from."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from components.iris.restore.instances import InstanceSource, Ordinal, instances_fault
from components.iris.restore.source_settings import SourceSettings, claim_name
from components.settings import Gib, Settings

OF_DATA = ("journals", "replay", "replay_gib")


class RestoreSettings(Settings):
    """What the volume is filled from when it is made. Leave it as long as the volume is in use."""

    data: SourceSettings | None = None
    """Of a Deployment's volume, which holds everything."""

    instances: dict[Ordinal, InstanceSource] = Field(default={})
    """Of the volumes of a StatefulSet's instances, by their numbers. With iris.volume 1 one that is
    not named begins empty."""

    journals: SourceSettings | Literal["empty"] | None = None
    """Of the volume of journals, where they have one: from the same run as data; or empty, where
    data is from a time when the journals were beside the databases."""

    replay: SourceSettings | None = None
    """Journals from later than data: at /replay while this stands here, for ^JRNRESTO. The copy
    goes with this line (docs/journals.md, To a point in time)."""

    replay_gib: Gib | None = Field(default=None, le=16383)
    """Size of what replay names, GiB; without it, that of the volume which has the journals."""

    @model_validator(mode="after")
    def _is_of_one_form(self) -> "RestoreSettings":
        if self.data is None and not self.instances:
            raise ValueError(
                "nothing is filled from anything; name data, or instances for a StatefulSet's"
            )
        beside = [name for name in ("data", *OF_DATA) if getattr(self, name)]
        if self.instances and beside:
            raise ValueError(
                f"instances are a StatefulSet's, and {beside[0]} is of a Deployment's volume; drop "
                f"{beside[0]} (what an instance has is named in instances), or instances"
            )
        return self

    def since(self, ordinal: int | None) -> int:
        """The first iris.volume that an instance has."""
        one = self.instances.get(ordinal) if ordinal is not None else None
        return one.since_volume if one else 1

    def sources(self, ordinal: int | None) -> dict[str, SourceSettings]:
        """What the volumes of one database are filled from, by what is on them, but for replay."""
        if ordinal is not None:
            return self.instances.get(ordinal, InstanceSource()).named()
        found = {volume: self.of(volume) for volume in ("data", "journals")}
        return {volume: source for volume, source in found.items() if source}

    def of(self, volume: str, ordinal: int | None = None) -> SourceSettings | None:
        """What a volume is filled from; None: it begins empty.

        Args:
            volume: what is on it.
            ordinal: of the instance of a StatefulSet; None: a Deployment's.
        """
        if ordinal is not None:
            return self.instances.get(ordinal, InstanceSource()).of(volume)
        source = {"journals": self.journals, "replay": self.replay}.get(volume, self.data)
        return source if isinstance(source, SourceSettings) else None


class VolumeSettings(Settings):
    """Which volume the database is on (docs/restore.md)."""

    volume: int = Field(default=1, ge=1, le=99)
    """Number of the volume: another number, another claim, and the earlier ones stay.

    From 2 on the claim has it in its name, as in iris-data-2. Of a StatefulSet it counts for all
    volumes of all instances, as in system-2-iris-0.
    """

    kept_volumes: tuple[int, ...] | None = Field(default=None, validate_default=True)
    """Which earlier volumes stay; without it, all of them."""

    restore: RestoreSettings | None = Field(default=None, validate_default=True)
    """What this volume is filled from; without it, it begins empty."""

    @field_validator("kept_volumes")
    @classmethod
    def _are_earlier_ones(
        cls, kept: tuple[int, ...] | None, info: ValidationInfo
    ) -> tuple[int, ...] | None:
        volume = info.data.get("volume")
        for number in kept or ():
            if volume and not 0 < number < volume:
                raise ValueError(
                    f"{number} is no volume before {volume}, which volume says is in use; drop it"
                )
        return kept

    @field_validator("restore")
    @classmethod
    def _is_another_one(
        cls, restore: RestoreSettings | None, info: ValidationInfo
    ) -> RestoreSettings | None:
        volume = info.data.get("volume")
        data = restore and restore.data
        if data and volume and data.claim == claim_name("iris-data", volume):
            raise ValueError(
                f"data.claim is {data.claim}, which is the volume that is to be filled; "
                f"set iris.volume to {volume + 1}"
            )
        return restore

    @field_validator("volume", "restore")
    @classmethod
    def _fits_the_form(cls, value: object, info: ValidationInfo) -> object:
        layout = info.data.get("volumes_of") or info.data.get("form", "deployment")
        if layout == "operator" and value not in (None, 1):
            raise ValueError(
                "InterSystems' operator makes the volumes and their names; restore into a stack "
                "with form deployment and its own volume (docs/restore.md)"
            )
        counted, volume = info.data.get("instances"), info.data.get("volume")
        if value is None and layout == "statefulset" and volume and volume > 1:
            raise ValueError(
                f"iris.volume is {volume}, and what each instance began with on these volumes is "
                "not named: they would begin empty; name restore.instances, as long as the "
                "volumes are in use (docs/restore.md, A StatefulSet)"
            )
        if not isinstance(value, RestoreSettings):
            return value
        if value.instances and layout == "deployment":
            raise ValueError(
                "instances are a StatefulSet's, and the volume is a Deployment's; name data"
            )
        if value.data and layout == "statefulset":
            raise ValueError(
                "data is of a Deployment's volume, and these are a StatefulSet's; name "
                "instances.0.system and instances.0.databases, of one run (docs/restore.md)"
            )
        if value.instances and counted and volume:
            fault = instances_fault(value.instances, instances=counted, volume=volume)
            if fault:
                raise ValueError(f"instances.{fault}")
        return value

    def earlier_volumes(self) -> tuple[int, ...]:
        """Numbers of the volumes that stay beside the one in use."""
        return tuple(range(1, self.volume)) if self.kept_volumes is None else self.kept_volumes


def class_for_a_restore(storage_class: str | None, restore: RestoreSettings | None) -> str | None:
    """A class that a volume can be restored into.

    Raises:
        ValueError: a backup needs a class of its own, which is made beside this program's.
    """
    sources = {volume: restore.of(volume) for volume in ("data", "replay")} if restore else {}
    for ordinal, one in restore.instances.items() if restore else ():
        sources |= {f"instances.{ordinal}.{volume}": its for volume, its in one.named().items()}
    for volume, source in sources.items():
        if storage_class and source and source.backup:
            raise ValueError(
                "a backup is restored through a StorageClass like that of this program's own "
                f"Longhorn, and {storage_class} replaces it; name restore.{volume}.snapshot, or "
                "drop storageClass"
            )
    return storage_class
