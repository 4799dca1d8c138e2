"""What a stack gives to a Prometheus and a Grafana that are there already."""

import json
from typing import Any

import pytest
import yaml

from components.kubernetes_api import Unreachable
from components.monitoring.definitions import refusal
from stacks import compose
from tests.unit.iris_cluster import CHART
from tests.unit.iris_parts import DEPLOYMENT
from tests.unit.test_alerts import everything

POD_MONITOR = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
SERVICE_MONITOR = "kubernetes:monitoring.coreos.com/v1:ServiceMonitor"
RULE = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"


@pytest.fixture
def watched(committed):
    """The development stack, watched."""

    def run(iris: dict[str, Any] | None = None, **monitoring: Any):
        return committed("dev", iris=iris or {}, monitoring={"enabled": True, **monitoring})

    return run


def made(engine):
    """What monitoring consists of."""
    return [
        resource
        for resource in engine.resources
        if resource.parent == "monitoring" and resource.request.custom
    ]


def policy(engine, name: str) -> dict[str, Any]:
    """Spec of a NetworkPolicy."""
    return engine.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", name).inputs["spec"]


def test_by_default_nobody_is_given_anything(committed):
    engine = committed("dev")

    assert not [r for r in engine.resources if "onitoring" in r.type]
    assert "from" not in json.dumps(policy(engine, "iris-network-iris"))


def test_everything_is_in_the_namespace_of_iris_and_exists_after_it(watched):
    for resource in made(watched()):
        assert resource.inputs["metadata"]["namespace"] == "iris", resource.name
        assert "iris-namespace" in resource.depends_on, resource.name


def test_the_database_waits_for_none_of_it(watched):
    ours = {resource.name for resource in made(watched())}

    assert ours
    assert not ours & set(watched().one(DEPLOYMENT, "iris-deployment").depends_on)


def test_prometheus_reads_iris_at_its_own_web_server(watched):
    spec = watched().one(POD_MONITOR).inputs["spec"]

    assert spec["selector"]["matchLabels"]["app.kubernetes.io/name"] == "iris"
    (endpoint,) = spec["podMetricsEndpoints"]
    assert endpoint["port"] == "webserver"
    assert endpoint["path"] == "/api/monitor/metrics"
    assert endpoint["interval"] == "30s"
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "ha-iris"}]


def test_nobody_reads_the_alerts_that_are_gone_once_they_are_read(watched):
    assert "monitor/alerts" not in json.dumps([r.inputs for r in made(watched())])


def test_two_web_gateways_are_one_target(watched):
    engine = watched({"image": LICENSED})
    spec = engine.one(POD_MONITOR).inputs["spec"]
    gateway = engine.one(DEPLOYMENT, "iris-web-gateway-deployment").inputs["spec"]

    assert (
        spec["selector"]["matchLabels"].items() <= gateway["template"]["metadata"]["labels"].items()
    )
    (endpoint,) = spec["podMetricsEndpoints"]
    changed = {r["targetLabel"]: r["replacement"] for r in endpoint["relabelings"][:-1]}
    assert changed == {
        "job": "ha-iris",
        "__address__": "iris-web.iris.svc:52773",
        "instance": "iris-web.iris.svc:52773",
    }
    assert endpoint["relabelings"][-1] == {"action": "labeldrop", "regex": "pod|container|node"}


def test_each_instance_of_a_statefulset_is_read(watched):
    several = {"form": "statefulset", "instances": 2, "memoryGib": 2, "storageGib": 10}
    itself = watched(several)
    behind = watched({**several, "image": LICENSED})

    for ordinal in range(2):
        own = itself.one(POD_MONITOR, f"monitoring-iris-{ordinal}").inputs["spec"]
        chosen = own["selector"]["matchLabels"]
        assert chosen["statefulset.kubernetes.io/pod-name"] == f"iris-{ordinal}"
        far = behind.one(POD_MONITOR, f"monitoring-iris-{ordinal}").inputs["spec"]
        assert far["selector"]["matchLabels"]["app.kubernetes.io/instance"] == f"iris-{ordinal}"
        address = far["podMetricsEndpoints"][0]["relabelings"][1]["replacement"]
        assert address == f"iris-{ordinal}-web.iris.svc:52773"
    rules = itself.one(RULE, "monitoring-iris-rules").inputs["spec"]
    (down,) = [
        rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == "IrisDown"
    ]
    assert 'namespace="iris"}) < 2\n' in down["expr"]


