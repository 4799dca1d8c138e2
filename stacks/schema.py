"""What a stack file may say, from the settings models, for editors and for people.

``python -m stacks.schema`` (or ``make schema``) writes both files. Editors find the JSON Schema
through the first line of each stack file; people read docs/settings.md.
"""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from stacks.aks import AksStackSettings
from stacks.eks import EksStackSettings
from stacks.existing import ExistingStackSettings
from stacks.faults import is_list, is_numbered, model_of
from stacks.gke import GkeStackSettings
from stacks.meanings import meanings
from stacks.settings import NAMESPACE, Cloud, StackSettings

SCHEMA_FILE = Path(__file__).with_name("stack.schema.json")
REFERENCE_FILE = Path(__file__).parents[1] / "docs" / "settings.md"

MODELS: dict[Cloud, type[StackSettings[Any, Any]]] = {
    "existing": ExistingStackSettings,
    "aws": EksStackSettings,
    "azure": AksStackSettings,
    "gcp": GkeStackSettings,
}


class _Described(GenerateJsonSchema):
    """A JSON Schema that says of each setting what it means."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for name, meaning in meanings(model).items():
            key = model.model_fields[name].alias or name
            made["properties"][key].setdefault("description", meaning)
        return made


def stack_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a ``Pulumi.<stack>.yaml`` of this project."""
    definitions: dict[str, Any] = {}
    by_cloud = []
    for cloud, model in MODELS.items():
        schema = _with_encrypted_secrets(model.model_json_schema(schema_generator=_Described))
        definitions |= schema.pop("$defs", {})
        groups = schema["properties"]
        groups["cloud"] = {**groups["cloud"], "const": cloud}
        by_cloud.append(
            {
                "if": {
                    "properties": {f"{NAMESPACE}:cloud": {"const": cloud}},
                    # A stack file without the key is one for an existing cluster.
                    "required": [] if cloud == "existing" else [f"{NAMESPACE}:cloud"],
                },
                "then": {
                    "properties": {f"{NAMESPACE}:{name}": group for name, group in groups.items()},
                    "patternProperties": {f"^{NAMESPACE}:(?!({'|'.join(groups)})$)": False},
                },
            }
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of ha-iris",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {f"{NAMESPACE}:cloud": {"enum": list(MODELS)}},
                "allOf": by_cloud,
            }
        },
        "$defs": definitions,
    }


def _with_encrypted_secrets(schema: Any) -> Any:
    """A secret stands in a stack file as ``secure: <ciphertext>``, never as text."""
    if isinstance(schema, list):
        return [_with_encrypted_secrets(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "password":
        return {
            "type": "object",
            "properties": {"secure": {"type": "string"}},
            "required": ["secure"],
            "additionalProperties": False,
        }
    return {key: _with_encrypted_secrets(value) for key, value in schema.items()}


def schema_text() -> str:
    """Content of the schema file."""
    return json.dumps(stack_schema(), indent=2) + "\n"


def reference_text() -> str:
    """Content of docs/settings.md: every key of every kind of stack, with default and meaning."""
    lines = [
        "# Settings",
        "",
        "Every key that a stack file may have. Written by `make schema` from the settings models.",
        "A key that is missing has its default; a key that does not exist is refused.",
    ]
    shared = set(StackSettings.model_fields) - {"cluster", "backup"}
    lines += ["", "## Every stack", "", *_table(StackSettings, shared, f"{NAMESPACE}:")]
    for cloud, model in MODELS.items():
        own = [name for name in model.model_fields if name not in shared]
        title = f"## Stacks with `{NAMESPACE}:cloud: {cloud}`"
        lines += ["", title, "", *_table(model, own, f"{NAMESPACE}:")]
    return "\n".join(lines) + "\n"


def _table(model: type[BaseModel], names: Collection[str], prefix: str) -> list[str]:
    return ["| key | default | meaning |", "|---|---|---|", *_rows(model, names, prefix)]


def _rows(model: type[BaseModel], names: Collection[str], prefix: str) -> Iterator[str]:
    described = meanings(model)
    for name, field in model.model_fields.items():
        if name not in names:
            continue
        key = f"{prefix}{field.alias or name}"
        inner = model_of(field)
        meaning = " ".join(described.get(name, "").split()).replace("|", "\\|")
        if inner is None:
            yield f"| `{key}` | {_default(field)} | {meaning} |"
        else:
            many = "[]" if is_list(field) else ".N" if is_numbered(field) else ""
            yield f"| **`{key}{many}`** | | {meaning} |"
            yield from _rows(inner, inner.model_fields, f"{key}{many}.")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    default = field.get_default(call_default_factory=False)
    if default is None or default == () or default == {}:
        return ""
    return f"`{TypeAdapter(Any).dump_json(default).decode()}`"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text())
    REFERENCE_FILE.write_text(reference_text())
