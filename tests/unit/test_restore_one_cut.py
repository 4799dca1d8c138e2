"""Databases and journals are restored from one moment: two sources of one run."""

from contextlib import nullcontext
from typing import Any, cast

import pytest

from components.iris.restore.check import NotYet, Unfit, look
from components.iris.restore.one_cut import alone, one_cut
from components.iris.restore.source_settings import SourceSettings
from tests.unit.hooks import call

HERE = "/apis/snapshot.storage.k8s.io/v1/namespaces/iris/volumesnapshots"
BACKUPS = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups"


class Played:
    """An API: runs 1 and 2 have cut two volumes each, and run 3 one; 7 is being uploaded."""

    def get(self, path):
        if not path.startswith((HERE, BACKUPS)):
            return None
        place, _, name = path.partition("?")[0].rpartition("/")
        if place in (HERE, BACKUPS):
            return None if name.endswith("9") else self._item(place, name)
        parts = ["data-1", "journals-1", "data-2", "journals-2", "data-3"]
        items = [self._item(f"{place}/{name}", part) for part in parts]
        wanted = path.partition("?labelSelector=")[2].split(",") if "?" in path else []
        pairs = [part.split("=") for part in wanted]
        return {
            "items": [
                item
                for item in items
                if all(item["metadata"]["labels"].get(key) == value for key, value in pairs)
            ]
        }

    def _item(self, place, name):
        run = name[-1]
        labels = {"backup.ha-iris/run": f"20261121-00430{run}", "backup.ha-iris/instance": "iris"}
        labels = labels if run in "123" else {}
        if place == HERE:
            status = {"readyToUse": True, "restoreSize": "10Gi"}
            return {"metadata": {"name": name, "labels": labels}, "status": status}
        # From the store of another cluster: what is known of it is in the status.
        status = {"state": "InProgress" if run == "7" else "Completed", "labels": labels}
        return {"metadata": {"name": name, "labels": {}}, "status": status}


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
    ("data", "journals"),
    [
        (backup("data-9"), backup("journals-1")),
        (backup("data-1"), backup("journals-7")),
        (snapshot("data-9"), snapshot("journals-1")),
    ],
)
def test_what_longhorn_has_not_listed_yet_is_waited_for_and_not_called_unknown(data, journals):
    with pytest.raises(NotYet, match=r"data-9|journals-7"):
        told(data, journals)


@pytest.mark.parametrize("kind", [snapshot, backup])
def test_databases_that_were_cut_with_journals_are_not_restored_without_them(kind):
    api: Any = Played()

    assert alone(api, kind("data-3"), namespace="iris") == []
    assert alone(api, kind("data-0"), namespace="iris") == []
    with pytest.raises(Unfit, match=r"without the others: journals-1; set .*journals.volumeGib"):
        alone(api, kind("data-1"), namespace="iris")


@pytest.mark.parametrize(
    "sources",
    [
        (snapshot("data-1"), snapshot("journals-0")),
        (snapshot("snap://pvc-1/a"), snapshot("snap://pvc-2/b")),
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


@pytest.fixture
def asked(iris, monkeypatch):
    """What the hook of a claim says before that is made."""

    def run(claim, *, restore, **settings):
        monkeypatch.setattr("components.iris.restore.hook.connect", lambda _: nullcontext(Played()))
        hook = cast(Any, iris(restore=restore, **settings).hooks[f"{claim}-filled"])
        call(hook, after={})

    return run


@pytest.mark.parametrize("claim", ["iris-data", "iris-journals"])
def test_an_update_asks_it_before_it_makes_either_volume(asked, claim):
    def run(journals):
        restore = {"data": {"snapshot": "data-1"}, "journals": {"snapshot": journals}}
        asked(claim, journals={"volume_gib": 10}, storage_gib=10, restore=restore)

    run("journals-1")
    with pytest.raises(ValueError, match=r"name two of one run \(docs/restore.md\)"):
        run("journals-2")


@pytest.mark.parametrize(
    "beside", [{}, {"journals": {"volume_gib": 10}, "restore": {"journals": "empty"}}]
)
def test_an_update_asks_for_the_journals_before_it_makes_the_databases(asked, beside):
    def run(source):
        restore = {"data": {"snapshot": source}, **beside.get("restore", {})}
        asked("iris-data", **{**beside, "restore": restore}, storage_gib=10)

    run("data-3")
    with pytest.raises(
        ValueError, match=r"journals beside it in restore to that part \(docs/restore.md\)"
    ):
        run("data-1")


class Store:
    """Backups of one run, of one host name each, of two databases on one store."""

    ALL = ("two-data", "two-journals", "iris-data")

    def get(self, path):
        if path == BACKUPS:
            return {"items": [self._backup(name) for name in self.ALL]}
        return self._backup(path.rpartition("/")[2])

    def _backup(self, name):
        labels = {
            "backup.ha-iris/run": "20261121-004300",
            "backup.ha-iris/instance": "iris",
            "namespace": name.partition("-")[0],
        }
        return {"metadata": {"name": name}, "status": {"state": "Completed", "labels": labels}}


def test_two_databases_that_were_backed_up_in_one_second_are_told_apart():
    api: Any = Store()

    assert alone(api, backup("iris-data"), namespace="iris") == []
    with pytest.raises(Unfit, match="without the others: two-journals; set"):
        alone(api, backup("two-data"), namespace="iris")
    assert one_cut(api, backup("two-data"), backup("two-journals"), namespace="iris") == []
    with pytest.raises(Unfit, match="of the namespaces iris and two, and so of two databases"):
        one_cut(api, backup("iris-data"), backup("two-journals"), namespace="iris")
