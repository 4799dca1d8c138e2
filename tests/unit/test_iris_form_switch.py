"""The way of the data from one form to another: what it is asked, and what is refused."""

import pulumi
import pytest

from components.iris import IrisSettings
from components.iris.form_switch import (
    FORM,
    VOLUMES,
    data_left_behind,
    images_left,
    marks,
    pods_left,
)
from components.iris.image import Image
from components.iris.journal_switch import JOURNALS, OWN
from tests.unit.hooks import call, namespace_with
from tests.unit.iris_parts import CLAIM, DEPLOYMENT

FORMS = ("deployment", "statefulset")
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"


@pytest.mark.parametrize(
    ("before", "after", "cure"),
    [
        ({}, {"form": "statefulset"}, "set ha-iris:iris.volumesOf to deployment"),
        ({"form": "statefulset"}, {}, "set ha-iris:iris.volumesOf to statefulset"),
        (
            {"form": "statefulset", "volumes_of": "deployment"},
            {"form": "statefulset"},
            "set ha-iris:iris.volumesOf to deployment",
        ),
        (
            {"form": "deployment", "volumes_of": "statefulset"},
            {"form": "deployment"},
            "set ha-iris:iris.volumesOf to statefulset",
        ),
    ],
)
def test_a_form_without_the_data_is_refused(before, after, cure):
    told = data_left_behind(marks(IrisSettings(**before)), marks(IrisSettings(**after)))

    assert told is not None
    assert cure in told
    assert "docs/forms.md, From one form to another" in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, {"form": "statefulset", "volumes_of": "deployment"}),
        ({"form": "statefulset", "volumes_of": "deployment"}, {}),
        ({"form": "statefulset"}, {"form": "deployment", "volumes_of": "statefulset"}),
        ({"form": "statefulset"}, {"form": "statefulset", "instances": 3}),
    ],
)
def test_a_form_that_takes_the_data_along_is_not_refused(before, after):
    assert data_left_behind(marks(IrisSettings(**before)), marks(IrisSettings(**after))) is None


def test_data_that_the_operator_has_comes_over_by_a_backup():
    told = data_left_behind({FORM: "operator", VOLUMES: "operator"}, {})

    assert told is not None
    assert "bring it over by a backup" in told


def test_a_deployment_marks_nothing_so_that_stacks_stay_as_they_are(iris):
    assert "annotations" not in iris().named("iris-namespace").inputs["metadata"]
    marked = iris(form="statefulset").named("iris-namespace").inputs["metadata"]["annotations"]
    assert marked == {"ha-iris/form": "statefulset", "ha-iris/volumes-of": "statefulset"}


def test_two_forms_never_run_at_once():
    pods = {"items": [{"metadata": {"name": "iris-5c9d"}}]}
    asked = []

    def get(answer):
        return lambda path: (asked.append(path), answer)[1]

    told = pods_left(get(pods), "iris")
    assert told is not None
    assert told.startswith("IRIS runs in iris-5c9d")
    assert "app.kubernetes.io/name=iris" in asked[0]
    assert pods_left(get({"items": []}), "iris") is None


@pytest.fixture
def namespace_changes(iris, monkeypatch):
    """What the hook of the namespace says to a change of its annotations, or None."""
    asked = []

    def run(before, after, *, found=("IRIS runs", []), **settings):
        monkeypatch.setattr(
            "components.iris.form_switch.look",
            lambda kubeconfig, namespace: (asked.append((kubeconfig, namespace)), found)[1],
        )
        hook = iris(**settings).hooks["iris-switch"]
        try:
            call(hook, before=namespace_with(before), after=namespace_with(after))
        except ValueError as refusal:
            return str(refusal), asked
        return None, asked

    return run


def test_a_switch_asks_the_cluster_whether_iris_runs_and_nothing_else_does(namespace_changes):
    carried = {FORM: "statefulset"}

    assert namespace_changes({}, {"other": "1"}) == (None, [])
    refused, asked = namespace_changes({}, {**carried, VOLUMES: "statefulset"})
    assert "new and empty ones" in refused
    assert asked == []
    refused, asked = namespace_changes({}, carried)
    assert refused == "IRIS runs"
    assert [namespace for _, namespace in asked] == ["iris"]
    assert "127.0.0.1" in asked[0][0]


def test_a_volume_of_journals_is_not_taken_away_and_its_coming_asks_no_cluster(namespace_changes):
    refused, asked = namespace_changes({JOURNALS: OWN}, {})

    assert "journals.inUse false" in refused
    assert asked == []
    assert namespace_changes({}, {JOURNALS: OWN}) == (None, [])


NEWER = Image("containers.intersystems.com/intersystems/iris:2026.2")
OLDER = Image("containers.intersystems.com/intersystems/iris:2025.1")


@pytest.mark.parametrize("wrote", [[NEWER], [OLDER, NEWER]], ids=["one", "both forms are left"])
def test_an_older_iris_does_not_come_with_another_form(namespace_changes, wrote):
    found = (None, wrote)
    key = {"license_key": "[ConfigFile]"}

    def change(**settings):
        return namespace_changes({}, {FORM: "statefulset"}, found=found, **key, **settings)[0]

    refused = change(image=OLDER.name)
    assert f"image is {OLDER.name}, which is older than {NEWER.name}" in refused
    assert change(image=NEWER.name) is None
    assert change(image=OLDER.name, allow_older_image=True) is None


def test_volumes_whose_image_nobody_remembers_are_said_to_be_so(namespace_changes, monkeypatch):
    said = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)

    assert namespace_changes({}, {FORM: "statefulset"}, found=(None, []))[0] is None
    assert "which image wrote the volumes" in said[-1]


def test_the_images_of_both_forms_are_found_with_what_was_told_of_them():
    def workload(image, annotations):
        containers = [{"name": "iris", "image": image}]
        return {
            "metadata": {"annotations": annotations},
            "spec": {"template": {"spec": {"containers": containers}}},
        }

    path = "/apis/apps/v1/namespaces/iris"
    there = {
        f"{path}/deployments/iris": workload("own/db:7", {"ha-iris/image-release": "2026.2"}),
        f"{path}/statefulsets/iris": workload(NEWER.name, {}),
    }

    assert images_left(there.get, "iris") == [Image("own/db:7", release="2026.2"), NEWER]
    assert images_left({}.get, "iris") == []


@pytest.mark.parametrize("form", FORMS)
def test_the_switch_is_asked_before_anything_of_the_database_is_made(iris, form):
    engine = iris(form=form)

    assert [*engine.named("iris-namespace").request.hooks.before_update] == ["iris-switch"]
    assert engine.hooks["iris-switch"].opts.on_dry_run
    for resource in engine.resources:
        if resource.type in (CLAIM, DEPLOYMENT, STATEFUL_SET):
            assert "iris-namespace" in resource.depends_on
