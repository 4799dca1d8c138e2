"""Which alerts a stack has, by its own schedules, store, guard and certificates."""

import json
from typing import Any

import pytest

from tests.unit.test_monitoring import POD_MONITOR, RULE


def rules(engine, subject: str) -> str:
    """A rule file as text; empty where there is none."""
    found = [r for r in engine.of_type(RULE) if r.name == f"monitoring-{subject}-rules"]
    return json.dumps([r.inputs["spec"] for r in found]) if found else ""


STORE = {"nfs": {"server": "nas.example.com", "path": "/exports/longhorn"}}


@pytest.mark.parametrize(
    ("backup", "frozen", "uploaded"),
    [
        ({}, 2, None),
        (STORE, 2, 2),
        ({**STORE, "snapshots": {"schedule": "0 3 * * 0"}}, 8, 8),
        ({**STORE, "snapshots": {"enabled": False}}, None, 2),
        (
            {**STORE, "uploads": {"schedule": "0 3 1 * *"}, "snapshots": {"enabled": False}},
            None,
            32,
        ),
        ({**STORE, "uploads": {"enabled": False}, "snapshots": {"enabled": False}}, None, None),
        ({"snapshots": {"enabled": False}}, None, None),
    ],
)
def test_how_old_a_backup_may_be_follows_the_schedules_of_the_stack(
    committed, backup, frozen, uploaded
):
    # Until a backup that has them is outside the cluster.
    iris = {"parameters": {"journal": {"daysBeforePurge": 33}}}
    engine = committed("dev", backup=backup, iris=iris, monitoring={"enabled": True})

    for subject, days in (("backup", frozen), ("uploads", uploaded)):
        text = rules(engine, subject)
        assert bool(text) == (days is not None), subject
        assert days is None or f"> {days * 24 * 3600}" in text, subject


def test_the_days_of_certificates_are_read_at_cert_manager_and_only_where_there_are_any(committed):
    def watched(**iris: Any):
        return committed("dev", iris=iris, monitoring={"enabled": True})

    assert not rules(watched(), "certificates")
    engine = watched(tls={"superserver": "optional"})
    monitor = engine.one(POD_MONITOR, "monitoring-cert-manager").inputs["spec"]

    assert "iris-superserver-tls|iris-superserver-ca" in rules(engine, "certificates")
    assert monitor["namespaceSelector"] == {"matchNames": ["cert-manager"]}
    assert monitor["podMetricsEndpoints"][0]["honorLabels"] is True
    # Of one that somebody puts there nobody knows the days.
    given = watched(tls={"superserver": "optional", "secretName": "ours"})
    assert not rules(given, "certificates")


def test_every_certificate_that_the_stack_makes_is_watched(committed):
    access = {
        "hostname": "iris.example.org",
        "via": "ingress",
        "ingress": {"className": "nginx"},
        "controllers": [{"namespace": "ingress-nginx"}],
        "certificate": {"source": "issuer", "issuer": {"name": "ours"}},
    }
    engine = committed(
        "dev",
        access=access,
        iris={"tls": {"superserver": "optional"}},
        monitoring={"enabled": True},
    )
    made_here = {
        r.inputs["metadata"]["name"]
        for r in engine.of_type("kubernetes:cert-manager.io/v1:Certificate")
    }

    assert made_here == {"iris-web", "iris-superserver-tls", "iris-superserver-ca"}
    assert '"iris-web|iris-superserver-tls|iris-superserver-ca' in rules(
        engine, "certificates"
    ).replace("\\", "")
    assert "< 3" in rules(engine, "certificates")


@pytest.mark.parametrize(("fenced", "watched"), [(True, True), (True, False), (False, True)])
def test_the_fencing_agents_are_read_where_both_are_wanted_and_by_prometheus_alone(
    eks, fenced, watched
):
    engine = eks(fencing={"enabled": fenced}, monitoring={"enabled": watched})

    monitors = [r.inputs["spec"] for r in engine.of_type(POD_MONITOR) if "fencing" in r.name]
    policies = [
        r.inputs["spec"]["ingress"]
        for r in engine.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
        if r.name == "fencing-network"
    ]
    assert bool(rules(engine, "fencing")) == (fenced and watched)
    if not (fenced and watched):
        assert monitors == []
        assert policies == ([[]] if fenced else [])
        return
    (monitor,), ((rule,),) = monitors, policies
    pod = engine.one("kubernetes:apps/v1:Deployment", "fencing-deployment").inputs["spec"]
    labels, (container,) = (
        pod["template"]["metadata"]["labels"],
        pod["template"]["spec"]["containers"],
    )
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert [endpoint["port"]] == [port["name"] for port in container["ports"]]
    assert rule["ports"][0]["port"] == container["ports"][0]["containerPort"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ]


def test_without_the_guard_nothing_is_said_of_it(committed):
    off = committed("dev", iris={"guard": {"enabled": False}}, monitoring={"enabled": True})

    assert not rules(off, "guard")


@pytest.mark.parametrize(
    ("iris", "schedule", "claims", "minutes"),
    [
        ({}, "*/15 * * * *", "iris-journals", 75),
        (
            {"form": "statefulset", "instances": 2},
            "0 * * * *",
            "journals-iris-0|journals-iris-1",
            120,
        ),
        ({"volume": 3}, "0 8-18 * * *", "iris-journals-3", 15 * 60),
    ],
)
def test_uploads_of_journals_that_stop_are_told_after_one_run_and_an_hour(
    committed, iris, schedule, claims, minutes
):
    engine = committed(
        "dev",
        iris={**iris, "journals": {"volumeGib": 10}},
        backup={**STORE, "journals": {"schedule": schedule}},
        monitoring={"enabled": True},
    )
    (rule,) = engine.one(RULE, "monitoring-journals-rules").inputs["spec"]["groups"][0]["rules"]

    assert f'pvc=~"{claims}"' in rule["expr"]
    assert f"> {minutes * 60}\n" in rule["expr"]


@pytest.mark.parametrize(
    ("iris", "backup"),
    [
        ({}, STORE),
        ({"journals": {"volumeGib": 10}}, {}),
        ({"journals": {"volumeGib": 10}}, {**STORE, "journals": {"enabled": False}}),
    ],
)
def test_where_journals_are_not_uploaded_by_themselves_nothing_is_said_of_them(
    committed, iris, backup
):
    engine = committed("dev", iris=iris, backup=backup, monitoring={"enabled": True})

    assert not rules(engine, "journals")
