"""What a stack may choose about its backups on Azure."""

from ipaddress import IPv4Network
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.azure.keys import KeyId
from components.backup.settings import BackupSettings
from components.cron import longest_gap_days
from components.settings import Cidr, Settings

CONTAINER = "longhorn"
"""Blob container that Longhorn writes to."""

PRIVATE = tuple(IPv4Network(r) for r in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


class ExistingBlobSettings(Settings):
    """A container that exists, such as one that an earlier stack left behind."""

    resource_group: str = Field(pattern=r"^[\w.()-]{1,90}$")
    """Resource group of the storage account."""

    account: str = Field(pattern=r"^[a-z0-9]{3,24}$")
    """Name of the storage account. It must allow access with its key."""

    container: str = Field(default=CONTAINER, pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")
    """Name of the blob container."""


class BlobBackupStoreSettings(BackupSettings):
    """Where backups go, and how hard they are to lose."""

    enabled: bool = True
    """Give Longhorn a container for backups. Without one every copy is inside the cluster."""

    existing: ExistingBlobSettings | None = None
    """Use a container that exists. Nothing of it is changed; the settings below are unused."""

    redundancy: Literal["ZRS", "GRS", "GZRS"] = "ZRS"
    """Copies of a backup: three zones of the region (ZRS), another region (GRS), both (GZRS).

    With ZRS the backups are lost with the cluster if the whole region is.
    """

    recover_days: int = Field(default=30, ge=1, le=365)
    """Days for which objects that were deleted or overwritten by mistake can be brought back.

    By mistake: whoever has the account's key, as Longhorn has, can turn that off and erase them.
    """

    immutable_days: int | None = Field(default=None, ge=1, le=3650)
    """Days from its writing for which no block is erased. Before the first `pulumi up`, or never.

    The account's key can take that off block by block, until somebody locks it (docs/aks.md).
    A block that did not change is as old as its first backup: only full backups write it anew, so
    uploads.fullEvery must send one well within these days.
    """

    kms_key: KeyId | None = None
    """Key of your own for backups: .../vaults/NAME/keys/NAME, of which the newest version counts.

    In a vault with roles for permissions and purge protection. Without the key no backup can be
    read.
    """

    access_cidrs: tuple[Cidr, ...] = Field(default=(), max_length=400)
    """Public networks that may read and write backups beside the nodes, such as a recovery site.
    """

    keep_on_destroy: bool = True
    """Leave the account and its backups behind when the stack is destroyed."""

    @field_validator("immutable_days")
    @classmethod
    def _writes_every_block_anew(cls, days: int | None, info: ValidationInfo) -> int | None:
        uploads, snapshots = info.data.get("uploads"), info.data.get("snapshots")
        if days is None or uploads is None or snapshots is None:
            return days
        schedule = uploads.when(beside_consistent=snapshots.enabled)
        gap = longest_gap_days(schedule)
        if uploads.full_every is None or not uploads.enabled:
            # Those of a frozen database are always incremental.
            how = "" if uploads.enabled else "set uploads.enabled to true, as no others are full, "
            raise ValueError(
                "Azure keeps a block for so long after it was written, and incremental backups "
                "never write one again: the blocks that matter would be the first to be erasable; "
                f"{how}set uploads.fullEvery, to {max(1, days // (2 * gap))} with the schedule "
                f"{schedule}, or drop immutableDays"
            )
        if uploads.full_every * gap >= days:
            between = uploads.full_every * gap
            raise ValueError(
                f"uploads.fullEvery {uploads.full_every} with the schedule {schedule} "
                f"writes every block anew after up to {between} days, when the old one can be "
                "erased already; make full backups more often, or immutableDays larger than "
                f"{between}"
            )
        return days

    @field_validator("keep_on_destroy")
    @classmethod
    def _can_go(cls, keep: bool, info: ValidationInfo) -> bool:
        if not keep and info.data.get("immutable_days"):
            raise ValueError(
                "Azure deletes no account that keeps its blobs before all of them are gone, so "
                "destroy would fail; set it to true, or drop immutableDays"
            )
        return keep

    @field_validator("access_cidrs")
    @classmethod
    def _are_public(cls, cidrs: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        for network in cidrs:
            if network.prefixlen == 0:
                raise ValueError(
                    "0.0.0.0/0 lets the whole Internet try the account's key; "
                    "name the networks that need the backups"
                )
            if any(network.overlaps(private) for private in PRIVATE):
                raise ValueError(
                    f"{network} is a private range, which Azure refuses here; "
                    "name the public addresses it leaves by"
                )
        return cidrs
