"""A volume of journals that cannot come is refused, and one that never came can be dropped."""

from contextlib import contextmanager

import pytest

from components.iris.journal_switch import JOURNALS, OWN
from components.kubernetes_api import Unreachable
from tests.unit.hooks import call, namespace_with

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
CLAIMS = "/api/v1/namespaces/iris/persistentvolumeclaims"
NVME = {"journals": {"volume_gib": 20, "storage_class": "longhorn-nvme"}}
LONGHORNS = {"provisioner": "driver.longhorn.io", "allowVolumeExpansion": True}


class Played:
    """An API with what is given, by path."""

    def __init__(self, there):
        self._there = there

    def get(self, path):
        return self._there.get(path)


def claim(name, phase):
    return {"metadata": {"name": name}, "status": {"phase": phase}}


@pytest.fixture
def change(iris, monkeypatch):
    """What the hook of the namespace says to a change of its annotations, in a cluster."""

    def run(before, after, there, **settings):
        @contextmanager
        def connect(kubeconfig):
            if there is None:
                raise Unreachable("nobody answers")
            yield Played(there)

        monkeypatch.setattr("components.iris.form_switch.connect", connect)
        hook = iris(**settings).hooks["iris-switch"]
        try:
            call(hook, before=namespace_with(before), after=namespace_with(after))
        except (ValueError, RuntimeError) as refusal:
            return str(refusal)
        return None

    return run


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "there is no such StorageClass, and IRIS would wait"),
        ({**LONGHORNS, "provisioner": "disk.csi.azure.com"}, "that class is disk.csi.azure.com's"),
        ({"provisioner": "driver.longhorn.io"}, "no allowVolumeExpansion"),
    ],
)
def test_a_class_that_no_volume_of_journals_can_be_of_is_refused_before_iris_stops(
    change, found, why
):
    refused = change({}, {JOURNALS: OWN}, {f"{CLASSES}/longhorn-nvme": found}, **NVME)

    assert "ha-iris:iris.journals.storageClass is longhorn-nvme: " in (refused or "")
    assert why in (refused or "")


def test_a_class_of_longhorns_takes_the_journals(change):
    there = {f"{CLASSES}/longhorn-nvme": LONGHORNS}

    assert change({}, {JOURNALS: OWN}, there, **NVME) is None
    assert "is not known: nobody answers" in change({}, {JOURNALS: OWN}, None, **NVME)


def test_databases_on_another_storage_may_have_their_journals_there_too(change):
    there = {f"{CLASSES}/longhorn-nvme": {"provisioner": "ebs", "allowVolumeExpansion": True}}

    assert change({}, {JOURNALS: OWN}, there, **NVME, storage_class="gp3") is None


@pytest.mark.parametrize("journals", ["iris-journals", "iris-journals-2", "journals-iris-0"])
def test_a_volume_of_journals_that_never_came_can_be_dropped_and_another_one_not(change, journals):
    def told(*phases):
        claims = [claim("iris-data", "Bound"), *(claim(journals, phase) for phase in phases)]
        return change({JOURNALS: OWN}, {}, {CLAIMS: {"items": claims}})

    assert told("Pending") is None
    assert told() is None
    for phases in [("Bound",), ("Pending", "Bound"), ("Lost",)]:
        assert "set volumeGib again with journals.inUse false" in (told(*phases) or "")


def test_a_volume_of_journals_stays_while_nobody_knows_whether_it_came(change):
    assert "journals.inUse false" in change({JOURNALS: OWN}, {}, None)
