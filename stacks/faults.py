"""What is wrong with a stack file, in the words of the person who wrote it."""

import typing
from collections.abc import Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pulumi
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from stacks.meanings import meanings

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


def refusal(*faults: str) -> pulumi.RunError:
    """Ends the program with all that is wrong with its stack file, a line for each fault."""
    lines = "\n".join(f"  {fault}" for fault in faults)
    return pulumi.RunError(
        f"ha-iris: Pulumi.{pulumi.get_stack()}.yaml is not a stack this program can build:\n{lines}"
    )


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
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    place = _Place.of(error["loc"], kind, model)

    if kind == "extra_forbidden":
        return f"{place.key} is not a setting: {place.suggestion()}"
    if kind == "missing":
        return f"{place.key} is missing: {place.about()}; set it"
    if place.is_secret or (kind == "value_error" and _is_group(value)):
        stated = place.key
    else:
        stated = f"{place.key} is {_as_typed(value)}"
    if kind == "value_error":
        return f"{stated}: {context['error']}"
    if place.is_secret and kind == "too_short":
        kind = "string_too_short"
    wanted = (KINDS | BOUNDS).get(kind)
    reason = f"it must be {wanted.format(**context)}" if wanted else error["msg"]
    return f"{stated}: {reason} ({place.about()})"


@dataclass(frozen=True)
class _Place:
    """Where a fault lies: the key as typed, its field, the model around it, what it means."""

    key: str
    field: FieldInfo | None
    model: type[BaseModel] | None
    meaning: str

    @classmethod
    def of(cls, location: tuple[int | str, ...], kind: str, model: type[BaseModel]) -> "_Place":
        inside: type[BaseModel] | None = model
        around: type[BaseModel] | None = model
        field: FieldInfo | None = None
        meaning = ""
        typed: list[str] = []
        for part in location:
            if part == "[key]":
                continue
            around = inside
            if isinstance(part, str) and inside is not None:
                # A default that does not hold comes under the name that Python knows it by.
                by_name = {} if kind == "extra_forbidden" else inside.model_fields
                field = by_name.get(part) or _fields(inside).get(part)
                meaning = _meaning(inside, field)
                part = (field and field.alias) or part
                inside = field and model_of(field)
            typed.append(str(part))
        return cls(f"ha-iris:{'.'.join(typed)}", field, around, meaning)

    @property
    def is_secret(self) -> bool:
        return self.field is not None and _holds_secret(self.field)

    def about(self) -> str:
        """First line of what the field's docstring says."""
        return self.meaning.split("\n")[0].rstrip(".") or "see stacks/stack.schema.json"

    def suggestion(self) -> str:
        """What the person may have meant by a key that does not exist."""
        known = list(_fields(self.model)) if self.model else []
        close = get_close_matches(self.key.split(".")[-1].split(":")[-1], known, n=1, cutoff=0.6)
        return f"did you mean {close[0]}?" if close else f"known here are {', '.join(known)}"


def _meaning(model: type[BaseModel], field: FieldInfo | None) -> str:
    described = meanings(model) if field else {}
    return next((described.get(n, "") for n, f in model.model_fields.items() if f is field), "")


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def is_list(field: FieldInfo) -> bool:
    """Whether a setting takes several values."""
    return _is_of(tuple, field)


def is_numbered(field: FieldInfo) -> bool:
    """Whether a setting takes several values, each by its number."""
    return _is_of(dict, field)


def _is_of(container: type, field: FieldInfo) -> bool:
    kinds = (field.annotation, *typing.get_args(field.annotation))  # that, or that or nothing
    return any(typing.get_origin(kind) is container for kind in kinds)


def model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The settings group that a field is, or is made of."""
    for kind in _kinds(field.annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _holds_secret(field: FieldInfo) -> bool:
    return SecretStr in _kinds(field.annotation)


def _kinds(annotation: Any) -> list[Any]:
    """All plain types in an annotation, as str and int in ``dict[str, tuple[int, ...]]``."""
    inner = typing.get_args(annotation)
    return [kind for part in inner for kind in _kinds(part)] if inner else [annotation]


def _secret_paths(model: type[BaseModel], values: Any, prefix: str = "") -> list[str]:
    if not isinstance(values, Mapping):
        return []
    paths = []
    for name, field in _fields(model).items():
        if values.get(name) is None:
            continue
        inner = model_of(field)
        if _holds_secret(field):
            paths.append(prefix + name)
        elif inner is not None and isinstance(values[name], list):
            for i, one in enumerate(values[name]):
                paths += _secret_paths(inner, one, f"{prefix}{name}[{i}].")
        elif inner is not None:
            paths += _secret_paths(inner, values[name], f"{prefix}{name}.")
    return paths


def _is_group(value: Any) -> bool:
    """Whether a value is a group of settings, or a list of groups: too much to repeat."""
    if isinstance(value, list | tuple):
        return any(_is_group(one) for one in value)
    return isinstance(value, Mapping | BaseModel)


def _as_typed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "missing"
    return "empty" if value in ("", (), []) else str(value)
