"""Databases and journals are restored from one moment: two sources of one run."""

import asyncio
from contextlib import nullcontext
from typing import Any, cast

import pulumi
import pytest

from components.iris.restore.check import Unfit, look
from components.iris.restore.one_cut import one_cut
from components.iris.restore.settings import SourceSettings

HERE = "/apis/snapshot.storage.k8s.io/v1/namespaces/iris/volumesnapshots"
BACKUPS = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups"


class Played:
    """An API with a snapshot and a backup of each of two runs."""

    def get(self, path):
        run = path[-1]
        labels = {"backup.ha-iris/run": f"20261121-00430{run}"} if run in "12" else {}
        if path.startswith(HERE):
            status = {"readyToUse": True, "restoreSize": "10Gi"}
            return {"metadata": {"labels": labels}, "status": status}
        return {"metadata": {}, "status": {"labels": labels}} if path.startswith(BACKUPS) else None


def snapshot(name):
    return SourceSettings(snapshot=name)


def backup(name):
    return SourceSettings(backup=f"s3://bucket@region/?backup={name}&volume=pvc-1")


def told(data, journals):
    api: Any = Played()
    return one_cut(api, data, journals, namespace="iris")


@pytest.mark.parametrize("kind", [snapshot, backup])
def test_journals_of_another_run_than_the_databases_are_refused(kind):
    assert told(kind("data-1"), kind("journals-1")) == []
    with pytest.raises(Unfit, match=r"of the runs 20261121-004301 and 20261121-004302"):
        told(kind("data-1"), kind("journals-2"))


@pytest.mark.parametrize(
    "sources",
    [
        (snapshot("data-1"), snapshot("journals-0")),
        (snapshot("snap://pvc-1/a"), snapshot("snap://pvc-2/b")),
        (SourceSettings(claim="data-1"), SourceSettings(claim="journals-1")),
    ],
)
def test_what_tells_no_run_is_said_to_be_unknown(sources):
    (line,) = told(*sources)

    assert "were cut at once is not known" in line


def test_the_size_of_the_volume_of_journals_is_asked_for_by_its_own_key():
    api: Any = Played()
    with pytest.raises(Unfit, match=r"set ha-iris:iris.journals.volumeGib to 10, and raise"):
        look(
            api,
            snapshot("journals-1"),
            namespace="iris",
            storage_class="longhorn-iris",
            gib=20,
            setting="journals.volumeGib",
        )


@pytest.mark.parametrize(("run", "refused"), [("1", False), ("2", True)])
def test_an_update_asks_it_before_it_makes_the_volume_of_journals(iris, monkeypatch, run, refused):
    monkeypatch.setattr("components.iris.restore.hook.connect", lambda _: nullcontext(Played()))
    restore = {"data": {"snapshot": "data-1"}, "journals": {"snapshot": f"journals-{run}"}}
    engine = iris(journals={"volume_gib": 10}, restore=restore)
    hook = cast(Any, engine.hooks["iris-journals-filled"])

    def called():
        change = pulumi.ResourceHookArgs(urn="urn", id="", name="n", type="t", new_inputs={})
        loop = asyncio.get_event_loop_policy().get_event_loop()
        loop.run_until_complete(hook.callback(change))

    if not refused:
        return called()
    with pytest.raises(ValueError, match=r"name two of one run \(docs/restore.md\)"):
        called()
