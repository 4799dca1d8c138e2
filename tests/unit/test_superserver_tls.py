"""TLS for SQL clients and for the web gateway, on the superserver."""

import json

import pytest

from tests.unit.cpf_reader import action, sections
from tests.unit.iris_parts import container, merge_file, pod
from tests.unit.test_web_gateway import config, ini

LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"
COMMUNITY = "containers.intersystems.com/intersystems/iris-community:2026.2"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
ISSUER = "kubernetes:cert-manager.io/v1:Issuer"
BALANCED = {"type": "LoadBalancer", "source_ranges": ["10.8.0.0/16"]}


def tls_lines(engine):
    """Actions that have to do with TLS, in their order."""
    lines = [action(line) for line in sections(merge_file(engine))["Actions"]]
    return [(kind, given) for kind, given in lines if "SSL" in kind or kind == "ModifyServer"]


def gateway_pod(engine):
    """Spec of the web gateway's pod."""
    deployment = engine.named("iris-web-gateway-deployment")
    return deployment.inputs["spec"]["template"]["spec"]


def test_iris_is_told_nothing_of_tls_unless_asked(iris):
    engine = iris()

    assert tls_lines(engine) == []
    assert "tls" not in {volume["name"] for volume in pod(engine)["volumes"]}
    assert not [r for r in engine.resources if "cert-manager" in r.type]


@pytest.mark.parametrize(("mode", "level"), [("optional", "1"), ("required", "2")])
def test_the_default_superserver_uses_a_configuration_that_was_made_before_it(iris, mode, level):
    lines = tls_lines(iris(image=LICENSED, tls={"superserver": mode}))

    assert [kind for kind, _ in lines] == ["CreateSSLConfig", "ModifySSLConfig", "ModifyServer"]
    (_, made), (_, modified), (_, server) = lines
    assert made == modified
    assert (made["Name"], made["Type"]) == ("%SuperServer", "1")
    assert server == {
        "Port": "1972",
        "BindAddress": "",
        "SSLConfig": "%SuperServer",
        "SSLSupportLevel": level,
    }


def test_tls_that_was_merged_once_is_taken_back_by_disabled(iris):
    ((kind, server),) = tls_lines(iris(tls={"superserver": "disabled"}))

    assert (kind, server["SSLSupportLevel"]) == ("ModifyServer", "0")


def test_key_and_certificate_are_where_iris_looks_and_irisowner_alone_reads_them(iris):
    engine = iris(tls={"superserver": "optional"})

    (volume,) = (v for v in pod(engine)["volumes"] if v["name"] == "tls")
    (mount,) = (m for m in container(engine)["volumeMounts"] if m["name"] == "tls")
    assert volume["secret"] == {"secretName": "iris-superserver-tls", "defaultMode": 0o440}
    assert mount["readOnly"]
    # A file mounted by subPath would never see a renewed certificate.
    assert "subPath" not in mount
    (_, made), *_ = tls_lines(engine)
    assert made["CertificateFile"] == f"{mount['mountPath']}/tls.crt"
    assert made["PrivateKeyFile"] == f"{mount['mountPath']}/tls.key"


def test_clients_may_call_the_superserver_by_every_name_that_outputs_tell(iris):
    service = {**BALANCED, "hostname": "sql.clinic.org"}
    engine = iris(service=service, tls={"superserver": "optional"})

    (server,) = (
        c.inputs["spec"] for c in engine.of_type(CERTIFICATE) if "isCA" not in c.inputs["spec"]
    )
    assert set(server["dnsNames"]) >= {
        "sql.clinic.org",
        "iris",
        "iris.iris.svc.cluster.local",
        "localhost",
    }
    assert server["duration"] == "8760h0m0s"


def test_the_authority_of_our_own_keeps_its_key_and_issues_the_certificate(iris):
    engine = iris(tls={"superserver": "optional"})

    certificates = {c.inputs["spec"]["secretName"]: c.inputs for c in engine.of_type(CERTIFICATE)}
    authority = certificates["iris-superserver-ca"]["spec"]
    assert authority["isCA"]
    assert authority["privateKey"]["rotationPolicy"] == "Never"
    issuers = {i.inputs["metadata"]["name"]: i.inputs["spec"] for i in engine.of_type(ISSUER)}
    issued_by = certificates["iris-superserver-tls"]["spec"]["issuerRef"]["name"]
    assert issuers[issued_by] == {"ca": {"secretName": "iris-superserver-ca"}}


def test_an_issuer_that_exists_is_asked_instead(iris):
    tls = {"superserver": "optional", "issuer": {"name": "clinic"}, "names": ["sql.clinic.org"]}
    engine = iris(tls=tls)

    (certificate,) = engine.of_type(CERTIFICATE)
    assert certificate.inputs["spec"]["issuerRef"]["kind"] == "ClusterIssuer"
    assert certificate.inputs["spec"]["dnsNames"] == ["sql.clinic.org"]
    assert engine.of_type(ISSUER) == []


