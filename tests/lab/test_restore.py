"""A volume that is filled from a snapshot or a backup, in place of one that stays.

No byte is stored in the lab: what is filled is told by the claims and their volumes, which the
stand-in for Longhorn makes only once the source is there.
"""

import json

import pytest

from lab.engine import EngineError
from tests.lab.stack import changes
from tests.lab.waiting import eventually

STORE = {"nfs": {"server": "10.0.9.9", "path": "/backups"}}
SNAPSHOT = "iris-data-20261121-004300"
CLAIM = ("persistentvolumeclaim", "-n", "iris")


def taken(stack, name=SNAPSHOT, claim="iris-data", **labels):
    """A snapshot of a volume, as the backup job leaves one; its handle."""
    manifest = {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": {
            "name": name,
            "namespace": "iris",
            "labels": {
                "backup.ha-iris/state": "consistent",
                **{f"backup.ha-iris/{key}": value for key, value in labels.items()},
            },
        },
        "spec": {
            "volumeSnapshotClassName": "longhorn-iris-snapshot",
            "source": {"persistentVolumeClaimName": claim},
        },
    }
    apply(stack, manifest)
    at = ("volumesnapshot", name, "-n", "iris")
    eventually(lambda: stack.get(*at).get("status", {}).get("readyToUse"))
    content = stack.get(*at)["status"]["boundVolumeSnapshotContentName"]
    return stack.get("volumesnapshotcontent", content)["status"]["snapshotHandle"]


def apply(stack, manifest):
    file = stack.home.root / "manifest.json"
    file.write_text(json.dumps(manifest))
    stack.kubectl("apply", "-f", str(file))


def stop(stack, workload="deployment"):
    stack.kubectl("scale", workload, "iris", "-n", "iris", "--replicas=0")
    pods = ("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris")
    eventually(lambda: not stack.get(*pods)["items"])


def mounted(stack):
    pod = stack.get("deployment", "iris", "-n", "iris")["spec"]["template"]["spec"]
    return pod["volumes"][0]["persistentVolumeClaim"]["claimName"]


def test_a_database_is_put_back_to_a_snapshot_and_then_to_a_backup(no_stack, capfd):
    stack = no_stack
    stack.groups = {"backup": STORE}
    stack.run("up")
    before = stack.claim_uid()
    handle = taken(stack)
    iris = {"volume": 2, "restore": {"data": {"snapshot": SNAPSHOT}}}

    # While IRIS runs the preview tells, and the update refuses before it changes anything.
    stack.groups = {"backup": STORE, "iris": iris}
    capfd.readouterr()
    stack.run("preview")
    told = "".join(capfd.readouterr())
    assert f"Volume 2 of the database, 40 GiB, is filled from snapshot {SNAPSHOT}" in told
    assert "`pulumi up` will refuse this: IRIS runs in" in told
    with pytest.raises(EngineError):
        stack.run("up")
    assert mounted(stack) == "iris-data"

    stop(stack)
    done = changes(stack.run("up"))
    assert done["iris-data-2"] == "create"
    assert done["iris-deployment"] == "update"
    assert "iris-data" not in done
    assert mounted(stack) == "iris-data-2"
    assert stack.get(*CLAIM, "iris-data-2")["status"]["phase"] == "Bound"
    assert stack.claim_uid() == before
    assert changes(stack.run("up")) == {}

    # A volume that is there is not filled once more.
    stack.groups["iris"] = {"volume": 2, "restore": {"data": {"snapshot": "another"}}}
    with pytest.raises(EngineError):
        stack.run("preview")
    told = "".join(capfd.readouterr())
    assert "volume 2, which is there, was filled from snapshot " + SNAPSHOT in told
    assert "set ha-iris:iris.volume to 3" in told

    # A backup of the store, which has the size of the volume.
    volume = handle.removeprefix("snap://").split("/")
    labels = {"backup-volume": volume[0]}
    meta = {"name": "backup-1", "namespace": "longhorn-system", "labels": labels}
    kind = {"apiVersion": "longhorn.io/v1beta2", "kind": "Backup"}
    apply(stack, {**kind, "metadata": meta, "spec": {"snapshotName": volume[1]}})
    uploaded = ("backups.longhorn.io", "backup-1", "-n", "longhorn-system")
    eventually(lambda: "url" in stack.get(*uploaded).get("status", {}))
    source = {"data": {"backup": stack.get(*uploaded)["status"]["url"]}}
    stack.groups["iris"] = {"volume": 3, "restore": source, "storageGib": 60}
    with pytest.raises(EngineError):
        stack.run("preview")
    assert "set ha-iris:iris.storageGib to 40" in "".join(capfd.readouterr())
    stack.groups["iris"]["storageGib"] = 40
    stop(stack)
    stack.run("up")

    assert mounted(stack) == "iris-data-3"
    assert stack.get(*CLAIM, "iris-data-3")["status"]["phase"] == "Bound"
    assert stack.claim_uid() == before
    assert changes(stack.run("up")) == {}
    # And it grows, as its class is there.
    stack.groups["iris"]["storageGib"] = 60
    assert changes(stack.run("up")) == {"iris-data-3": "update"}
    size = stack.get(*CLAIM, "iris-data-3")["spec"]["resources"]["requests"]["storage"]
    assert size == "60Gi"
    assert stack.get(*CLAIM, "iris-data-2")["spec"]["resources"]["requests"]["storage"] == "40Gi"


