"""What must be true of the database, whatever cluster it runs on."""

import json
import os
import subprocess

import pytest

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import Iris, IrisSettings
from components.iris.cpf import password_hash
from components.longhorn import Longhorn, LonghornSettings

# Published with the password SYS by intersystems-community/iris-embedded-python-template and by
# IRISMeister/iris-k8s-vs2021.
PUBLIC_HASHES = [
    (
        "0a4c463a2fa1e7542b61aa48800091ab688eb0a14bebf536638f411f5454c934"
        "3b9aa6402b4694f0a89b624407a5f43f0a38fc35216bb18aab7dc41ef9f056b1",
        "a31d24aecc0bfe560a7e45bd913ad27c667dc25a75cbfd358c451bb595b6bd52"
        "bd25c82cafaa23ca1dd30b3b4947d12d3bb0ffb2a717df29912b743a281f97c1",
    ),
    (
        "124e81ee6bf17fcaf0dfb38a4f8a7f46e9e4b0c8c9a40864bb189d4d200b161b"
        "1451874efcbed63b801cbab592434b93037e90810d96e4ee123ac03b756779e9",
        "34e80d2f1ad5135679b3a57a9c4b1611a8a8995e0849ebe954ac1c16ad253d02"
        "74296985fea058a8aaf2a149b88082595e6374b3c2f7d5f0774f05e4311ba52d",
    ),
]


@pytest.mark.parametrize(("salt", "key"), PUBLIC_HASHES)
def test_password_hash_is_the_one_that_intersystems_computes(salt, key):
    assert password_hash("SYS", salt) == f"{key},{salt},10000,SHA512"


@pytest.fixture
def iris(deploy, kubeconfig):
    """Deploys IRIS with the given settings and returns the engine."""

    def run(*, protect_data: bool = True, **settings):
        def program():
            cluster = ExistingCluster("cluster", ExistingClusterSettings(kubeconfig=kubeconfig))
            Iris(
                "iris",
                IrisSettings(**settings),
                cluster=cluster,
                storage_class="longhorn-iris",
                storage_ready=[],
                protect_data=protect_data,
            )

        return deploy(program)

    return run


DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SERVICE = "kubernetes:core/v1:Service"
PRIORITY_CLASS = "kubernetes:scheduling.k8s.io/v1:PriorityClass"


def pod(engine):
    """Spec of the database pod."""
    return engine.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


def container(engine):
    """The only container of the database pod."""
    (only,) = pod(engine)["containers"]
    return only


def environment(engine):
    """Environment of that container."""
    return {entry["name"]: entry["value"] for entry in container(engine)["env"]}


def merge_file(engine) -> str:
    """Text of the CPF merge file."""
    return engine.named("iris-cpf").inputs["stringData"]["merge.cpf"]


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


def test_the_merge_file_holds_a_hash_and_never_the_password(iris):
    engine = iris(password="correct-horse-battery")
    text = merge_file(engine)

    assert f"PasswordHash={password_hash('correct-horse-battery', 'ab' * 64)}" in text
    assert "correct-horse-battery" not in str(engine.resources)
    assert engine.named("iris-cpf").secret_inputs == {"stringData"}


def test_without_a_password_one_is_generated(iris):
    engine = iris()

    generated = engine.one("random:index/randomPassword:RandomPassword").inputs
    assert generated["length"] == 24
    assert password_hash("generated-iris-credentials-password", "ab" * 64) in merge_file(engine)


def test_a_given_password_is_not_generated_too(iris):
    engine = iris(password="correct-horse-battery")

    assert engine.of_type("random:index/randomPassword:RandomPassword") == []


def test_the_merge_file_is_secret_and_cannot_change_under_a_running_database(iris):
    secret = iris().named("iris-cpf")

    assert secret.type == "kubernetes:core/v1:Secret"
    assert secret.inputs["immutable"] is True
    assert "name" not in secret.inputs["metadata"]


