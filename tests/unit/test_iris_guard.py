"""The isolation guard's times, its part of the pod, and what it needs from Longhorn."""

import json

import pytest
from pydantic import ValidationError

from components.iris.guard import timing
from components.iris.guard.settings import GuardSettings
from components.longhorn.settings import MOST_ENGINE_TIMEOUT, LonghornSettings
from stacks import compose
from tests.unit.iris_parts import container, environment, pod

PEERS = "longhorn-peers.longhorn-system.svc:9500"
RELEASE = "kubernetes:helm.sh/v3:Release"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def accepted(**guard):
    """Whether settings of the guard are taken at all."""
    try:
        return GuardSettings(**guard)
    except ValidationError:
        return None


def engine_timeout(engine):
    """What Longhorn's chart is told."""
    return engine.one(RELEASE).inputs["values"]["defaultSettings"]["engineReplicaTimeout"]


def peers(engine):
    """The Service of Longhorn's managers, or nothing."""
    return [s for s in engine.resources if s.name == "longhorn-peers"]


@pytest.fixture
def dev(committed):
    """Runs the development stack with some settings changed."""
    return lambda **groups: committed("dev", **groups)


def test_iris_is_dead_before_longhorns_engine_goes_on_whatever_a_stack_file_may_say(
    kubeconfig, refused, deploy
):
    taken = 0
    for seconds in range(61):
        for waits in range(61):
            if not accepted(isolated_seconds=seconds):
                continue
            try:
                longhorn = LonghornSettings(engine_replica_timeout_seconds=waits or None)
            except ValidationError:
                continue
            waits = longhorn.engine_timeout(guarded=True)
            if timing.too_late(seconds, engine_timeout=waits):
                continue
            taken += 1
            assert 8 <= waits <= 30
            assert timing.dead_after(seconds) < waits
    assert taken > 30


def test_the_longest_way_is_the_sum_of_all_that_may_come_one_after_the_other():
    # Write, hang, decision, slow start of processes; two probes and the last one; hook, stop, kill.
    assert timing.dead_after(15) == 1 + 15 + 1 + 1 + 2 * 2 + 1 + 1 + 2 + 1


def test_the_most_patient_guard_goes_with_the_most_patient_engine():
    most = timing.most_isolated_seconds(MOST_ENGINE_TIMEOUT)

    assert accepted(isolated_seconds=most)
    assert not accepted(isolated_seconds=most + 1)
    assert not timing.too_late(most, engine_timeout=MOST_ENGINE_TIMEOUT)
    assert timing.too_late(most, engine_timeout=MOST_ENGINE_TIMEOUT - 1)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (
            {"longhorn": {"engineReplicaTimeoutSeconds": 20}},
            "engineReplicaTimeoutSeconds is 20, and on a node that is cut off IRIS may live for "
            "27 s: iris.guard.isolatedSeconds is 15, and 12 more may pass until it is dead. What "
            "it confirms in between is lost; set engineReplicaTimeoutSeconds to 28 or more, or "
            "iris.guard.isolatedSeconds to 7 or less",
        ),
        (
            {"iris": {"guard": {"isolatedSeconds": 16}}},
            "set engineReplicaTimeoutSeconds to 29 or more, or iris.guard.isolatedSeconds to 15 "
            "or less",
        ),
        (
            {"longhorn": {"engineReplicaTimeoutSeconds": 8}},
            "set engineReplicaTimeoutSeconds to 28 or more",
        ),
        (
            {"longhorn": {"engineReplicaTimeoutSeconds": 31}},
            "ha-iris:longhorn.engineReplicaTimeoutSeconds is 31",
        ),
        (
            {"longhorn": {"engineReplicaTimeoutSeconds": 7}},
            "ha-iris:longhorn.engineReplicaTimeoutSeconds is 7",
        ),
        ({"iris": {"guard": {"isolatedSeconds": 4}}}, "ha-iris:iris.guard.isolatedSeconds is 4"),
        (
            {"iris": {"storageClass": "fast", "guard": {"isolatedSeconds": 9}}},
            "storageClass is fast; drop guard",
        ),
    ],
)
def test_a_guard_that_comes_too_late_or_guards_nothing_is_refused(
    refused, kubeconfig, groups, said
):
    config = {"cluster": {"kubeconfig": kubeconfig}, **groups}

    assert said in refused({f"ha-iris:{key}": json.dumps(group) for key, group in config.items()})


