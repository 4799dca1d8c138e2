"""The forms in which IRIS runs."""

import json

import pytest

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
