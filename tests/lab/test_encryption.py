"""The key of encrypted volumes survives mistakes, on the real engine against a real API server.

Nothing is encrypted here: the lab stores no byte. What is tested is who may change or lose a key.
"""

import subprocess
from typing import Any

import pytest

from lab.engine import EngineError
from tests.lab.stack import Stack, changes, exists

KEY = ("secret", "longhorn-volume-key", "-n", "longhorn-system")


def encryption(**settings: bool) -> dict[str, dict[str, Any]]:
    """A group ``longhorn`` that has these settings of encryption."""
    return {"longhorn": {"chart": "./lab/charts/longhorn", "encryption": settings}}


def refused(stack: Stack, operation, capfd) -> str:
    """What an operation says that is refused."""
    capfd.readouterr()
    with pytest.raises(EngineError):
        stack.run(operation)
    return "".join(capfd.readouterr())


def test_a_generated_key_is_neither_changed_nor_lost_by_mistake(no_stack, capfd):
    stack = no_stack
    stack.groups = encryption(enabled=True)
    stack.run("up")
    key = stack.get(*KEY)["data"]["CRYPTO_KEY_VALUE"]
    parameters = stack.get("storageclass", "longhorn-iris")["parameters"]
    assert parameters["csi.storage.k8s.io/node-expand-secret-name"] == "longhorn-volume-key"
    assert changes(stack.run("up")) == {}

    with pytest.raises(subprocess.CalledProcessError):
        stack.kubectl("patch", *KEY, "-p", '{"data": {"CRYPTO_KEY_VALUE": "eA=="}}')
    stack.kubectl("delete", *KEY)
    stack.run("refresh")
    assert changes(stack.run("up")) == {"longhorn-volume-secret": "create"}
    assert stack.get(*KEY)["data"]["CRYPTO_KEY_VALUE"] == key
    stack.groups = encryption(enabled=False)
    for operation in ("preview", "up"):
        told = refused(stack, operation, capfd)
        assert "longhorn.encryption.enabled is false" in told
        assert "the volumes were made while it was true" in told
    stack.groups = encryption(enabled=True)
    # The data of this stack may be thrown away, and its backups live on.
    assert "protect" in refused(stack, "destroy", capfd)
    assert stack.get(*KEY)["data"]["CRYPTO_KEY_VALUE"] == key

    stack.groups = encryption(enabled=True, forgetKey=True)
    stack.run("up")
    stack.run("destroy")
    assert stack.engine.resources == []
    assert not exists(stack, "namespace", "longhorn-system")


def test_encryption_is_not_turned_on_beside_a_volume_that_is_not(stack, capfd):
    stack.groups = encryption(enabled=True)

    told = refused(stack, "preview", capfd)

    assert "longhorn.encryption.enabled is true" in told
    assert "the volumes were made while it was false" in told
