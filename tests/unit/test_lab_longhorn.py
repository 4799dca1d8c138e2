"""What the lab's stand-in for Longhorn does next, as a function of what the cluster holds."""

import itertools
from typing import Any

import pytest

from lab.cluster import DEPLOYED_ANNOTATION, DRIVER
from lab.cluster.driver import DEPLOYER
from lab.cluster.longhorn import due
from lab.cluster.storage import Patience
from lab.cluster.world import KINDS, NAMESPACE, Request, World


def cluster(**kinds: list[dict[str, Any]]) -> World:
    """A cluster that holds these objects."""
    return {name: kinds.get(name, []) for name in KINDS}


def deployer() -> dict[str, Any]:
    """The driver deployer as the chart describes it."""
    env = [
        {"name": "CSI_ATTACHER_REPLICA_COUNT", "value": "2"},
        {"name": "CSI_RESIZER_IMAGE", "value": "mirror.example/csi-resizer:v2.2.1"},
    ]
    container = {"name": DEPLOYER, "image": "longhornio/longhorn-manager:v1.12.1", "env": env}
    return {
        "metadata": {"name": DEPLOYER, "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def pod(**annotations: str) -> dict[str, Any]:
    """A pod of the driver deployer."""
    return {
        "metadata": {"name": "deployer", "namespace": NAMESPACE, "annotations": annotations},
        "spec": {},
    }


def made(world: World) -> dict[str, dict[str, Any]]:
    """What would be made, by name."""
    return {
        request.body["metadata"]["name"]: request.body
        for request in due(world)
        if request.method == "POST" and request.body
    }


def test_the_driver_comes_once_its_deployer_has_got_that_far():
    early = cluster(deployments=[deployer()], pods=[pod()])
    late = cluster(deployments=[deployer()], pods=[pod(**{DEPLOYED_ANNOTATION: "true"})])

    assert made(early) == {}
    assert made(late).keys() == {
        DRIVER,
        *("csi-attacher", "csi-provisioner", "csi-resizer", "csi-snapshotter"),
        "longhorn-csi-plugin",
    }


def test_the_drivers_sidecars_are_those_that_the_chart_asked_for():
    world = cluster(deployments=[deployer()], pods=[pod(**{DEPLOYED_ANNOTATION: "true"})])

    found = made(world)

    assert found["csi-attacher"]["spec"]["replicas"] == 2
    assert found["csi-resizer"]["spec"]["replicas"] == 3
    (container,) = found["csi-resizer"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "mirror.example/csi-resizer:v2.2.1"


def test_the_driver_goes_with_its_deployer_and_one_that_a_person_made_stays():
    ours = made(cluster(deployments=[deployer()], pods=[pod(**{DEPLOYED_ANNOTATION: "true"})]))
    by_hand = {"metadata": {"name": "driver.longhorn.io.test"}}

    removed = list(due(cluster(drivers=[ours[DRIVER], by_hand], deployments=[ours["csi-resizer"]])))

    assert {(request.method, request.path.rsplit("/")[-1]) for request in removed} == {
        ("DELETE", DRIVER),
        ("DELETE", "csi-resizer"),
    }


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("true", "true"),
        ('"false"', "false"),
        ("25", "25"),
        ("", ""),
        ("/var/lib/longhorn", "/var/lib/longhorn"),
        ('{"v1": "true"}', '{"v1": "true"}'),
    ],
)
def test_a_longhorn_setting_is_text_whatever_its_yaml_looks_like(written, given):
    defaults = {
        "metadata": {"name": "longhorn-default-setting", "resourceVersion": "7"},
        "data": {"default-setting.yaml": f"some-setting: {written}"},
    }

    assert made(cluster(defaults=[defaults]))["some-setting"]["value"] == given


def test_a_request_that_is_refused_is_made_less_and_less_often(monkeypatch):
    now = 0.0
    monkeypatch.setattr("lab.cluster.storage.time.monotonic", lambda: now)
    patience, refused = Patience(), Request("POST", "/", {}, "setting refused")
    made_at = []

    while now < 600:
        if patience.allows(refused):
            made_at.append(now)
            patience.failed(refused)
        now += patience.rest([refused]) or 0.1

    assert len(made_at) < 20
    assert max(b - a for a, b in itertools.pairwise(made_at)) == 60
    patience.succeeded(refused)
    assert patience.allows(refused)


def target(**content: str) -> list[Request]:
    """What is done to a cluster whose backup target is an NFS export, for these defaults."""
    lines = "\n".join(f"{key}: {value}" for key, value in content.items())
    world = cluster(
        **{
            "defaults": [
                {
                    "metadata": {"name": "longhorn-default-resource", "resourceVersion": "7"},
                    "data": {"default-resource.yaml": lines},
                }
            ],
            "backup targets": [
                {"metadata": {"name": "default"}, "spec": {"backupTargetURL": "nfs://nas:/old"}}
            ],
        }
    )
    return list(due(world))


def test_the_backup_target_follows_what_the_chart_says_and_stays_where_it_says_nothing():
    (moved,) = target(**{"backup-target": "nfs://nas:/new"})
    (emptied,) = target(**{"backup-target": ""})

    assert moved.body == {"spec": {"backupTargetURL": "nfs://nas:/new"}}
    assert emptied.body == {"spec": {"backupTargetURL": ""}}
    assert target() == []
