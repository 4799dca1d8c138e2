"""JSON schemas for kubeconform out of what an API server serves at /openapi/v2."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

REFERENCE = "#/definitions/"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
"""Served as a string; the server takes a number too."""


def write_schemas(
    openapi: Mapping[str, Any], kinds: Iterable[tuple[str, str]], folder: Path
) -> str:
    """Write a schema for each kind that is served, and return where kubeconform finds them.

    As openapi2jsonschema's strict ones: an object has no field but those that its schema names.

    Args:
        openapi: what the API server says.
        kinds: apiVersion and kind of each.
        folder: is made.
    """
    folder.mkdir(parents=True)
    definitions = {name: _strict(one) for name, one in openapi["definitions"].items()}
    definitions[QUANTITY] = {"type": ["string", "number"]}
    named = {
        (f"{of['group']}/{of['version']}".lstrip("/"), of["kind"]): name
        for name, definition in openapi["definitions"].items()
        for of in definition.get("x-kubernetes-group-version-kind") or []
    }
    for api_version, kind in kinds:
        name = named.get((api_version, kind))
        if name is None:
            continue
        group, _, version = api_version.rpartition("/")
        parts = filter(None, (kind, group.split(".")[0], version))
        schema = {"$ref": REFERENCE + name, "definitions": dict(_needed(name, definitions))}
        (folder / f"{'-'.join(parts).lower()}.json").write_text(json.dumps(schema))
    return f"{folder}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"


def _needed(name: str, definitions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A definition and all that it refers to."""
    seen, left = set[str](), [name]
    while left:
        if (one := left.pop()) in seen:
            continue
        seen.add(one)
        yield one, definitions[one]
        left += _references(definitions[one])


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _references(one)
    elif isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(REFERENCE)
        for one in schema.values():
            yield from _references(one)


def _strict(schema: Any) -> Any:
    """A schema whose objects are closed, without what JSON Schema does not know."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    made = {key: _strict(value) for key, value in schema.items() if not key.startswith("x-")}
    if isinstance(made.get("format"), str):
        del made["format"]
    preserved = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(made.get("properties"), Mapping) and "type" in made and not preserved:
        made.setdefault("additionalProperties", False)
    return made
