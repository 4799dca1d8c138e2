"""Kinds of Gateway API, cert-manager and the Prometheus Operator, as their own modules say.

The modules come from the Go module proxy, checked against go.sum; nothing of them is kept here.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from lab.toolchain import cache_folder, golang
from lab.toolchain.build import environment
from lab.toolchain.tools import FOLDER

HERE = Path(__file__).parent
GATEWAY_API = "sigs.k8s.io/gateway-api"
CERT_MANAGER = "github.com/cert-manager/cert-manager"
PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"
CRDS = {
    GATEWAY_API: ["config/crd/standard/gateway.networking.k8s.io_*s.yaml"],
    CERT_MANAGER: ["deploy/crds/*.yaml"],
    # All ten are thirty times as much to read.
    PROMETHEUS_OPERATOR: [
        f"example/prometheus-operator-crd/monitoring.coreos.com_{plural}.yaml"
        for plural in ("podmonitors", "servicemonitors", "prometheusrules")
    ],
}


@cache
def module(path: str) -> Path:
    """Folder of a module in Go's cache, fetched where it is not there yet."""
    go = golang.find(FOLDER, cache_folder(), print)
    done = subprocess.run(
        [go.executable, "mod", "download", "-json", path],
        cwd=HERE,
        env=environment(),
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout or "{}")
    assert "Dir" in found, f"go mod download {path}: {done.stderr or done.stdout}"
    return Path(found["Dir"])


def definitions(*modules: str) -> Iterator[dict[str, Any]]:
    """Every CustomResourceDefinition of these modules, or of all."""
    for path in modules or CRDS:
        for file in sorted(file for one in CRDS[path] for file in module(path).glob(one)):
            for document in yaml.safe_load_all(file.read_text()):
                if document and document["kind"] == "CustomResourceDefinition":
                    yield document


@cache
def schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """Schema by apiVersion and kind; what it does not name is an error, as with kubectl apply."""
    return {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]): _strict(
            version["schema"]["openAPIV3Schema"]
        )
        for crd in definitions()
        for version in crd["spec"]["versions"]
    }


def faults(thing: dict[str, Any]) -> list[str]:
    """What is wrong with an object; the rules that are written in CEL are not looked at."""
    schema = schemas()[thing["apiVersion"], thing["kind"]]
    return [
        f"{error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema).iter_errors(thing)
    ]


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(part) for key, part in schema.items()}
    closed = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        strict["additionalProperties"] = False
    return strict
