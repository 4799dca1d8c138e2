"""The IrisCluster that a stack file makes, against what is public about its fields."""

import copy

import pytest

from components.iris.gateway.settings import GATEWAY_IMAGE
from tests.unit.iris_cluster import ICR, LICENSED, MIRROR, faults, spec

EVERYTHING = {
    **MIRROR,
    "mirror_map": ("primary", "backup", "drasync"),
    "shards": 2,
    "compute": {"replicas": 2, "preferred_zones": ("zone-c",)},
    "web_gateway": True,
    "preferred_zones": ("zone-a", "zone-b"),
    "storage": {"journal_class": "slow"},
    "update_strategy": "OnDelete",
    "tolerations": [{"key": "dedicated", "value": "iris", "effect": "NoSchedule"}],
    "tls": {"common": "tls", "mirror": "mirror-tls"},
}
OWN_IMAGE = {**LICENSED, "image": "registry.example.com/app:1", "release": "2026.1"}
LOGIN = {"registry_login": {"username": "user", "password": "token"}}


@pytest.mark.parametrize(
    "made",
    [spec(), spec(**LICENSED), spec(MIRROR, **LICENSED), spec(EVERYTHING, **OWN_IMAGE, **LOGIN)],
    ids=["community", "licensed", "mirrored", "everything"],
)
def test_it_has_published_fields_alone(made):
    assert faults(made) == []


@pytest.mark.parametrize(
    ("path", "misspelt"),
    [
        ((), "licenceKeySecret"),
        (("topology",), "webGateway"),
        (("topology", "data"), "storageJournal"),
        (("topology", "data", "podTemplate", "spec"), "terminationGracePeriodSeconds"),
        (("topology", "data", "storageWIJ"), "storageClass"),
    ],
)
def test_a_field_that_nobody_published_is_found(path, misspelt):
    made = copy.deepcopy(spec())
    inside = made
    for part in path:
        inside = inside[part]
    inside[misspelt] = {}

    assert [misspelt in fault for fault in faults(made)] == [True]


def test_a_value_of_another_kind_is_found():
    made = spec(MIRROR, **LICENSED)
    made["topology"]["data"]["mirrored"] = "true"

    assert faults(made) == ["$.topology.data.mirrored: 'true' is not of type 'boolean'"]


def test_a_single_node_without_a_mirror_on_longhorn_is_the_default():
    topology = spec()["topology"]

    assert [*topology] == ["data"]
    assert "mirrored" not in topology["data"]
    assert "shards" not in topology["data"]
    assert topology["data"]["storageDB"] == {
        "resources": {"requests": {"storage": "40Gi"}},
        "storageClassName": "longhorn-iris",
    }


def test_each_volume_has_its_size_and_journals_may_have_a_class_of_their_own():
    sizes = {"wij_gib": 12, "journal1_gib": 30, "journal2_gib": 31, "journal_class": "slow"}
    data = spec({"storage": sizes}, storage_gib=100)["topology"]["data"]
    volumes = {key: volume for key, volume in data.items() if key.startswith("storage")}

    found = {
        key: (volume["resources"]["requests"]["storage"], volume["storageClassName"])
        for key, volume in volumes.items()
    }
    assert found == {
        "storageDB": ("100Gi", "longhorn-iris"),
        "storageWIJ": ("12Gi", "longhorn-iris"),
        "storageJournal1": ("30Gi", "slow"),
        "storageJournal2": ("31Gi", "slow"),
    }


def test_iris_runs_without_root_and_moves_as_soon_as_in_the_other_forms():
    pod = spec(toleration_seconds=7, cpu=3, memory_gib=9)["topology"]["data"]["podTemplate"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["fsGroup"] == 51773
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert [taint["tolerationSeconds"] for taint in pod["tolerations"]] == [7, 7]
    assert (
        pod["resources"]["limits"] == pod["resources"]["requests"] == {"cpu": "3", "memory": "9Gi"}
    )
    assert pod["priorityClassName"] == "iris-priority"
    assert pod["nodeSelector"]["kubernetes.io/arch"] == "amd64"


def test_iris_main_asks_for_no_capability_and_runs_the_scripts_of_the_other_forms():
    made = spec()
    data = made["topology"]["data"]

    args = data["podTemplate"]["spec"]["args"]
    assert dict(zip(args[::2], args[1::2], strict=True)) == {
        "--check-caps": "false",
        "--before": "/etc/ha-iris/scripts/before_start.sh",
        "--after": "/etc/ha-iris/scripts/merge_errors.sh",
    }
    stop = data["podTemplate"]["spec"]["lifecycle"]["preStop"]["exec"]["command"]
    assert stop == ["/etc/ha-iris/scripts/freeze.sh", "stopping"]
    (volume,) = made["volumes"]
    (mount,) = data["volumeMounts"]
    assert volume["configMap"] == {"name": "iris-scripts", "defaultMode": 0o555}
    assert (mount["name"], mount["mountPath"]) == (volume["name"], "/etc/ha-iris/scripts")


def test_the_operator_is_told_the_release_of_an_image_whose_tag_does_not_say_it():
    topology = spec({"compute": {"replicas": 1}}, **OWN_IMAGE)["topology"]

    assert topology["data"]["compatibilityVersion"] == "2026.1"
    assert topology["compute"]["compatibilityVersion"] == "2026.1"
    assert "compatibilityVersion" not in spec()["topology"]["data"]


def test_a_mirror_has_an_arbiter_and_its_roles():
    topology = spec({**MIRROR, "mirror_map": ("primary", "backup", "drasync")}, **LICENSED)[
        "topology"
    ]

    assert topology["data"]["mirrored"] is True
    assert topology["data"]["mirrorMap"] == "primary,backup,drasync"
    assert topology["arbiter"]["image"] == f"{ICR}/arbiter:2026.1"


def test_application_servers_run_the_image_of_the_database_unless_they_have_their_own():
    same = spec({"compute": {"replicas": 2}}, **LICENSED)["topology"]["compute"]
    other = {"replicas": 1, "image": "registry.example.com/app:1"}

    assert (same["image"], same["replicas"]) == (LICENSED["image"], 2)
    assert spec({"compute": other}, **LICENSED)["topology"]["compute"]["image"] == other["image"]


def test_the_operators_web_gateways_run_without_root():
    gateway = spec({"web_gateway": True}, **LICENSED)["topology"]["webgateway"]

    assert gateway["type"] == "apache-lockeddown"
    assert (gateway["image"], gateway["replicas"]) == (GATEWAY_IMAGE, 2)
    assert gateway["loginSecret"] == {"name": "login"}


def test_the_operators_own_service_stays_inside_whatever_clients_come_by():
    outside = {"type": "LoadBalancer", "source_ranges": ("198.41.0.0/24",)}

    assert spec(service=outside)["serviceTemplate"] == {"spec": {"type": "ClusterIP"}}
