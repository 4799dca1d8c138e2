"""Where journals lie, and how much of them comes together."""

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from components.iris.cpf.data import JOURNALS_VOLUME, OTHER_JOURNALS
from components.settings import Gib, KubernetesName, Settings


class JournalSettings(Settings):
    """Journals: where they lie, and for how long there is room (docs/journals.md)."""

    volume_gib: Gib | None = Field(default=None, le=16383)
    """Size of a volume for journals alone, GiB; without it they lie beside the databases.

    It is on the same disks, so it protects little: databases that fill their volume stop no
    journals, nor journals the databases. Frozen snapshots become compulsory. It never shrinks.
    """

    storage_class: KubernetesName | None = Field(default=None, validate_default=True)
    """Another StorageClass of Longhorn's for that volume, such as one on other disks. Not beside
    longhorn.encryption: nobody looks at that class."""

    in_use: bool = Field(default=True, validate_default=True)
    """Whether IRIS writes there. false is the way back: journals go beside the databases again,
    and the volume stays mounted until you drop it, once its last journal has been purged."""

    since_volume: int = Field(default=1, ge=1, le=99, validate_default=True)
    """The first iris.volume that has a volume of journals beside it."""

    daily_gib: float | None = Field(default=None, gt=0)
    """What IRIS journals on its busiest day, GiB before compression: for the sum that says
    whether there is room for as long as they stay."""

    @field_validator("storage_class", "in_use", "since_volume")
    @classmethod
    def _are_of_a_volume(cls, value: Any, info: ValidationInfo) -> Any:
        default = cls.model_fields[info.field_name or ""].default
        if value != default and not info.data.get("volume_gib", 1):
            raise ValueError(
                "journals have no volume of their own here; set volumeGib to its size, or drop this"
            )
        return value

    def lines(self) -> dict[str, list[str]]:
        """Lines of the merge file by section (CPF reference, CurrentDirectory, AlternateDirectory).

        IRIS takes the other directory while it cannot write into the first.
        """
        if not self.volume_gib:
            return {}
        first = JOURNALS_VOLUME if self.in_use else OTHER_JOURNALS
        return {"Journal": [f"CurrentDirectory={first}/", f"AlternateDirectory={OTHER_JOURNALS}/"]}
