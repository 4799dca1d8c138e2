"""What must be true of the database, whatever cluster it runs on."""

import json

import pytest

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import Iris, IrisSettings
from components.longhorn import Longhorn, LonghornSettings
from lab.plugins.kubernetes import wait_for
from tests.unit.iris_parts import (
    CLAIM,
    DEPLOYMENT,
    PRIORITY_CLASS,
    SERVICE,
    container,
    environment,
    pod,
)


def test_there_are_never_two_instances_on_one_volume(iris):
    spec = iris().one(DEPLOYMENT).inputs["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_the_data_directory_is_a_folder_inside_the_volume(iris):
    engine = iris()
    mounts = {mount["name"]: mount["mountPath"] for mount in container(engine)["volumeMounts"]}

    assert environment(engine)["ISC_DATA_DIRECTORY"].startswith(mounts["data"] + "/")


def test_the_merge_file_lies_outside_the_volume(iris):
    engine = iris()
    mounts = {mount["name"]: mount["mountPath"] for mount in container(engine)["volumeMounts"]}

    assert not mounts["cpf"].startswith(mounts["data"])
    assert environment(engine)["ISC_CPF_MERGE_FILE"] == f"{mounts['cpf']}/merge.cpf"


def test_requests_equal_limits(iris):
    resources = container(iris(cpu=1.5, memory_gib=8))["resources"]

    assert resources["requests"] == resources["limits"] == {"cpu": "1.5", "memory": "8Gi"}


def test_the_pod_fits_the_restricted_profile(iris):
    engine = iris()
    namespace = engine.one("kubernetes:core/v1:Namespace").inputs["metadata"]
    security = container(engine)["securityContext"]

    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert security == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod(engine)["securityContext"]["runAsNonRoot"] is True
    assert pod(engine)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    # Without capabilities iris-main would refuse to start.
    args = container(engine)["args"]
    assert args[args.index("--check-caps") + 1] == "false"


def test_the_volume_belongs_to_irisowner_without_a_walk_over_every_file(iris):
    security = pod(iris())["securityContext"]

    assert security["fsGroup"] == security["runAsUser"] == security["runAsGroup"] == 51773
    assert security["fsGroupChangePolicy"] == "OnRootMismatch"


def test_the_database_gets_no_token_of_the_cluster(iris):
    engine = iris()

    account = engine.one("kubernetes:core/v1:ServiceAccount").inputs
    assert account["automountServiceAccountToken"] is False
    assert pod(engine)["automountServiceAccountToken"] is False


def test_the_host_name_is_the_same_on_every_node(iris):
    assert pod(iris())["hostname"] == "iris"
    assert pod(iris(hostname="db"))["hostname"] == "db"


def test_a_dead_node_is_left_after_ten_seconds(iris):
    tolerations = pod(iris())["tolerations"]

    assert {t["key"]: t["tolerationSeconds"] for t in tolerations} == {
        "node.kubernetes.io/not-ready": 10,
        "node.kubernetes.io/unreachable": 10,
    }
    assert {t["effect"] for t in tolerations} == {"NoExecute"}


def test_a_clean_stop_has_thirty_seconds(iris):
    assert pod(iris())["terminationGracePeriodSeconds"] == 30


def test_the_claim_is_for_one_node_of_the_given_class_and_size(iris):
    claim = iris(storage_gib=50).one(CLAIM).inputs["spec"]

    assert claim["accessModes"] == ["ReadWriteOnce"]
    assert claim["storageClassName"] == "longhorn-iris"
    assert claim["resources"]["requests"]["storage"] == "50Gi"
    assert iris().one(CLAIM).inputs["spec"]["resources"]["requests"]["storage"] == "40Gi"


def test_a_replaced_storage_class_does_not_replace_the_claim(deploy, kubeconfig):
    def program():
        cluster = ExistingCluster("cluster", ExistingClusterSettings(kubeconfig=kubeconfig))
        longhorn = Longhorn("longhorn", LonghornSettings(), cluster=cluster, protect_data=True)
        Iris(
            "iris",
            IrisSettings(),
            cluster=cluster,
            storage_class=longhorn.storage_class,
            storage_ready=longhorn.ready,
            protect_data=True,
        )

    claim = deploy(program).one(CLAIM)

    assert "longhorn-storage-class" in claim.depends_on
    assert claim.property_depends_on["spec"] == []


@pytest.mark.parametrize("protect_data", [True, False])
def test_claim_namespace_and_password_are_protected_with_the_data(iris, protect_data):
    engine = iris(protect_data=protect_data)

    for name in (
        "iris-data",
        "iris-namespace",
        "iris-credentials-password",
        "iris-credentials-salt",
    ):
        assert engine.named(name).protect is protect_data


def test_what_holds_no_data_is_never_protected(iris):
    engine = iris(protect_data=True)

    assert engine.one(DEPLOYMENT).protect is False
    assert engine.one(SERVICE).protect is False


def test_the_database_is_reachable_from_inside_only(iris):
    spec = iris().one(SERVICE).inputs["spec"]

    assert spec["type"] == "ClusterIP"
    assert {port["name"]: port["port"] for port in spec["ports"]} == {
        "superserver": 1972,
        "webserver": 52773,
    }


def test_a_load_balancer_lets_in_only_the_named_networks(iris):
    service = {"type": "LoadBalancer", "source_ranges": ["203.0.113.0/24", "198.51.100.7"]}
    spec = iris(service=service).one(SERVICE).inputs["spec"]

    assert spec["type"] == "LoadBalancer"
    assert spec["loadBalancerSourceRanges"] == ["203.0.113.0/24", "198.51.100.7/32"]


def test_the_service_finds_the_pod(iris):
    engine = iris()
    labels = engine.one(DEPLOYMENT).inputs["spec"]["template"]["metadata"]["labels"]

    assert engine.one(SERVICE).inputs["spec"]["selector"].items() <= labels.items()


LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"


def test_a_licence_key_is_mounted_and_named(iris):
    engine = iris(image=LICENSED, license_key="[ConfigFile]")
    args = container(engine)["args"]

    assert engine.named("iris-license").inputs["stringData"] == {"iris.key": "[ConfigFile]"}
    assert args[args.index("--key") + 1] == "/etc/ha-iris/license/iris.key"
    assert "--key" not in container(iris())["args"]


def test_a_new_licence_key_restarts_nothing(iris):
    before, after = (iris(image=LICENSED, license_key=key) for key in ("one", "another"))

    assert before.named("iris-license").inputs != after.named("iris-license").inputs
    assert "immutable" not in after.named("iris-license").inputs
    assert pod(before) == pod(after)
    provider = after.one("pulumi:providers:kubernetes").inputs
    assert provider["enableSecretMutable"] == "true"
    # The file inside a directory follows its Secret; a subPath would stay as it was.
    mounts = {mount["name"]: mount for mount in container(after)["volumeMounts"]}
    assert "subPath" not in mounts["license"]


def test_a_private_image_is_pulled_with_its_login(iris):
    engine = iris(registry_login={"username": "user", "password": "token"})
    secret = engine.named("iris-registry-login").inputs
    login = json.loads(secret["stringData"][".dockerconfigjson"])["auths"]

    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert login["containers.intersystems.com"]["username"] == "user"
    account = engine.one("kubernetes:core/v1:ServiceAccount").inputs
    assert account["imagePullSecrets"] == [{"name": "iris-registry-login-autonamed"}]


def test_the_time_zone_reaches_the_instance(iris):
    assert environment(iris(time_zone="Europe/Berlin"))["TZ"] == "Europe/Berlin"


def test_the_database_goes_first_when_nodes_run_short(iris):
    engine = iris()

    assert engine.one(PRIORITY_CLASS).inputs["value"] == 1_000_000
    assert pod(engine)["priorityClassName"] == "iris-priority-class-autonamed"


def test_another_namespace_replaces_nothing_outside_of_it(iris):
    before, after = iris().one(PRIORITY_CLASS), iris(namespace="renamed").one(PRIORITY_CLASS)

    assert after.inputs == before.inputs


def test_the_image_is_pinned_and_stays_where_it_was_pulled(iris):
    engine = iris()

    assert container(engine)["image"].endswith("/iris-community:2026.2")
    assert container(engine)["imagePullPolicy"] == "IfNotPresent"


def test_a_licensed_image_is_not_said_to_answer_on_a_port_where_nothing_listens(iris):
    engine = iris(image=LICENSED)

    ports = [port["name"] for port in engine.named("iris-service").inputs["spec"]["ports"]]
    assert ports == ["superserver"]
    assert [port["name"] for port in container(engine)["ports"]] == ["superserver"]


@pytest.mark.parametrize(("web_server", "ports"), [(True, [1972, 52773]), (False, [1972])])
def test_a_stack_file_may_know_better_whether_the_image_has_a_web_server(iris, web_server, ports):
    engine = iris(image="registry.example.com/own:2026.1", web_server=web_server)

    service = engine.named("iris-service").inputs["spec"]
    assert [port["port"] for port in service["ports"]] == ports


DONE = {"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


@pytest.mark.parametrize(
    ("status", "is_done"),
    [
        (DONE, True),
        ({**DONE, "observedGeneration": 2}, False),  # nobody has looked at the change yet
        ({"observedGeneration": 3, "replicas": 1, "availableReplicas": 1}, False),  # the old pod
        ({"observedGeneration": 3}, False),  # the old pod is gone, the new one is not there
        ({"observedGeneration": 3, "replicas": 1, "updatedReplicas": 1}, False),  # not ready
        ({**DONE, "replicas": 2}, False),
        ({}, False),
    ],
)
def test_an_update_ends_when_the_new_instance_is_ready_and_not_before(iris, status, is_done):
    deployment = iris().one(DEPLOYMENT).inputs
    told = wait_for.parse(deployment["metadata"]["annotations"]["pulumi.com/waitFor"])
    live = {**deployment, "metadata": {"generation": 3}, "status": status}

    assert told is not None
    assert wait_for.holds(told, live) is is_done


def test_an_update_waits_as_long_as_a_start_may_take(iris):
    timeouts = (
        iris(startup_seconds=7200, termination_grace_period_seconds=900)
        .one(DEPLOYMENT)
        .request.customTimeouts
    )

    assert timeouts.create == timeouts.update == f"{7200 + 900 + 600 + 60}s"


def test_the_service_waits_for_the_database_and_not_for_its_ten_minutes(iris):
    service = iris().one("kubernetes:core/v1:Service")

    assert "iris-deployment" in service.depends_on
