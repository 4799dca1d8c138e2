"""Monitors, rules and dashboards against a real API server with the operator's own kinds.

Neither the operator nor Prometheus nor Grafana runs here: nothing is read, and no alert is sent.
"""

import json

import pytest
import yaml

from lab.engine import EngineError
from lab.status import status
from tests.crds import PROMETHEUS_OPERATOR, definitions
from tests.lab.stack import changes, exists

ON = {"monitoring": {"enabled": True, "labels": {"release": "prometheus"}}}
KINDS = "podmonitors,servicemonitors,prometheusrules"


@pytest.fixture(scope="module")
def kinds(control_plane):
    """The cluster, once it knows the kinds."""
    manifest = yaml.safe_dump_all(definitions(PROMETHEUS_OPERATOR))

    def bring() -> None:
        control_plane.kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
        for crd in definitions(PROMETHEUS_OPERATOR):
            name = f"crd/{crd['metadata']['name']}"
            control_plane.kubectl("wait", "--for=condition=Established", name, "--timeout=30s")

    return bring


def test_a_cluster_without_the_kinds_is_left_alone_until_they_are_there(stack, kinds):
    stack.groups = ON
    before = stack.claim_uid()

    warned = stack.run("preview")
    with pytest.raises(EngineError) as refused:
        stack.run("up")

    assert "`pulumi up` would be refused: ha-iris:monitoring.enabled is true" in str(
        warned.warnings
    )
    assert "the cluster knows no PodMonitor, ServiceMonitor, PrometheusRule" in str(
        refused.value.result.errors
    )
    assert not exists(stack, "configmap", "-n", "iris", "-l", "grafana_dashboard=1")

    kinds()
    stack.run("up")

    found = {
        (one["kind"], one["metadata"]["name"]) for one in stack.get(KINDS, "-n", "iris")["items"]
    }
    assert found == {
        ("PodMonitor", "ha-iris-iris"),
        ("ServiceMonitor", "ha-iris-longhorn"),
        *(
            ("PrometheusRule", f"ha-iris-{subject}-rules")
            for subject in (
                "iris",
                "space",
                "community",
                "rehearsal",
                "longhorn",
                "backup",
                "guard",
            )
        ),
    }
    assert stack.claim_uid() == before
    assert changes(stack.run("up")) == {}


def test_the_api_server_keeps_every_field(shared_stack):
    (endpoint,) = shared_stack.get("podmonitor", "ha-iris-iris", "-n", "iris")["spec"][
        "podMetricsEndpoints"
    ]
    rules = shared_stack.get("prometheusrule", "ha-iris-longhorn-rules", "-n", "iris")
    shown = shared_stack.get("configmap", "-n", "iris", "-l", "grafana_dashboard=1")["items"]
    door = json.dumps(shared_stack.get("networkpolicy", "iris", "-n", "iris")["spec"])

    assert endpoint["path"] == "/api/monitor/metrics"
    assert endpoint["relabelings"][0]["replacement"] == "ha-iris"
    (group,) = rules["spec"]["groups"]
    assert "IrisOneHealthyCopy" in [rule["alert"] for rule in group["rules"]]
    assert rules["metadata"]["labels"]["release"] == "prometheus"
    assert len(shown) == 2
    assert '"monitoring"' in door


def test_switched_off_it_goes_whole_and_the_database_stays(shared_stack):
    claim = shared_stack.claim_uid()
    shared_stack.groups = {}

    done = changes(shared_stack.run("up"))

    assert {name for name in done if not name.startswith("monitoring")} == {"iris-network-iris"}
    assert not exists(shared_stack, KINDS, "-n", "iris")
    assert not exists(shared_stack, "configmap", "-n", "iris", "-l", "grafana_dashboard=1")
    assert shared_stack.claim_uid() == claim


REFUSED = (
    "Readiness probe failed: merge-errors: IRIS refused something of its merge file since this "
    "start:\n"
    "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #507: Action 'CreateDatabase' failed at "
    "line 2\n"
    "merge-errors: it runs on without this; what to do is in docs/cpf.md, Was it applied?"
)


def test_status_tells_what_iris_refused_of_its_merge_file(
    shared_stack, capsys: pytest.CaptureFixture
):
    # No kubelet runs in the lab: this is the Event that one makes of a failed probe.
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "iris-refused", "namespace": "iris"},
        "involvedObject": {"kind": "Pod", "namespace": "iris", "name": "iris-1"},
        "reason": "Unhealthy",
        "type": "Warning",
        "message": REFUSED,
    }
    status("dev", shared_stack.home)
    before = capsys.readouterr().out
    manifest = shared_stack.home.root / "event.json"
    manifest.write_text(json.dumps(event))
    shared_stack.kubectl("create", "-f", str(manifest))

    status("dev", shared_stack.home)

    told = capsys.readouterr().out
    assert "merge refused" not in before
    assert "iris/iris-1: IRIS refused something of its merge file since this start:" in told
    assert "ERROR #507: Action 'CreateDatabase' failed at line 2" in told
    assert "docs/runbooks.md, IrisMergeRefused" in told
