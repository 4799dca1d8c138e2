"""The volumes of an instance: what is on them, where, and what Kubernetes calls their claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from components.iris.cpf.data import DATABASES_VOLUME, JOURNALS_VOLUME, REPLAY_VOLUME, VOLUME
from components.iris.restore.source_settings import InstanceClaim, claim_name
from components.iris.settings import IrisSettings


@dataclass(frozen=True)
class Volume:
    """A volume that each instance has one of."""

    holds: str
    """What is on it."""

    mount: str
    """Folder of the container."""

    gib: int
    """Size, GiB."""

    setting: str
    """Key of the size in a stack file's ``iris``."""

    storage_class: str | None = None
    """Its StorageClass; None: that of all others."""

    since: int = 1
    """The first iris.volume that it is beside."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Of its claim, for Longhorn."""

    is_copy: bool = False
    """Whether it is of another volume and for a while, so that nobody protects or backs it up."""

    called: str | None = None
    """What the pod calls it; None: by what is on it."""

    @property
    def name(self) -> str:
        """What the pod calls it."""
        return self.called or self.holds

    def claim(self, ordinal: int | None, number: int) -> str:
        """Name of an instance's claim.

        Args:
            ordinal: of the instance of a StatefulSet, whose pods ask for claims of these names;
                None: a Deployment's.
            number: which iris.volume it is.
        """
        if ordinal is None:
            return claim_name(f"iris-{self.holds}", number)
        return InstanceClaim(self.holds, number, ordinal).name


def volumes(settings: IrisSettings) -> tuple[Volume, ...]:
    """The volumes of one instance. The first has IRIS itself on it."""
    if settings.layout() != "statefulset":
        return (
            Volume("data", VOLUME, settings.storage_gib, "storageGib"),
            *_journals(settings),
            *_replay(settings),
        )
    of_each = (
        Volume("system", VOLUME, settings.storage_gib, "storageGib"),
        Volume(
            "databases",
            DATABASES_VOLUME,
            settings.databases_gib or settings.storage_gib,
            "databasesGib",
        ),
        *_journals(settings),
    )
    # A StatefulSet's pod finds its claims by what it calls its volumes.
    return tuple(replace(each, called=claim_name(each.holds, settings.volume)) for each in of_each)


def claims_in_use(settings: IrisSettings, number: int | None = None) -> dict[str, Volume]:
    """Which volume each claim is, of every instance; of an earlier iris.volume by its number."""
    several = settings.layout() == "statefulset"
    return {
        volume.claim(ordinal, number or settings.volume): volume
        for ordinal in (range(settings.instances) if several else (None,))
        for volume in volumes(settings)
    }


def _journals(settings: IrisSettings) -> tuple[Volume, ...]:
    chosen = settings.journals
    if chosen.volume_gib is None:
        return ()
    return (
        Volume(
            "journals",
            JOURNALS_VOLUME,
            chosen.volume_gib,
            "journals.volumeGib",
            storage_class=chosen.storage_class,
            since=chosen.since_volume,
            labels=UPLOADED_OFTEN,
        ),
    )


def _replay(settings: IrisSettings) -> tuple[Volume, ...]:
    restore = settings.restore
    if restore is None or restore.replay is None:
        return ()
    gib = restore.replay_gib or settings.journals.volume_gib or settings.storage_gib
    return (
        Volume(
            "replay",
            REPLAY_VOLUME,
            gib,
            "restore.replayGib",
            since=100,
            labels=NEVER_UPLOADED,
            is_copy=True,
        ),
    )


UPLOADED_OFTEN: Mapping[str, str] = {
    # A volume that a label takes into a group leaves the others.
    "recurring-job.longhorn.io/source": "enabled",
    "recurring-job-group.longhorn.io/default": "enabled",
    "recurring-job-group.longhorn.io/ha-iris-journals": "enabled",
}
"""Labels of a claim whose volume is in both groups of components/longhorn/recurring_jobs.py."""

NEVER_UPLOADED: Mapping[str, str] = {
    "recurring-job.longhorn.io/source": "enabled",
    "recurring-job-group.longhorn.io/none": "enabled",
}
"""Labels of a claim whose volume is in no group, as of a copy that goes again."""


def sizes_gib(settings: IrisSettings) -> list[int]:
    """Size of each volume of all instances, GiB, but for copies that go again."""
    if settings.operator is not None:
        return settings.operator.sizes_gib(settings.storage_gib)
    sizes = [volume.gib for volume in volumes(settings) if not volume.is_copy]
    return sizes * settings.instances