def test_an_iris_of_the_operator_is_read_whatever_it_calls_its_ports(watched, caplog):
    engine = watched({"form": "operator", "operator": {"chart": str(CHART)}})
    spec = engine.one(POD_MONITOR).inputs["spec"]

    assert spec["selector"]["matchLabels"] == {
        "intersystems.com/kind": "IrisCluster",
        "intersystems.com/name": "iris",
        "intersystems.com/component": "data",
    }
    (endpoint,) = spec["podMetricsEndpoints"]
    assert "port" not in endpoint
    assert endpoint["relabelings"][1] == {
        "sourceLabels": ["__meta_kubernetes_pod_ip"],
        "targetLabel": "__address__",
        "replacement": "$1:52773",
    }
    assert endpoint["relabelings"][-1] == {"action": "labeldrop", "regex": "container"}
    assert "No isolation guard runs in the operator's pods" in caplog.text


def test_prometheus_is_let_in_where_iris_answers(watched):
    reader = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}}
    rule = {"from": [reader], "ports": [{"port": 52773, "protocol": "TCP"}]}
    itself = watched(prometheusNamespace="watch")
    behind = watched({"image": LICENSED}, prometheusNamespace="watch")

    assert rule in policy(itself, "iris-network-iris")["ingress"]
    assert rule in policy(behind, "iris-network-iris-web-gateway")["ingress"]
    assert "watch" not in json.dumps(policy(behind, "iris-network-iris"))


def test_who_else_reads_metrics_still_does(watched):
    engine = watched({"networkPolicy": {"metrics": [{"namespace": "sam"}]}})

    text = json.dumps(policy(engine, "iris-network-iris"))
    assert '"sam"' in text
    assert '"monitoring"' in text


def test_longhorn_is_read_at_each_manager(watched):
    spec = watched().one(SERVICE_MONITOR).inputs["spec"]

    assert spec["namespaceSelector"] == {"matchNames": ["longhorn-system"]}
    assert spec["selector"] == {"matchLabels": {"app": "longhorn-manager"}}
    assert [endpoint["port"] for endpoint in spec["endpoints"]] == ["manager"]


def test_longhorns_managers_are_closed_by_no_policy(watched):
    """One that let Prometheus in would keep everybody else from their webhooks."""
    engine = watched()
    values = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]

    assert values["networkPolicies"] == {"restrictInternalTraffic": False}
    for resource in engine.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy"):
        assert resource.inputs["metadata"]["namespace"] in ("iris", "iris-rehearsal")


def test_on_another_class_longhorn_is_neither_read_nor_shown(deploy, stack_config):
    config = stack_config("dev")
    del config["ha-iris:longhorn"]
    config |= {"ha-iris:iris": '{"storageClass": "local-path"}'}
    config |= {"ha-iris:monitoring": '{"enabled": true}'}

    engine = deploy(compose, config=config)

    assert not [resource.name for resource in made(engine) if "longhorn" in resource.name]
    assert engine.one(POD_MONITOR)


def test_a_prometheus_finds_its_objects_by_the_labels_it_looks_for(watched):
    engine = watched(labels={"release": "prometheus"})

    for token in (POD_MONITOR, SERVICE_MONITOR, RULE):
        for resource in engine.of_type(token):
            assert resource.inputs["metadata"]["labels"]["release"] == "prometheus"


def test_rules_come_a_subject_each_with_every_alert(watched):
    rules = watched().of_type(RULE)

    assert {r.inputs["metadata"]["name"] for r in rules} == {
        f"ha-iris-{subject}-rules"
        for subject in ("iris", "space", "community", "rehearsal", "longhorn", "backup", "guard")
    }
    alerts = [
        rule["alert"]
        for resource in rules
        for group in resource.inputs["spec"]["groups"]
        for rule in group["rules"]
    ]
    others = ("Licence", "Upload", "Certificate", "Fenc", "NodeOutOfService")
    expected = [r["alert"] for r in everything() if not any(word in r["alert"] for word in others)]
    assert sorted(alerts) == sorted(set(expected))


