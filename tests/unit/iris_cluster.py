"""IrisClusters for tests, and the schema that they are held against."""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from components.iris import IrisSettings
from components.iris.operator.iris_cluster import iris_cluster

CHART = "lab/charts/iris-operator"
ICR = "containers.intersystems.com/intersystems"
LICENSED: dict[str, Any] = {"image": f"{ICR}/iris:2026.1", "license_key": "[ConfigFile]"}
MIRROR: dict[str, Any] = {"mirrored": True, "arbiter_image": f"{ICR}/arbiter:2026.1"}
DEFINITION = yaml.safe_load(Path(CHART, "irisclusters.yaml").read_text())


def settings(operator: dict[str, Any] | None = None, **given: Any) -> IrisSettings:
    """Settings with form operator."""
    return IrisSettings(
        **{"form": "operator", "operator": {"chart": CHART, **(operator or {})}, **given}
    )


def spec(operator: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """Spec of the IrisCluster that settings make."""
    chosen = settings(operator, **given)
    assert chosen.operator is not None
    return iris_cluster(
        chosen,
        chosen.operator,
        architecture="amd64",
        storage_class="longhorn-iris",
        config_source="iris-cpf",
        scripts="iris-scripts",
        priority_class="iris-priority",
        pull_secrets=["login"] if chosen.registry_login else [],
        license_secret="iris-license" if chosen.license_key else None,
        gateway_login="login" if chosen.operator.web_gateway else None,
    )


def faults(of: dict[str, Any]) -> list[str]:
    """What the schema says against a spec; a field that it does not know is one, as for the API."""
    (version,) = DEFINITION["spec"]["versions"]
    schema = _closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    found = Draft202012Validator(schema).iter_errors(of)
    return [f"{error.json_path}: {error.message}" for error in found]


def _closed(schema: Any) -> Any:
    """The schema, in which an object has no other fields than those that are named."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