def test_a_secret_that_exists_needs_no_cert_manager(iris):
    engine = iris(tls={"superserver": "optional", "secret_name": "clinic-sql"})

    assert not [r for r in engine.resources if "cert-manager" in r.type]
    (volume,) = (v for v in pod(engine)["volumes"] if v["name"] == "tls")
    assert volume["secret"]["secretName"] == "clinic-sql"


def test_iris_waits_for_its_secret_and_the_certificate_does_not_wait_for_iris(iris):
    engine = iris(tls={"superserver": "optional"})

    for certificate in engine.of_type(CERTIFICATE):
        assert "iris-deployment" not in certificate.depends_on


def test_the_web_gateway_reaches_iris_by_tls_and_checks_whom_it_talks_to(iris):
    engine = iris(image=LICENSED, tls={"superserver": "required"})

    told = ini(config(engine)["CSP.ini"])["IRIS"]
    assert told["Connection_Security_Level"] == "10"
    (mount,) = (
        m for m in gateway_pod(engine)["containers"][0]["volumeMounts"] if m["name"] == "tls"
    )
    assert told["SSLCC_CA_Certificate_File"] == f"{mount['mountPath']}/ca.crt"
    # The gateway gets no key of IRIS's.
    (volume,) = (v for v in gateway_pod(engine)["volumes"] if v["name"] == "tls")
    assert [item["key"] for item in volume["secret"]["items"]] == ["ca.crt"]


def test_a_web_gateway_without_tls_is_configured_as_before(iris):
    told = ini(config(iris(image=LICENSED))["CSP.ini"])["IRIS"]

    assert told["Connection_Security_Level"] == "0"
    assert not [key for key in told if key.startswith("SSLCC")]


def test_a_secret_without_the_authoritys_certificate_leaves_the_web_gateway_without_one(iris):
    tls = {"superserver": "optional", "secret_name": "clinic-sql", "ca_in_secret": False}
    engine = iris(image=LICENSED, tls=tls)

    told = ini(config(engine)["CSP.ini"])["IRIS"]
    assert told["Connection_Security_Level"] == "10"
    assert "SSLCC_CA_Certificate_File" not in told
    assert [v["name"] for v in gateway_pod(engine)["volumes"]] == ["config"]


def test_probes_ask_for_no_tls(iris):
    before, after = (
        container(iris(**given)) for given in ({}, {"tls": {"superserver": "optional"}})
    )

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert before[probe] == after[probe]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"image": COMMUNITY, "tls": {"superserver": "required"}},
            "tls: superserver is required, and the web server in this image reaches IRIS through",
        ),
        (
            {"tls": {"secretName": "clinic"}},
            "tls.secretName is clinic: no certificate is used while the superserver speaks no TLS",
        ),
        (
            {"tls": {"superserver": "optional", "secretName": "a", "issuer": {"name": "b"}}},
            "tls.issuer: secretName is a, which has a certificate already; drop secretName or",
        ),
        (
            {"tls": {"superserver": "optional", "issuer": {"name": "iris-letsencrypt-staging"}}},
            "iris-letsencrypt-staging is made behind the database, which would wait for it",
        ),
        (
            {"tls": {"superserver": "optional", "caInSecret": False}},
            "tls.caInSecret is false: our own authority always puts ca.crt there; drop caInSec",
        ),
        (
            {"tls": {"superserver": "optional", "secretName": "a", "names": ["sql.clinic.org"]}},
            "the certificate in the Secret has its names already; drop names or secretName",
        ),
        (
            {"tls": {"superserver": "on"}},
            "tls.superserver is on: it must be one of 'disabled', 'optional' or 'required'",
        ),
        (
            {
                "tls": {"superserver": "optional"},
                "actions": {
                    "sslConfigs": [
                        {
                            "name": "%superserver",
                            "type": "server",
                            "certificateFile": "/a",
                            "privateKeyFile": "/b",
                            "verifyPeer": "none",
                        }
                    ]
                },
            },
            "tls: actions.sslConfigs has %SuperServer, which tls makes; drop it there",
        ),
        (
            {
                "form": "operator",
                "operator": {"chart": "lab/charts/iris-operator"},
                "tls": {"superserver": "optional"},
            },
            "takes the certificate of an IrisCluster by operator.tls; drop tls",
        ),
    ],
)
def test_tls_that_could_not_work_is_refused(refused, stack_config, settings, expected):
    config = {**stack_config("dev"), "ha-iris:iris": json.dumps(settings)}

    assert expected in refused(config, stack="dev")


def test_the_certificate_names_the_service_of_each_instance(iris):
    engine = iris(form="statefulset", instances=2, tls={"superserver": "optional"})
    [names] = [
        made.inputs["spec"]["dnsNames"]
        for made in engine.resources
        if made.type == CERTIFICATE and "dnsNames" in made.inputs["spec"]
    ]

    assert {"iris-0", "iris-1.iris.svc.cluster.local", "localhost"} <= set(names)
    assert "iris" not in names
