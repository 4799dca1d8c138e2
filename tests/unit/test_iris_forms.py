"""The forms in which IRIS runs, and the way of the data from one to another."""

import asyncio
import json
from typing import Any, cast

import pulumi
import pytest

from components.iris import IrisSettings
from components.iris.form_switch import FORM, VOLUMES, data_left_behind, marks, pods_left
from tests.unit.iris_parts import CLAIM, DEPLOYMENT, merge_file

FORMS = ("deployment", "statefulset")

PARTS = {
    "iris-namespace": ("kubernetes:core/v1:Namespace", "iris"),
    "iris-network": ("ha-iris:database:NetworkPolicies", "iris"),
    "iris-credentials": ("ha-iris:database:Credentials", "iris"),
    "iris-credentials-password": ("random:index/randomPassword:RandomPassword", "iris-credentials"),
    "iris-credentials-salt": ("random:index/randomBytes:RandomBytes", "iris-credentials"),
    "iris-registry-login": ("kubernetes:core/v1:Secret", "iris"),
    "iris-service-account": ("kubernetes:core/v1:ServiceAccount", "iris"),
    "iris-priority-class": ("kubernetes:scheduling.k8s.io/v1:PriorityClass", "iris"),
    "iris-cpf": ("kubernetes:core/v1:Secret", "iris"),
    "iris-scripts": ("kubernetes:core/v1:ConfigMap", "iris"),
    "iris-license": ("kubernetes:core/v1:Secret", "iris"),
    "iris-data": ("kubernetes:core/v1:PersistentVolumeClaim", "iris"),
    "iris-deployment": ("kubernetes:apps/v1:Deployment", "iris"),
    "iris-service": ("kubernetes:core/v1:Service", "iris"),
    "iris-web-gateway": ("ha-iris:database:WebGateway", "iris"),
    "iris-web-gateway-credentials": ("ha-iris:database:Credentials", "iris"),
}
"""Type and parent by name: together they are the URN, and another URN is another object."""


def test_the_parts_of_a_database_of_an_earlier_release_are_found_again(iris):
    engine = iris(
        image="containers.intersystems.com/intersystems/iris:2026.1",
        license_key="[ConfigFile]",
        registry_login={"username": "user", "password": "token"},
    )

    parts = {name: engine.named(name) for name in PARTS}
    assert {name: (part.type, part.parent) for name, part in parts.items()} == PARTS


STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"


def mounts(engine, token):
    """Claim and folder of each volume that a workload's pod names itself."""
    spec = engine.one(token).inputs["spec"]
    pod = spec["template"]["spec"]
    folders = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    return {
        volume["persistentVolumeClaim"]["claimName"]: folders[volume["name"]]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }


def test_a_statefulset_goes_on_with_a_deployments_volume_where_the_deployment_had_it(iris):
    before, after = iris(), iris(form="statefulset", volumes_of="deployment")

    assert mounts(after, STATEFUL_SET) == mounts(before, DEPLOYMENT) == {"iris-data": "/data"}
    assert after.named("iris-data").inputs == before.named("iris-data").inputs
    assert [claim.name for claim in after.of_type(CLAIM)] == ["iris-data"]
    assert "volumeClaimTemplates" not in after.one(STATEFUL_SET).inputs["spec"]


def test_a_deployment_goes_on_with_a_statefulsets_volumes_where_the_statefulset_had_them(iris):
    before = iris(form="statefulset")
    after = iris(form="deployment", volumes_of="statefulset")

    assert mounts(after, DEPLOYMENT) == {
        "system-iris-0": "/data",
        "databases-iris-0": "/databases",
    }
    for claim in ("iris-system-0", "iris-databases-0"):
        assert after.named(claim).inputs == before.named(claim).inputs


@pytest.mark.parametrize("volumes_of", ["deployment", "statefulset"])
def test_databases_stay_in_their_folders_in_another_form(iris, volumes_of):
    actions = {"databases": [{"name": "APP"}]}
    forms = [iris(form=f, volumes_of=volumes_of, actions=actions) for f in FORMS]

    assert merge_file(forms[0]) == merge_file(forms[1])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"form": "pod"}, "form is pod"),
        ({"instances": 2}, "instances is 2: form deployment runs one instance here"),
        ({"form": "statefulset", "instances": 0}, "instances is 0"),
        (
            {"form": "statefulset", "instances": 2, "volumesOf": "deployment"},
            "volumesOf is deployment: a Deployment has the volume of one instance",
        ),
        (
            {"form": "statefulset", "hostname": "db"},
            "form is statefulset: a StatefulSet calls its hosts iris-0, iris-1 and so on; drop",
        ),
        ({"databasesGib": 10}, "databasesGib is 10: the volumes are those of form deployment"),
        (
            {"form": "statefulset", "volumesOf": "deployment", "databasesGib": 10},
            "databasesGib is 10: the volumes are those of form deployment",
        ),
        (
            {"actions": {"databases": [{"name": "APP", "directory": "/databases/app"}]}},
            "actions: database APP lies in /databases/app, and the form that these",
        ),
        (
            {
                "form": "statefulset",
                "actions": {
                    "databases": [{"name": "A"}, {"name": "B", "directory": "/databases/a"}]
                },
            },
            "actions: A and B lie in /databases/a both",
        ),
        (
            {
                "form": "statefulset",
                "databasesGib": 3,
                "actions": {"databases": [{"name": "A", "sizeMib": 4000}]},
            },
            "actions: the databases have 4000 MiB to begin with, and the volume 3072; set",
        ),
        (
            {
                "form": "statefulset",
                "databasesGib": 3,
                "actions": {"databases": [{"name": "A", "maxSizeMib": 4000}]},
            },
            "actions: database A may grow to 4000 MiB, and the volume (databasesGib 3) has 3072",
        ),
    ],
)
def test_what_no_form_can_do_is_refused_with_key_reason_and_cure(
    refused, kubeconfig, settings, told
):
    cluster = json.dumps({"kubeconfig": kubeconfig})
    message = refused({"ha-iris:cluster": cluster, "ha-iris:iris": json.dumps(settings)})

    assert f"ha-iris:iris.{told}" in message
    assert message.count("\n") == 1


def test_a_full_volume_for_databases_may_be_asked_for(iris):
    actions = {"databases": [{"name": "A", "size_mib": 3072}]}

    assert iris(form="statefulset", databases_gib=3, actions=actions)


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
    monkeypatch.setattr(
        "components.iris.form_switch.still_running",
        lambda kubeconfig, namespace: (asked.append((kubeconfig, namespace)), "IRIS runs")[1],
    )
    hook = iris().hooks["iris-switch"]

    def run(before, after):
        inputs = [{"metadata": {"name": "iris", "annotations": a}} for a in (before, after)]
        change = pulumi.ResourceHookArgs(
            urn="urn", id="iris", name="n", type="t", old_inputs=inputs[0], new_inputs=inputs[1]
        )
        try:
            asyncio.get_event_loop_policy().get_event_loop().run_until_complete(
                cast(Any, hook.callback(change))
            )
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


@pytest.mark.parametrize("form", FORMS)
def test_the_switch_is_asked_before_anything_of_the_database_is_made(iris, form):
    engine = iris(form=form)

    assert [*engine.named("iris-namespace").request.hooks.before_update] == ["iris-switch"]
    assert engine.hooks["iris-switch"].opts.on_dry_run
    for resource in engine.resources:
        if resource.type in (CLAIM, DEPLOYMENT, STATEFUL_SET):
            assert "iris-namespace" in resource.depends_on