@pytest.mark.parametrize(
    ("memory_gib", "globals_mib", "routines_mib", "gmheap_kib"),
    [(2, 1024, 102, 307200), (4, 2048, 204, 307200), (64, 32768, 3276, 1006632)],
)
def test_caches_follow_the_memory_limit(iris, memory_gib, globals_mib, routines_mib, gmheap_kib):
    text = merge_file(iris(memory_gib=memory_gib))

    assert f"globals=0,0,{globals_mib},0,0,0\n" in text
    assert f"routines={routines_mib}\n" in text
    assert f"gmheap={gmheap_kib}\n" in text
    assert globals_mib + routines_mib + gmheap_kib // 1024 < memory_gib * 1024


def test_given_caches_are_taken(iris):
    text = merge_file(iris(globals_mib=700, routines_mib=90, gmheap_kib=400000))

    assert "globals=0,0,700,0,0,0\nroutines=90\ngmheap=400000\n" in text


def test_iris_waits_for_its_journal_instead_of_going_on_without(iris):
    assert "[Journal]\nFreezeOnError=1\n" in merge_file(iris())


def test_further_lines_join_the_sections_of_the_merge_file(iris):
    text = merge_file(iris(cpf={"Config": {"locksiz": "0"}, "Actions": {"CreateRole": "Name=r"}}))

    assert text.count("[config]") == 1
    assert "[Config]" not in text
    assert "locksiz=0\n" in text
    assert "[Actions]\nCreateRole=Name=r\n" in text


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


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_probes_read_the_status_of_the_instance_and_never_its_health(iris, probe):
    command = container(iris())[probe]["exec"]["command"][-1]

    assert "iris qlist IRIS" in command
    assert "cut -d^ -f4" in command
    assert "irisHealth" not in command


@pytest.mark.parametrize(
    ("qlist", "running"),
    [
        ("IRIS^/usr/irissys^2026.2^running, since x^iris.cpf^1972^52773^62972^ok^IRIS", True),
        ("IRIS^/usr/irissys^2026.2^running, since x^iris.cpf^1972^52773^62972^alert^IRIS", True),
        ("IRIS^/usr/irissys^2026.2^down, last used x^iris.cpf^1972^52773^62972^^IRIS", False),
        ("IRIS^/running^2026.2^starting^iris.cpf^1972^52773^62972^ok^IRIS", False),
    ],
)
def test_the_probe_tells_a_running_instance_from_every_other(iris, tmp_path, qlist, running):
    stand_in = tmp_path / "iris"
    stand_in.write_text(f"#!/bin/sh\nprintf '%s\\n' '{qlist}'\n")
    stand_in.chmod(0o755)
    command = container(iris())["livenessProbe"]["exec"]["command"]
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    assert (subprocess.run(command, env=path, check=False).returncode == 0) is running


def test_recovery_after_a_crash_is_not_killed(iris):
    engine = iris()
    probe = container(engine)["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] == 1800
    assert engine.one(DEPLOYMENT).inputs["spec"]["progressDeadlineSeconds"] > 1800


def test_the_claim_is_for_one_node_of_the_given_class_and_size(iris):
    claim = iris(storage_gib=50).one(CLAIM).inputs["spec"]

    assert claim["accessModes"] == ["ReadWriteOnce"]
    assert claim["storageClassName"] == "longhorn-iris"
    assert claim["resources"]["requests"]["storage"] == "50Gi"
    assert iris().one(CLAIM).inputs["spec"]["resources"]["requests"]["storage"] == "10Gi"


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


def test_a_licence_key_is_mounted_and_named(iris):
    image = "containers.intersystems.com/intersystems/iris:2026.1"
    engine = iris(image=image, license_key="[ConfigFile]")
    args = container(engine)["args"]

    assert engine.named("iris-license").inputs["stringData"] == {"iris.key": "[ConfigFile]"}
    assert args[args.index("--key") + 1] == "/etc/ha-iris/license/iris.key"
    assert "--key" not in container(iris())["args"]


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


@pytest.mark.parametrize("bad", ["ab", "xy" * 64, "ab" * 32])
def test_a_salt_of_another_length_is_refused(bad):
    with pytest.raises(ValueError, match=r"64 bytes|hexadecimal"):
        password_hash("SYS", bad)


def test_the_service_waits_for_the_database_and_not_for_its_ten_minutes(iris):
    service = iris().one("kubernetes:core/v1:Service")

    assert "iris-deployment" in service.depends_on