def test_a_database_is_not_put_back_to_what_is_not_there(stack, capfd):
    stack.groups = {"iris": {"volume": 2, "restore": {"data": {"snapshot": "nowhere"}}}}

    with pytest.raises(EngineError):
        stack.run("preview")

    assert "there is no VolumeSnapshot nowhere in namespace iris" in "".join(capfd.readouterr())


def mounted_by(stack, pod):
    volumes = stack.get("pod", pod, "-n", "iris")["spec"]["volumes"]
    claims = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes]
    return {claim for claim in claims if claim}


def test_an_instance_is_put_back_beside_its_old_volumes_and_a_new_one_begins_as_its_copy(
    no_stack, capfd
):
    stack = no_stack
    stack.groups = {"iris": {"form": "statefulset", "storageGib": 10}}
    stack.run("up")
    old = {"system-iris-0", "databases-iris-0"}
    before = {name: stack.get(*CLAIM, name)["metadata"]["uid"] for name in old}
    for volume in ("system", "databases"):
        for run in "12":
            labels = {"run": run, "instance": "iris-0"}
            taken(stack, f"{volume}-{run}", f"{volume}-iris-0", **labels)
    first = {volume: {"snapshot": f"{volume}-1"} for volume in ("system", "databases")}
    mixed = {**first, "databases": {"snapshot": "databases-2"}}

    def restore(volume, *sources):
        iris = {"form": "statefulset", "storageGib": 10, "instances": len(sources)}
        instances = {str(ordinal): source for ordinal, source in enumerate(sources)}
        stack.groups = {"iris": {**iris, "volume": volume, "restore": {"instances": instances}}}

    def refusal(operation):
        capfd.readouterr()
        with pytest.raises(EngineError):
            stack.run(operation)
        return "".join(capfd.readouterr())

    # What is there is not filled, two freezes make no database, and IRIS stops first.
    restore(1, first)
    assert "and volume 1, which is there, began empty" in refusal("preview")
    restore(2, mixed)
    assert "are of the runs 1 and 2" in refusal("preview")
    restore(2, first)
    assert "IRIS runs in iris-0" in refusal("up")
    assert mounted_by(stack, "iris-0") == old

    stop(stack, "statefulset")
    done = changes(stack.run("up"))

    assert done["iris-system-2-0"] == done["iris-databases-2-0"] == "create"
    assert not {"iris-system-0", "iris-databases-0"} & done.keys()
    assert mounted_by(stack, "iris-0") == {"system-2-iris-0", "databases-2-iris-0"}
    for volume in ("system", "databases"):
        claim = stack.get(*CLAIM, f"{volume}-2-iris-0")
        assert claim["spec"]["dataSource"]["name"] == f"{volume}-1"
        assert claim["status"]["phase"] == "Bound"
    assert {name: stack.get(*CLAIM, name)["metadata"]["uid"] for name in old} == before

    # One more, as a copy of the first one, while that runs.
    restore(2, first, {**first, "sinceVolume": 2})
    capfd.readouterr()
    done = changes(stack.run("up"))

    told = "".join(capfd.readouterr())
    assert "snapshot system-1 is of iris-0, and iris-1 will start on it" in told
    assert mounted_by(stack, "iris-1") == {"system-2-iris-1", "databases-2-iris-1"}
    assert not {"iris-system-1", "iris-system-2-0", "iris-databases-2-0"} & done.keys()
    assert changes(stack.run("refresh")) == {}
    assert changes(stack.run("up")) == {}