def test_alerts_lead_to_the_runbooks_that_the_team_reads(watched):
    engine = watched(runbooks="https://wiki.example.com/iris")

    for resource in engine.of_type(RULE):
        for line in yaml.safe_dump(resource.inputs["spec"], width=10000).splitlines():
            if "runbook_url" in line:
                assert "runbook_url: https://wiki.example.com/iris#" in line


def test_a_disk_of_longhorns_own_may_fill_further_than_a_shared_one(watched, committed):
    shared = json.dumps([r.inputs for r in watched().of_type(RULE)])
    dedicated = committed("dev", cluster={"dedicatedDisk": True}, monitoring={"enabled": True})
    own = json.dumps([r.inputs for r in dedicated.of_type(RULE)])

    assert "(100 - 25) / 100" in shared
    assert "(100 - 10) / 100" in own


def test_grafana_finds_two_dashboards_by_their_label(watched):
    shown = [
        resource
        for resource in watched().of_type(CONFIG_MAP)
        if resource.inputs["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    ]

    # The engine hears of the two in whichever order.
    assert sorted(file for resource in shown for file in resource.inputs["data"]) == [
        "ha-iris-iris-iris.json",
        "ha-iris-iris-longhorn.json",
    ]
    for resource in shown:
        (text,) = resource.inputs["data"].values()
        assert json.loads(text)["panels"]


def test_dashboards_can_be_left_out(watched):
    engine = watched(dashboards=False)

    assert not [r for r in made(engine) if r.type == CONFIG_MAP]


def test_a_login_is_named_and_never_held(watched):
    engine = watched(credentialsSecret="prometheus-login")
    (endpoint,) = engine.one(POD_MONITOR).inputs["spec"]["podMetricsEndpoints"]

    assert endpoint["basicAuth"] == {
        "username": {"name": "prometheus-login", "key": "username"},
        "password": {"name": "prometheus-login", "key": "password"},
    }
    assert not [r for r in made(engine) if r.secret_inputs]


def test_an_iris_that_nothing_answers_for_is_refused(refused, stack_config):
    config = stack_config("dev")
    config["ha-iris:iris"] = json.dumps({"image": LICENSED, "webGateway": {"enabled": False}})
    config["ha-iris:monitoring"] = '{"enabled": true}'

    told = refused(config, stack="dev")

    assert "ha-iris:monitoring: enabled is true, and nothing answers for the metrics of" in told
    assert "drop iris.webGateway.enabled, or drop enabled here" in told


def test_the_cluster_is_asked_once_before_the_first_object(watched):
    engine = watched()
    asking = [
        r.name for r in engine.resources if "monitoring-kinds" in r.request.hooks.before_create
    ]

    assert asking == ["monitoring-iris"]
    for resource in made(engine):
        assert resource.name == "monitoring-iris" or "monitoring-iris" in resource.depends_on
        assert not resource.request.hooks.before_delete


def lacks(*kinds: str):
    """A cluster that does not know these."""
    return lambda _: [*kinds]


def test_a_cluster_without_the_kinds_is_told_what_it_lacks_before_anything_is_made():
    told = refusal("config", preview=False, look=lacks("PodMonitor", "PrometheusRule"))

    assert told is not None
    assert "is true, and the cluster knows no PodMonitor, PrometheusRule of monitoring" in told
    assert "install the Prometheus Operator first" in told
    assert "docs/monitoring.md" in told
    # A preview says the same, as a warning: they may still come.
    assert refusal("config", preview=True, look=lacks("PodMonitor", "PrometheusRule")) == told


def test_a_cluster_with_the_kinds_is_told_nothing():
    assert refusal("config", preview=False, look=lacks()) is None


def test_an_update_without_an_answer_makes_nothing_and_a_preview_goes_on():
    def silent(_: str) -> list[str]:
        raise Unreachable("no route")

    told = refusal("config", preview=False, look=silent)

    assert told == "nobody knows whether monitoring.coreos.com/v1 is there: no route"
    assert refusal("config", preview=True, look=silent) is None


def test_of_a_cluster_that_does_not_exist_yet_nobody_is_asked():
    def never(_: str) -> list[str]:
        raise AssertionError("asked")

    assert refusal(None, preview=True, look=never) is None
