"""What is asked of a cluster before a volume is filled, with the answers of a played one."""

import asyncio
from typing import Any

import pytest

from components.iris.restore.check import NotYet, Unfit, look
from components.iris.restore.hook import fit, stopped
from components.iris.restore.source_settings import SourceSettings

HERE = "/apis/snapshot.storage.k8s.io/v1/namespaces/iris/volumesnapshots"
CLAIMS = "/api/v1/namespaces/iris/persistentvolumeclaims"
LONGHORN = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system"
CLASS = "/apis/storage.k8s.io/v1/storageclasses/longhorn-iris"
PODS = (
    "/api/v1/namespaces/iris/pods"
    "?labelSelector=app.kubernetes.io/name=iris,app.kubernetes.io/part-of=ha-iris"
)
BACKUP = "s3://bucket@eu-central-1/?backup=backup-1&volume=pvc-1"


class Played:
    """An API that has these objects."""

    def __init__(self, objects):
        self.objects = objects

    def get(self, path):
        return self.objects.get(path)


def snapshot(size="40Gi", state="consistent", ready=True):
    status = {"readyToUse": ready, "restoreSize": size}
    labels = {"backup.ha-iris/state": state}
    return {f"{HERE}/nightly": {"metadata": {"labels": labels}, "status": status}}


def claim(size="40Gi", maker="driver.longhorn.io", phase="Bound"):
    annotations = {"volume.kubernetes.io/storage-provisioner": maker}
    status = {"phase": phase, "capacity": {"storage": size}}
    return {f"{CLAIMS}/iris-data": {"metadata": {"annotations": annotations}, "status": status}}


def backup(size=40 * 2**30, state="Completed", url=BACKUP, worth="consistent"):
    labels = {"backup.ha-iris/state": worth}
    status = {"state": state, "volumeSize": str(size), "url": url, "labels": labels}
    return {f"{LONGHORN}/backups/backup-1": {"metadata": {}, "status": status}}


def played(objects) -> Any:
    return Played(objects)


def found(objects, **source):
    return look(
        played(objects),
        SourceSettings(**source),
        namespace="iris",
        storage_class="longhorn-iris",
        gib=40,
    )


def volume(size):
    return {
        f"{LONGHORN}/volumes/pvc-1": {"spec": {"size": str(size)}},
        f"{LONGHORN}/snapshots/snapshot-2": {},
    }


@pytest.mark.parametrize(
    ("objects", "source"),
    [
        (snapshot(), {"snapshot": "nightly"}),
        (backup(), {"backup": BACKUP}),
        (backup(url="s3://bucket@eu-central-1/?volume=pvc-1&backup=backup-1"), {"backup": BACKUP}),
        (volume(40 * 2**30), {"snapshot": "snap://pvc-1/snapshot-2"}),
    ],
)
def test_a_source_of_the_volumes_size_will_do(objects, source):
    assert found(objects, **source) == []


@pytest.mark.parametrize(
    ("objects", "source", "why"),
    [
        ({}, {"snapshot": "nightly"}, "no VolumeSnapshot nightly in namespace iris"),
        (snapshot(ready=False), {"snapshot": "nightly"}, "not ready"),
        ({}, {"claim": "iris-data"}, "no claim iris-data"),
        (claim(phase="Pending"), {"claim": "iris-data"}, "no volume yet"),
        ({}, {"backup": BACKUP}, "knows no backup backup-1"),
        (backup(state="InProgress"), {"backup": BACKUP}, "InProgress"),
        ({}, {"snapshot": "snap://pvc-1/snapshot-2"}, "no volume pvc-1"),
    ],
)
def test_a_source_that_is_missing_is_named_with_how_to_list_what_there_is(objects, source, why):
    with pytest.raises(NotYet, match=why):
        found(objects, **source)


@pytest.mark.parametrize(
    ("objects", "source", "why"),
    [
        (snapshot(size="80Gi"), {"snapshot": "nightly"}, "storageGib to 80"),
        (snapshot(size="20Gi"), {"snapshot": "nightly"}, "storageGib to 20"),
        (claim(size="80Gi"), {"claim": "iris-data"}, "storageGib to 80"),
        (claim(maker="ebs.csi.aws.com"), {"claim": "iris-data"}, "ebs.csi.aws.com's and not"),
        (backup(size=20 * 2**30), {"backup": BACKUP}, "storageGib to 20"),
        (volume(80 * 2**30), {"snapshot": "snap://pvc-1/snapshot-2"}, "storageGib to 80"),
        (backup(url="nfs://other?backup=backup-1&volume=v"), {"backup": BACKUP}, "nfs://other"),
        (
            {CLASS: {"provisioner": "ebs.csi.aws.com"}, **snapshot()},
            {"snapshot": "nightly"},
            "class longhorn-iris is ebs.csi.aws.com's",
        ),
    ],
)
def test_a_source_that_will_not_do_is_refused_with_the_reason(objects, source, why):
    with pytest.raises(Unfit, match=why):
        found(objects, **source)


@pytest.mark.parametrize(
    ("objects", "source"),
    [
        (snapshot(state="lapsed"), {"snapshot": "nightly"}),
        (backup(worth="lapsed"), {"backup": BACKUP}),
        (claim(), {"claim": "iris-data"}),
    ],
)
def test_what_a_power_failure_would_have_left_is_said_to_be_so(objects, source):
    (told,) = found(objects, **source)

    assert "power failure" in told


def run(work):
    # asyncio.run would leave the other tests without the loop that they share.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def asking(api):
    async def ask(call):
        return call(api)

    return ask


def test_a_backup_that_longhorn_has_yet_to_list_is_waited_for():
    api = Played({})

    async def sleep(seconds):
        api.objects = backup()

    def call(api):
        return look(
            api,
            SourceSettings(backup=BACKUP),
            namespace="iris",
            storage_class="longhorn-iris",
            gib=40,
        )

    assert run(fit(asking(api), call, patience=60, sleep=sleep)) == []
    api.objects = {}
    with pytest.raises(ValueError, match="knows no backup"):
        run(fit(asking(api), call, patience=0, sleep=sleep))


def test_another_volume_is_not_put_under_an_iris_that_runs(monkeypatch):
    said = []
    monkeypatch.setattr("pulumi.log.warn", said.append)
    runs = Played({PODS: {"items": [{"metadata": {"name": "iris-7d4"}}]}})

    with pytest.raises(ValueError, match="IRIS runs in iris-7d4"):
        run(stopped(asking(runs), "iris", preview=False))
    run(stopped(asking(runs), "iris", preview=True))
    run(stopped(asking(Played({PODS: {"items": []}})), "iris", preview=False))

    (line,) = said
    assert "will refuse this" in line
