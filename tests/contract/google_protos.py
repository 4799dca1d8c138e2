"""Checks inputs of Google Cloud resources against the protocol buffers of Google's own clients."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class GoogleProto:
    """How the inputs of one Pulumi resource become a message of Google's API.

    An input that is not listed keeps its name, and the message refuses it if it has no such field.
    """

    message: type
    """Class of the message in Google's client library."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Input -> field with another name; dots go into nested messages."""
    converted: Mapping[str, Convert] = field(default_factory=dict)
    """Input -> how its value becomes the message's."""
    provider_only: frozenset[str] = frozenset()
    """Inputs that tell the provider how to work, or that are part of the request's address."""

    def faults(self, inputs: Mapping[str, Any]) -> list[str]:
        """What Google's API would refuse, one line each; empty if nothing."""
        return message_faults(self.message, self.body(inputs))

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The message as JSON."""
        body: dict[str, Any] = {}
        for key, value in inputs.items():
            if key not in self.provider_only:
                _put(body, self.renamed.get(key, key), self.converted.get(key, _same)(value))
        return body


def message_faults(message: Any, body: Mapping[str, Any]) -> list[str]:
    """What a message refuses in its JSON form: unknown fields, wrong types, unknown enum values."""
    raw = message.pb(message()) if hasattr(message, "pb") else message()
    try:
        json_format.ParseDict(dict(body), raw)
    except json_format.ParseError as error:
        return [f"{raw.DESCRIPTOR.full_name}: {error}"]
    return _text_enum_faults(raw.DESCRIPTOR, body, raw.DESCRIPTOR.name)


def _text_enum_faults(message: Descriptor, body: Mapping[str, Any], path: str) -> list[str]:
    # Compute's messages hold enums as text; the enum is a sibling named like the field.
    faults: list[str] = []
    enums = {_folded(enum.name): enum for enum in message.enum_types}
    fields = {known.json_name: known for known in message.fields}
    for key, value in body.items():
        known = fields.get(key) or message.fields_by_name[key]
        items = value if isinstance(value, list) else [value]
        is_map = known.message_type and known.message_type.GetOptions().map_entry
        for item in items:
            if known.type == FieldDescriptor.TYPE_STRING and _folded(key) in enums:
                allowed = list(enums[_folded(key)].values_by_name)
                if item not in allowed:
                    faults.append(f"{path}.{key}: {item!r} is not one of {allowed}")
            elif known.message_type and not is_map and isinstance(item, Mapping):
                faults += _text_enum_faults(known.message_type, item, f"{path}.{key}")
    return faults


def _folded(name: str) -> str:
    return re.sub("_", "", name).lower()


def _same(value: Any) -> Any:
    return value


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    if isinstance(value, Mapping) and isinstance(body.get(last), dict):
        body[last].update(value)
    else:
        body[last] = value
