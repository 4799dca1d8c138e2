"""What must be true of IRIS as a StatefulSet: instances that share nothing, on two volumes each."""

import subprocess
import sys

import pytest

from tests.unit.conftest import ROOT
from tests.unit.iris_parts import CLAIM, DEPLOYMENT, SERVICE

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"


@pytest.fixture
def instances(iris):
    """Deploys so many instances of a StatefulSet and returns the engine."""

    def run(number=2, **settings):
        return iris(form="statefulset", instances=number, **settings)

    return run


def spec(engine):
    return engine.one(STATEFUL_SET).inputs["spec"]


def claims(engine):
    """Size of each claim, by name."""
    return {
        claim.inputs["metadata"]["name"]: claim.inputs["spec"]["resources"]["requests"]["storage"]
        for claim in engine.of_type(CLAIM)
    }


def services(engine):
    """What each Service selects, by name."""
    return {
        service.inputs["metadata"]["name"]: service.inputs["spec"]["selector"]
        for service in engine.of_type(SERVICE)
    }


PROMISES = {
    "nothing": {},
    "size": {"cpu": 3, "memory_gib": 8},
    "times": {"toleration_seconds": 30, "termination_grace_period_seconds": 90},
    "start": {"startup_seconds": 600, "hung_seconds": 900, "time_zone": "Europe/Berlin"},
    "licence": {"image": LICENSED, "license_key": "[ConfigFile]"},
}


@pytest.mark.parametrize("promise", PROMISES)
def test_its_pod_keeps_every_promise_of_the_deployments_pod(iris, instances, promise):
    settings = PROMISES[promise]
    one = iris(**settings).one(DEPLOYMENT, "iris-deployment").inputs["spec"]["template"]
    many = spec(instances(**settings))["template"]
    own = {"hostname", "volumes", "containers", "topologySpreadConstraints", "affinity"}

    assert many["metadata"] == one["metadata"]
    assert {k: v for k, v in many["spec"].items() if k not in own} == {
        k: v for k, v in one["spec"].items() if k not in own
    }
    (container,), (its,) = one["spec"]["containers"], many["spec"]["containers"]
    assert {**its, "volumeMounts": []} == {**container, "volumeMounts": []}
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "iris-data"}}
    assert many["spec"]["volumes"] == [v for v in one["spec"]["volumes"] if v != data]


def test_its_hosts_are_named_by_their_pods(instances):
    engine = instances()

    assert "hostname" not in spec(engine)["template"]["spec"]
    headless = engine.named("iris-hosts").inputs
    assert spec(engine)["serviceName"] == headless["metadata"]["name"] == "iris-hosts"
    assert headless["spec"]["clusterIP"] == "None"
    assert headless["spec"]["publishNotReadyAddresses"] is True


