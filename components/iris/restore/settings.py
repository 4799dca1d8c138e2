"""Which volume the database is on, and what a new one is filled from."""

from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from components.settings import Gib, KubernetesName, Settings

HANDLE = "snap://"
"""Beginning of what Longhorn calls a snapshot (longhorn-manager, csi/controller_server.go)."""

LIST = "kubectl -n longhorn-system get backups.longhorn.io -o custom-columns=URL:.status.url"


def _is_of_one_backup(url: str) -> str:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if not parts.scheme or not (query.get("backup") and query.get("volume")):
        raise ValueError(
            "Longhorn's URL of a backup names it and its volume, as in "
            f"s3://bucket@region/?backup=backup-1&volume=pvc-1; `{LIST}` lists them"
        )
    return url


class SourceSettings(Settings):
    """What a volume is filled from: one of these."""

    snapshot: (
        Annotated[
            str,
            Field(
                max_length=253,
                pattern=r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|snap://[a-z0-9.-]+/[a-z0-9.-]+)$",
            ),
        ]
        | None
    ) = None
    """A VolumeSnapshot of the database's namespace, or one of another namespace by Longhorn's
    handle of it, as in snap://pvc-1/snapshot-2."""

    backup: Annotated[str, AfterValidator(_is_of_one_backup)] | None = None
    """A backup in the store that Longhorn reads, by its URL: also one of another cluster."""

    claim: KubernetesName | None = None
    """Another claim of the database's namespace, as it is at that moment."""

    @model_validator(mode="after")
    def _is_one(self) -> "SourceSettings":
        named = [name for name in ("snapshot", "backup", "claim") if getattr(self, name)]
        if len(named) != 1:
            raise ValueError(
                f"a volume is filled from one source, and here are {len(named)}; "
                "name one of snapshot, backup and claim"
            )
        return self

    def told(self) -> str:
        """In words: what it is, and which."""
        kind = "snapshot" if self.snapshot else "backup" if self.backup else "claim"
        return f"{kind} {self.snapshot or self.backup or self.claim}"


class RestoreSettings(Settings):
    """What the volume is filled from when it is made. Leave it as long as the volume is in use."""

    data: SourceSettings
    """Of the volume that holds everything."""

    journals: SourceSettings | Literal["empty"] | None = None
    """Of the volume of journals, where they have one: from the same run as data; or empty, where
    data is from a time when the journals were beside the databases."""

    replay: SourceSettings | None = None
    """Journals from later than data: at /replay while this stands here, for ^JRNRESTO. The copy
    goes with this line (docs/journals.md, To a point in time)."""

    replay_gib: Gib | None = Field(default=None, le=16383)
    """Size of what replay names, GiB; without it, that of the volume which has the journals."""

    def of(self, volume: str) -> SourceSettings | None:
        """What the volume of that name is filled from; None: it begins empty."""
        source = {"journals": self.journals, "replay": self.replay}.get(volume, self.data)
        return source if isinstance(source, SourceSettings) else None


class VolumeSettings(Settings):
    """Which volume the database is on (docs/restore.md)."""

    volume: int = Field(default=1, ge=1, le=99)
    """Number of the volume: another number, another claim, and the earlier ones stay.

    From 2 on the claim has it in its name, as in iris-data-2.
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
        if restore and volume and restore.data.claim == claim_name("iris-data", volume):
            raise ValueError(
                f"data.claim is {restore.data.claim}, which is the volume that is to be filled; "
                f"set iris.volume to {volume + 1}"
            )
        return restore

    def earlier_volumes(self) -> tuple[int, ...]:
        """Numbers of the volumes that stay beside the one in use."""
        return tuple(range(1, self.volume)) if self.kept_volumes is None else self.kept_volumes


def class_for_a_restore(storage_class: str | None, restore: RestoreSettings | None) -> str | None:
    """A class that a volume can be restored into.

    Raises:
        ValueError: a backup needs a class of its own, which is made beside this program's.
    """
    for volume in ("data", "replay"):
        source = restore and restore.of(volume)
        if storage_class and source and source.backup:
            raise ValueError(
                "a backup is restored through a StorageClass like that of this program's own "
                f"Longhorn, and {storage_class} replaces it; name restore.{volume}.snapshot, or "
                "drop storageClass"
            )
    return storage_class


def claim_name(first: str, number: int) -> str:
    """Name of the claim of a volume; the first has none of its number in it."""
    return first if number == 1 else f"{first}-{number}"
