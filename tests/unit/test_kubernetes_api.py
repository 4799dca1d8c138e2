"""How this program asks a cluster while it runs."""

import base64
import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kubernetes_api import connect


@pytest.fixture
def with_keys(kubeconfig):
    """A kubeconfig with an authority, a certificate and a key in it."""
    document = yaml.safe_load(Path(kubeconfig).read_text())
    data = base64.b64encode(b"of the cluster").decode()
    document["clusters"][0]["cluster"]["certificate-authority-data"] = data
    document["users"][0]["user"] = {
        "client-certificate-data": base64.b64encode(b"of the user").decode(),
        "client-key-data": base64.b64encode(b"its key").decode(),
    }
    return yaml.safe_dump(document)


def files(api: Any) -> list[Path]:
    used = api._api.configuration
    return [Path(file) for file in (used.ssl_ca_cert, used.cert_file, used.key_file)]


def test_a_connection_keeps_its_keys_when_another_one_ends(with_keys):
    with contextlib.ExitStack() as second:
        with connect(with_keys) as first:
            api = second.enter_context(connect(with_keys))
            assert not set(files(first)) & set(files(api))
        assert [file.read_bytes() for file in files(api)] == [
            b"of the cluster",
            b"of the user",
            b"its key",
        ]
        left = files(api)
    assert not any(file.exists() for file in left)
