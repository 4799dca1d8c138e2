"""The lab's own kubeconfig."""

from __future__ import annotations

import base64
import os

import yaml

from lab.home import LabHome

CONTEXT = "ha-iris-lab"
"""Context of the lab's kubeconfig, the same in every lab."""


def write(home: LabHome, url: str) -> None:
    """Write a kubeconfig with embedded certificates, for its owner only, whole or not at all."""
    pki = home.cluster / "pki"

    def embedded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": url, "certificate-authority-data": embedded("ca.crt")}
    user = {
        "client-certificate-data": embedded("admin.crt"),
        "client-key-data": embedded("admin.key"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }
    partial = home.kubeconfig.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    partial.replace(home.kubeconfig)