@pytest.mark.parametrize(
    "groups",
    [
        {"longhorn": {"engineReplicaTimeoutSeconds": 8}, "iris": {"guard": {"enabled": False}}},
        {"longhorn": {"engineReplicaTimeoutSeconds": 8, "replicas": 1}},
        {"iris": {"storageClass": "fast", "guard": {"enabled": False}}},
        {
            "iris": {"guard": {"isolatedSeconds": 7}},
            "longhorn": {"engineReplicaTimeoutSeconds": 20},
        },
    ],
)
def test_longhorn_may_be_quick_where_nothing_is_guarded_or_the_guard_is_quicker(
    deploy, kubeconfig, groups
):
    config = {"cluster": {"kubeconfig": kubeconfig}, **groups}

    engine = deploy(compose, config={f"ha-iris:{k}": json.dumps(v) for k, v in config.items()})

    assert engine.named("iris-deployment")


def test_a_default_stack_is_guarded_and_longhorn_waits_for_it(dev):
    engine = dev()

    assert engine_timeout(engine) == 28
    (service,) = peers(engine)
    assert service.inputs["metadata"]["namespace"] == "longhorn-system"
    assert service.inputs["spec"] == {
        "clusterIP": "None",
        "selector": {"app": "longhorn-manager"},
        "publishNotReadyAddresses": True,
        "ports": [{"name": "manager", "port": 9500, "targetPort": 9500}],
    }
    told = environment(engine)
    assert told["GUARD_PEERS"] == PEERS
    assert told["GUARD_SECONDS"] == "15"
    assert told["GUARD_GRACE"] == "30"
    assert {"GUARD_EVERY", "GUARD_TIMEOUT", "GUARD_FOLDER", "GUARD_VOLUME"} <= told.keys()


def test_the_probe_is_quick_with_a_verdict_patient_where_it_hangs_and_leaves_no_time_to_write(dev):
    probe = container(dev())["livenessProbe"]

    assert probe["exec"]["command"] == ["/etc/ha-iris/scripts/guard.sh", "alive"]
    assert probe["periodSeconds"] * probe["failureThreshold"] <= 4
    # One failure may be a probe that stood still with the whole machine.
    assert probe["failureThreshold"] >= 2
    # As patient with a machine on which nothing starts as six times fifteen seconds.
    assert probe["timeoutSeconds"] * probe["failureThreshold"] >= 90
    assert probe["terminationGracePeriodSeconds"] == 1


def test_what_the_guard_remembers_is_in_memory_and_small(dev):
    engine = dev()
    told = environment(engine)
    (volume,) = [v for v in pod(engine)["volumes"] if v["name"] == "guard"]
    (mount,) = [m for m in container(engine)["volumeMounts"] if m["name"] == "guard"]

    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Mi"}
    assert mount["mountPath"] == told["GUARD_FOLDER"]
    (data,) = [m for m in container(engine)["volumeMounts"] if m["name"] == "data"]
    assert data["mountPath"] == told["GUARD_VOLUME"]


@pytest.mark.parametrize(
    "groups",
    [
        {"iris": {"guard": {"enabled": False}}},
        {"longhorn": {"chart": "./lab/charts/longhorn", "replicas": 1}},
    ],
)
def test_without_a_guard_the_probe_asks_iris_itself_and_longhorn_is_as_quick_as_by_itself(
    dev, groups
):
    engine = dev(**groups)

    assert engine_timeout(engine) == 8
    assert peers(engine) == []
    assert "GUARD_PEERS" not in environment(engine)
    assert [v["name"] for v in pod(engine)["volumes"]] == ["data", "cpf", "scripts"]
    probe = container(engine)["livenessProbe"]
    assert "iris qlist IRIS" in probe["exec"]["command"][-1]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 90
    assert "terminationGracePeriodSeconds" not in probe


def test_the_preview_says_why_a_volume_of_one_copy_has_no_guard(dev, caplog):
    with caplog.at_level("INFO"):
        dev(longhorn={"chart": "./lab/charts/longhorn", "replicas": 1, "dataPath": "/var/lib/one/"})

    assert "isolation guard is off" in caplog.text


def test_a_list_of_what_iris_may_reach_leaves_the_guard_its_peers(iris):
    (entry,) = [
        policy.inputs["spec"]
        for policy in iris(network_policy={"egress": []}).of_type(POLICY)
        if policy.name == "iris-network-iris-guard"
    ]

    assert entry["policyTypes"] == ["Egress"]
    (rule,) = entry["egress"]
    assert rule["ports"] == [{"port": 9500, "protocol": "TCP"}]
    assert rule["to"] == [
        {
            "namespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": "longhorn-system"}
            },
            "podSelector": {"matchLabels": {"app": "longhorn-manager"}},
        }
    ]


def test_where_iris_may_reach_everything_or_has_no_guard_there_is_no_such_policy(iris):
    for settings in (
        {},
        {"network_policy": {"egress": []}, "guard": {"enabled": False}},
        {"network_policy": {"egress": []}, "storage_class": "fast"},
    ):
        names = [policy.name for policy in iris(**settings).of_type(POLICY)]
        assert "iris-network-iris-guard" not in names
