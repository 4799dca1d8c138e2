"""What a stack file may say of a volume that is filled from something."""

import pytest
from pydantic import ValidationError

from components.iris import IrisSettings

BACKUP = "s3://bucket@eu-central-1/?backup=backup-1&volume=pvc-1"


def restoring(**source):
    return {"restore": {"data": source}}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (restoring(), "filled from one source, and here are 0"),
        (restoring(snapshot="a", backup=BACKUP), "filled from one source, and here are 2"),
        (restoring(backup="s3://bucket@eu-central-1/"), "names it and its volume"),
        (restoring(backup="backup-1"), "names it and its volume"),
        (restoring(snapshot="Nightly"), "pattern"),
        (restoring(snapshot="snap://pvc-1"), "pattern"),
        ({"restore": {}}, "name data, or instances for a StatefulSet"),
        (restoring(claim="iris-data"), "which is the volume that is to be filled"),
        ({"volume": 2, **restoring(claim="iris-data-2")}, "set iris.volume to 3"),
        ({"volume": 2, "kept_volumes": (2,)}, "2 is no volume before 2"),
        ({"volume": 0}, "greater than or equal to 1"),
        ({**restoring(backup=BACKUP), "storage_class": "longhorn"}, "longhorn replaces it"),
        (
            {
                "restore": {"data": {"snapshot": "a"}, "replay": {"backup": BACKUP}},
                "storage_class": "longhorn",
            },
            "longhorn replaces it; name restore.replay.snapshot",
        ),
    ],
)
def test_what_cannot_fill_a_volume_is_refused(settings, why):
    with pytest.raises(ValidationError, match=why):
        IrisSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        restoring(snapshot="iris-data-20261121-004300"),
        restoring(snapshot="snap://pvc-1/snapshot-2"),
        restoring(backup=BACKUP),
        restoring(backup="nfs://10.0.9.9:/backups?backup=backup-1&volume=pvc-1"),
        {"volume": 2, **restoring(claim="iris-data")},
        {**restoring(snapshot="snap://pvc-1/snapshot-2"), "storage_class": "longhorn-iris"},
    ],
)
def test_a_volume_is_filled_from_a_snapshot_a_backup_or_a_claim(settings):
    assert IrisSettings(**settings).restore


def test_every_earlier_volume_stays_unless_some_are_named():
    assert IrisSettings(volume=3).earlier_volumes() == (1, 2)
    assert IrisSettings(volume=3, kept_volumes=(2,)).earlier_volumes() == (2,)
    assert IrisSettings(volume=3, kept_volumes=()).earlier_volumes() == ()
    assert IrisSettings().earlier_volumes() == ()


def test_an_operators_volumes_are_not_restored_into():
    operated = {"form": "operator", "operator": {"chart": "lab/charts/iris-operator"}}
    for group in ({"volume": 2}, {"restore": {"data": {"snapshot": "friday"}}}):
        with pytest.raises(ValidationError, match="restore into a stack with form deployment"):
            IrisSettings.model_validate({**operated, **group})
