"""What one volume can be filled from, and what its claim is called."""

import re
from typing import Annotated, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, model_validator

from components.settings import KubernetesName, Settings

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


def claim_name(first: str, number: int) -> str:
    """Name of the claim of a volume; the first has none of its number in it."""
    return first if number == 1 else f"{first}-{number}"


class InstanceClaim(NamedTuple):
    """A claim of a StatefulSet's instance: its pods ask for claims of such names."""

    holds: str
    """What is on its volume."""

    number: int
    """Which iris.volume it is."""

    ordinal: int
    """Of the instance."""

    @property
    def name(self) -> str:
        """What Kubernetes calls it, as in system-2-iris-0."""
        return f"{claim_name(self.holds, self.number)}-{self.host}"

    @property
    def host(self) -> str:
        """Name of the instance's host."""
        return f"iris-{self.ordinal}"

    @classmethod
    def named(cls, name: str) -> Self | None:
        """The claim of that name; None where no instance has such a one."""
        parts = re.fullmatch(r"([a-z]+)(?:-(\d+))?-iris-(\d+)", name)
        found = parts and cls(parts[1], int(parts[2] or 1), int(parts[3]))
        return found if found and found.name == name else None
