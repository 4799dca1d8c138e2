"""The client of the API that the backup's jobs and the fencing agent share."""

import os
import subprocess
import sys

import pytest

from components.backup.carried import BACKUP, REHEARSAL
from components.fencing.pod import PROGRAM as FENCING
from components.in_cluster import exec, kube
from lab.laid_out import lay_out
from tests.unit.authorities import api_server

# What Python 3.13 and newer begin with, whatever runs this test.
STRICT = """
import ssl
began = ssl.create_default_context
def strict(**given):
    context = began(**given)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context
ssl.create_default_context = strict
"""
ASKS = "from components.in_cluster import kube; print(kube.Api.of_this_pod().get('/version'))"


@pytest.mark.parametrize(
    "program", [BACKUP, REHEARSAL, FENCING], ids=["backup", "rehearsal", "fencing"]
)
def test_a_cluster_whose_authority_has_no_key_identifier_is_trusted_as_kubectl_does(
    tmp_path, program
):
    lay_out(program.volume("program"), program.data({}), tmp_path)

    with api_server(tmp_path) as url:
        environment = {"HA_IRIS_API": url, "HA_IRIS_ACCOUNT": str(tmp_path)}
        asked = subprocess.run(
            [sys.executable, "-B", "-c", STRICT + ASKS],
            cwd=tmp_path,
            env={**os.environ, **environment, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert asked.stdout == "{'gitVersion': 'v1.36.3'}\n", asked.stderr


def test_only_the_clusters_own_authority_and_name_are_trusted(tmp_path):
    mine, others = tmp_path / "mine", tmp_path / "others"
    mine.mkdir()
    others.mkdir()

    with api_server(mine) as url, api_server(others):
        wrong = kube.Api(url, token=mine / "token", ca=others / "ca.crt")
        with pytest.raises(kube.ApiError, match="CERTIFICATE_VERIFY_FAILED"):
            wrong.get("/version")
        elsewhere = url.replace("127.0.0.1", "localhost")
        with pytest.raises(kube.ApiError, match="CERTIFICATE_VERIFY_FAILED"):
            kube.Api(elsewhere, token=mine / "token", ca=mine / "ca.crt").get("/version")


@pytest.mark.parametrize(
    ("host", "url"), [("10.0.0.1", "10.0.0.1:443"), ("fd00::1", "[fd00::1]:443")]
)
def test_the_api_server_is_found_by_either_kind_of_address(monkeypatch, host, url):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.delenv("HA_IRIS_API", raising=False)
    monkeypatch.setattr(kube, "_trusting", lambda ca: None)

    api = kube.Api.of_this_pod()

    assert api.url.netloc == url
    assert api.url.hostname == host


def test_a_long_answer_of_a_command_arrives_whole():
    content = b"x" * 70_000
    for length, head in ((5, b"\x82\x05"), (300, b"\x82\x7e\x01\x2c")):
        frame = head + content[:length]
        assert exec._frame(frame[:-1]) is None
        assert exec._frame(frame + b"more") == (2, content[:length], b"more")
    frame = b"\x82\x7f" + (70_000).to_bytes(8, "big") + content
    assert exec._frame(frame) == (2, content, b"")
    assert exec._frame(b"\x82\x7e") is None