def test_iris_and_the_journals_are_on_one_volume_and_databases_on_another(instances):
    engine = instances(1, storage_gib=10, databases_gib=100)
    (container,) = spec(engine)["template"]["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    environment = {entry["name"]: entry["value"] for entry in container["env"]}

    assert mounts["system"] == "/data"
    assert mounts["databases"] == "/databases"
    assert environment["ISC_DATA_DIRECTORY"] == "/data/iris"
    assert claims(engine) == {"system-iris-0": "10Gi", "databases-iris-0": "100Gi"}


def test_the_second_volume_is_as_large_as_the_first_unless_it_is_said(instances):
    assert set(claims(instances(storage_gib=25)).values()) == {"25Gi"}


def test_every_instance_has_claims_by_the_names_that_its_pod_asks_for(instances):
    engine = instances(3)

    templates = [t["metadata"]["name"] for t in spec(engine)["volumeClaimTemplates"]]
    name = engine.one(STATEFUL_SET).inputs["metadata"]["name"]
    asked_for = {f"{template}-{name}-{n}" for template in templates for n in range(3)}
    assert claims(engine).keys() == asked_for
    before = {claim.name for claim in engine.of_type(CLAIM)}
    assert before <= set(engine.one(STATEFUL_SET).depends_on)


@pytest.mark.parametrize("protect", [True, False])
def test_every_claim_has_both_locks_of_the_deployments_claim(instances, protect):
    engine = instances(2, protect_data=protect)

    locks = {(claim.protect, claim.request.retainOnDelete) for claim in engine.of_type(CLAIM)}
    assert locks == {(protect, protect)}


def test_claims_outlive_the_statefulset_and_its_instances(instances):
    policy = spec(instances())["persistentVolumeClaimRetentionPolicy"]

    assert policy == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_a_volume_that_grows_touches_claims_alone(instances):
    before, after = instances(), instances(storage_gib=80, databases_gib=200)

    assert claims(before) != claims(after)
    assert spec(before) == spec(after)


def test_a_claim_that_is_gone_is_not_replaced_by_an_empty_volume(instances):
    classes = [t["spec"]["storageClassName"] for t in spec(instances())["volumeClaimTemplates"]]

    assert classes == ["", ""]
    assert {c.inputs["spec"]["storageClassName"] for c in instances().of_type(CLAIM)} == {
        "longhorn-iris"
    }


def test_another_instance_restarts_none(instances):
    before, after = spec(instances(1)), spec(instances(2))

    assert {**after, "replicas": 1} == before


def test_instances_wait_for_nobody_at_a_start_and_restart_one_by_one(instances):
    found = spec(instances())

    assert found["podManagementPolicy"] == "Parallel"
    assert found["updateStrategy"] == {"type": "RollingUpdate"}


def test_instances_prefer_zones_and_nodes_of_their_own_and_still_start_where_few_are_left(
    instances,
):
    rules = spec(instances())["template"]["spec"]["topologySpreadConstraints"]

    assert {rule["topologyKey"]: rule["whenUnsatisfiable"] for rule in rules} == {
        "topology.kubernetes.io/zone": "ScheduleAnyway",
        "kubernetes.io/hostname": "ScheduleAnyway",
    }


def test_no_service_leads_to_two_databases(instances):
    found = services(instances(2))
    labels = spec(instances(2))["template"]["metadata"]["labels"]

    assert found.pop("iris-hosts") == labels
    assert found == {
        f"iris-{n}": {**labels, "statefulset.kubernetes.io/pod-name": f"iris-{n}"} for n in (0, 1)
    }


def test_every_instance_without_a_web_server_has_gateways_of_its_own(instances):
    engine = instances(2, image=LICENSED)

    hosts = {
        resource.inputs["metadata"]["labels"]["app.kubernetes.io/instance"]: next(
            line
            for line in resource.inputs["stringData"]["CSP.ini"].splitlines()
            if line.startswith("Ip_Address")
        )
        for resource in engine.resources
        if resource.name.endswith("web-gateway-config")
    }
    assert hosts == {"iris-0": "Ip_Address=iris-0", "iris-1": "Ip_Address=iris-1"}
    found = services(engine)
    for instance in ("iris-0", "iris-1"):
        gateway = engine.named(f"{instance}-web-gateway-deployment").inputs["spec"]
        assert gateway["selector"]["matchLabels"] == found[f"{instance}-web"]
        assert found[f"{instance}-web"]["app.kubernetes.io/instance"] == instance


def test_an_update_waits_for_each_instance_in_turn(instances):
    one, three = (instances(n).one(STATEFUL_SET).request.customTimeouts for n in (1, 3))

    assert one.update == f"{30 + 600 + 1800 + 60}s"
    assert three.update == three.create == f"{3 * (30 + 600 + 1800) + 60}s"


def test_the_statefulset_asks_before_it_changes(instances):
    hooks = instances().one(STATEFUL_SET).request.hooks

    assert [*hooks.before_update] == [
        "iris-image-change",
        "iris-restart-told",
        "iris-upgrade",
        "iris-fewer-told",
    ]
    assert [*hooks.before_delete] == []


def test_all_instances_get_the_same_merge_file_and_accounts(iris, instances):
    for part in ("iris-cpf", "iris-scripts", "iris-service-account", "iris-credentials-password"):
        assert instances(2).named(part).inputs == iris().named(part).inputs


def test_a_database_without_a_directory_lies_on_the_volume_for_databases(iris, instances):
    actions = {"databases": [{"name": "APP"}, {"name": "OLD", "directory": "/data/old"}]}

    def lines(engine):
        return engine.named("iris-cpf").inputs["stringData"]["merge.cpf"]

    many, one = lines(instances(actions=actions)), lines(iris(actions=actions))
    assert "Name=APP,Directory=/databases/app" in many.replace('"', "")
    assert "Name=OLD,Directory=/data/old" in many.replace('"', "")
    assert "Name=APP,Directory=/data/app" in one.replace('"', "")


def test_a_stack_loads_the_form_that_it_runs_and_no_other():
    code = (
        "import sys; from components.iris import IrisSettings; "
        "from components.iris.forms import form_of; form_of(IrisSettings()); "
        "print([m for m in sys.modules if 'statefulset' in m or m.startswith('kubernetes')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
