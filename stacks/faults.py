"""What is wrong with a stack file, in the words of the person who wrote it."""

import ipaddress
import types
import typing
from collections.abc import Mapping, Set
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

KINDS = {
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number, without quotes",
    "string_type": 'text; put it in quotes, as in "1.35"',
    "dict_type": "a group of settings (a YAML mapping)",
    "model_type": "a group of settings (a YAML mapping)",
    "model_attributes_type": "a group of settings (a YAML mapping)",
    "tuple_type": "a list",
    "list_type": "a list",
    "ip_v4_network": "a network such as 203.0.113.0/24",
}
BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
    "too_short": "a list or group of at least {min_length}",
    "too_long": "a list or group of at most {max_length}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "literal_error": "one of {expected}",
}


def faults_of(invalid: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each fault: the key as typed, the value, the reason and the cure."""
    return [_line(dict(error), model) for error in invalid.errors(include_url=False)]


def secrets_in_clear(
    model: type[BaseModel], values: Mapping[str, Any], secret_keys: Set[str]
) -> list[str]:
    """One line for each secret that stands readable in the stack file."""
    return [
        f"ha-iris:{path} is in clear: anybody who reads the stack file reads it; run "
        f"`pulumi config set --secret --path ha-iris:{path}`"
        for path in _secret_paths(model, values)
        if path.split(".")[0] not in secret_keys
    ]


def _line(error: dict[str, Any], model: type[BaseModel]) -> str:
    location = tuple(part for part in error["loc"] if part != "[key]")
    key = "ha-iris:" + ".".join(str(part) for part in location)
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    parent, field = _find(model, location)

    if kind == "extra_forbidden":
        return f"{key} is not a setting: {_suggestion(str(location[-1]), parent)}"
    if kind == "missing":
        return f"{key} is missing: {_about(field)}; set it"
    secret = field is not None and _holds_secret(field)
    group = isinstance(value, Mapping | BaseModel) and kind == "value_error"
    stated = key if secret or group else f"{key} is {_typed(value)}"
    if kind == "value_error":
        return f"{stated}: {context['error']}"
    wanted = (KINDS | BOUNDS).get(kind)
    if kind == "ip_v4_network" and (network := _network_around(value)):
        wanted = f"a network with its host bits zero; set it to {network}"
    if wanted is None:
        return f"{stated}: {error['msg']} ({_about(field)})"
    return f"{stated}: it must be {wanted.format(**context)} ({_about(field)})"


def _find(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that a location lies in, and the field that it names, where there is one."""
    parent: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for position, part in enumerate(location):
        if isinstance(part, int) or parent is None:
            continue
        found = _fields(parent).get(part)
        if found is None:
            return parent, None if parent is not None and position == len(location) - 1 else field
        field = found
        if position < len(location) - 1:
            parent = _model_of(found)
    return parent, field


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    for kind in _parts(field.annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _holds_secret(field: FieldInfo) -> bool:
    return SecretStr in _parts(field.annotation)


def _parts(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _secret_paths(model: type[BaseModel], values: Any, prefix: str = "") -> list[str]:
    if not isinstance(values, Mapping):
        return []
    paths = []
    for name, field in _fields(model).items():
        if values.get(name) is None:
            continue
        inner = _model_of(field)
        if _holds_secret(field):
            paths.append(prefix + name)
        elif inner is not None:
            paths += _secret_paths(inner, values[name], f"{prefix}{name}.")
    return paths


def _suggestion(name: str, parent: type[BaseModel] | None) -> str:
    known = list(_fields(parent)) if parent else []
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known here are {', '.join(known)}"


def _about(field: FieldInfo | None) -> str:
    first_line = (field.description or "").split("\n")[0] if field else ""
    return first_line.rstrip(".") or "see the JSON Schema of the stack file"


def _typed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _network_around(value: Any) -> str | None:
    try:
        return str(ipaddress.IPv4Interface(value).network)
    except ValueError:
        return None
