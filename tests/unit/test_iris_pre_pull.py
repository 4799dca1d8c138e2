"""The images are on every node before a failover needs them there."""

import pytest

from components.iris.image import IMAGE
from tests.unit.iris_parts import DEPLOYMENT, pod

DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
ICR = "containers.intersystems.com/intersystems"


@pytest.fixture
def holder(iris):
    """The DaemonSet that holds the images, with some settings."""

    def run(**settings):
        return iris(**settings).one(DAEMON_SET, "iris-images")

    return run


def test_each_node_keeps_the_image_of_the_database_in_use(holder):
    (container,) = holder().inputs["spec"]["template"]["spec"]["containers"]

    assert container["image"] == IMAGE
    assert container["command"] == ["sleep", "infinity"]  # neither IRIS nor its licence is used
    assert container["imagePullPolicy"] == "IfNotPresent"


def test_the_web_gateways_image_is_kept_where_there_is_a_gateway(holder):
    containers = holder(image=f"{ICR}/iris:2026.2")

    images = [c["image"] for c in containers.inputs["spec"]["template"]["spec"]["containers"]]
    assert images == [f"{ICR}/iris:2026.2", f"{ICR}/webgateway-lockeddown:2026.2"]


def test_an_image_is_pulled_as_the_database_pulls_it_and_where_it_may_run(iris):
    engine = iris(registry_login={"username": "somebody", "password": "token"})

    spec = engine.one(DAEMON_SET).inputs["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == pod(engine)["serviceAccountName"]
    assert spec["nodeSelector"] == pod(engine)["nodeSelector"]


def test_a_node_that_cannot_pull_holds_up_no_other_and_no_update(holder):
    inputs = holder().inputs

    assert inputs["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": "100%"}
    assert inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_pods_that_hold_images_are_none_of_the_databases(iris):
    engine = iris()

    selector = engine.one(DEPLOYMENT).inputs["spec"]["selector"]["matchLabels"]
    labels = engine.one(DAEMON_SET).inputs["spec"]["template"]["metadata"]["labels"]
    assert not selector.items() <= labels.items()


def test_a_new_image_is_on_its_way_to_the_nodes_before_the_old_one_stops(iris):
    engine = iris()

    assert "iris-images" in engine.one(DEPLOYMENT).depends_on


def test_it_can_be_switched_off(iris):
    engine = iris(pre_pull={"enabled": False})

    assert engine.of_type(DAEMON_SET) == []
    assert "iris-images" not in engine.one(DEPLOYMENT).depends_on


def test_another_entrypoint_is_given_the_same_options(iris):
    own = iris(image="registry.example.com/app:1", entrypoint=["/tini", "--", "/iris-main"])
    (with_own,), (plain,) = pod(own)["containers"], pod(iris())["containers"]

    assert with_own["command"] == ["/tini", "--", "/iris-main"]
    assert "command" not in plain
    assert with_own["args"] == plain["args"]
