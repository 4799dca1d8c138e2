"""What the backup program takes of a cluster's certificates and addresses."""

import ssl

import pytest

from components.backup.program import kube


def test_a_cluster_whose_certificates_lack_key_identifiers_is_trusted_as_kubectl_does(
    monkeypatch, tmp_path
):
    strict = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 and newer begin with
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: strict)

    api = kube.Api("https://10.0.0.1:443", token=tmp_path / "token", ca=tmp_path / "ca.crt")

    assert api._tls is strict
    assert not strict.verify_flags & ssl.VERIFY_X509_STRICT
    assert strict.verify_mode == ssl.CERT_REQUIRED
    assert strict.check_hostname


@pytest.mark.parametrize(
    ("host", "url"), [("10.0.0.1", "10.0.0.1:443"), ("fd00::1", "[fd00::1]:443")]
)
def test_the_api_server_is_found_by_either_kind_of_address(monkeypatch, host, url):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.delenv("HA_IRIS_API", raising=False)
    monkeypatch.setattr(kube, "_trusting", lambda ca: None)

    api = kube.Api.of_this_pod()

    assert api._url.netloc == url
    assert api._url.hostname == host


def test_a_long_answer_of_a_command_arrives_whole():
    content = b"x" * 70_000
    for length, head in ((5, b"\x82\x05"), (300, b"\x82\x7e\x01\x2c")):
        frame = head + content[:length]
        assert kube._frame(frame[:-1]) is None
        assert kube._frame(frame + b"more") == (2, content[:length], b"more")
    frame = b"\x82\x7f" + (70_000).to_bytes(8, "big") + content
    assert kube._frame(frame) == (2, content, b"")
    assert kube._frame(b"\x82\x7e") is None
