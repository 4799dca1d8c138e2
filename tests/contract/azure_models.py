"""Checks inputs of Azure resources against the models of Azure's own management libraries.

Two generations of models are in use: ``_RestField`` descriptors (containerservice, network,
storage, resource) and msrest maps (msi, authorization). Both know each field's name, type and
whether it is required or read-only; the first also knows enums.
"""

import enum
import inspect
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCALARS = (str, int, bool, float)

DEFAULTED = frozenset({"location"})
"""Required fields that azure-native fills in itself (azure-native:location, resource group)."""


@dataclass(frozen=True)
class AzureModel:
    """How the inputs of one azure-native resource become the body of a request.

    azure-native's inputs are the body with ``properties`` flattened; what is part of the URL is
    listed in ``in_url``. A field that is in neither is refused.
    """

    model: type
    """Class of the body in the management library."""
    in_url: frozenset[str] = frozenset({"resourceGroupName"})
    """Inputs that are part of the request's address."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Inputs, at any depth, to which the SDK gives another name than the API."""
    enums: Mapping[str, type[enum.Enum]] = field(default_factory=dict)
    """Enums of an msrest model's fields, which it knows only as text."""

    def faults(self, inputs: Mapping[str, Any]) -> list[str]:
        """What Azure would refuse, one line each; empty if nothing."""
        body = self._as_in_the_api({k: v for k, v in inputs.items() if k not in self.in_url})
        name = self.model.__name__
        if hasattr(self.model, "_attribute_map"):
            return _msrest_faults(self.model, body, self.enums)
        fields = rest_fields(self.model)
        if "properties" not in fields:
            return model_faults(self.model, body, name)
        # A name that can only be read at the top, such as type, is another field inside.
        own = {key for key, known in fields.items() if not known.read_only}
        top = {key: value for key, value in body.items() if key in own}
        rest = {key: value for key, value in body.items() if key not in own}
        if isinstance(top.get("identity"), Mapping):
            top["identity"] = _identity(top["identity"])
        return model_faults(self.model, {**top, **({"properties": rest} if rest else {})}, name)

    def _as_in_the_api(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self.renamed.get(k, k): self._as_in_the_api(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self._as_in_the_api(item) for item in value]
        return value


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    # azure-native takes a list of identities; the API takes a map from identity to nothing.
    ids = identity.get("userAssignedIdentities")
    mapped = {"userAssignedIdentities": {item: {} for item in ids}} if ids is not None else {}
    return {**identity, **mapped}


@dataclass(frozen=True)
class RestField:
    """One field of a model as the service knows it."""

    hint: Any
    required: bool
    read_only: bool


def rest_fields(model: type) -> dict[str, RestField]:
    """Fields of a ``_RestField`` model by the name they have on the wire."""
    fields = {}
    for base in reversed(model.__mro__):
        for attribute, hint in inspect.get_annotations(base).items():
            descriptor: Any = vars(base).get(attribute)
            if type(descriptor).__name__ == "_RestField":
                hint = _resolved(hint, base)
                fields[descriptor._rest_name_input or attribute] = RestField(
                    hint=hint,
                    required=type(None) not in typing.get_args(hint),
                    read_only=descriptor._visibility == ["read"],
                )
    return fields


def _resolved(hint: Any, model: type) -> Any:
    module = vars(sys.modules[model.__module__])
    package = sys.modules[model.__module__.rpartition(".")[0]]
    holder = type("Holder", (), {"__annotations__": {"field": hint}})
    return typing.get_type_hints(holder, {**module, "_models": package})["field"]


def model_faults(model: type, body: Any, path: str) -> list[str]:
    """What a model of the ``_RestField`` kind refuses in a body."""
    if not isinstance(body, Mapping):
        return [f"{path}: {body!r} is not an object"]
    fields = rest_fields(model)
    faults = [
        f"{path}.{key} is missing"
        for key, known in fields.items()
        if known.required and not known.read_only and key not in {*body, *DEFAULTED}
    ]
    for key, value in body.items():
        known = fields.get(key)
        if known is None:
            faults.append(f"{path}.{key} is not a field of {model.__name__}")
        elif known.read_only:
            faults.append(f"{path}.{key} can only be read")
        else:
            faults += _value_faults(known.hint, value, f"{path}.{key}")
    return faults


def _value_faults(hint: Any, value: Any, path: str) -> list[str]:
    arguments = [item for item in typing.get_args(hint) if item is not type(None)]
    origin = typing.get_origin(hint)
    if origin is typing.Union:
        enums = [a for a in arguments if isinstance(a, type) and issubclass(a, enum.Enum)]
        return _value_faults([*enums, *arguments][0], value, path)
    if origin in (list, dict):
        return _collection_faults(origin, arguments, value, path)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum_faults(hint, value, path)
    if isinstance(hint, type) and rest_fields(hint):
        return model_faults(hint, value, path)
    if hint in SCALARS and type(value) is not hint and not (hint is float and type(value) is int):
        return [f"{path}: {value!r} is {type(value).__name__}, not {hint.__name__}"]
    return []


def _collection_faults(kind: type, item_hints: list[Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, kind):
        return [f"{path}: {value!r} is not a {kind.__name__}"]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [f for key, item in items for f in _value_faults(item_hints[-1], item, f"{path}[{key}]")]


def _enum_faults(known: type[enum.Enum], value: Any, path: str) -> list[str]:
    allowed = [item.value for item in known]
    return [] if value in allowed else [f"{path}: {value!r} is not one of {allowed}"]


_MSREST = {"str": str, "int": int, "bool": bool, "{str}": dict, "[str]": list}


def _msrest_faults(model: Any, body: Mapping[str, Any], enums: Mapping[str, Any]) -> list[str]:
    rules = model._validation
    fields = {
        field["key"].removeprefix("properties."): (field["type"], rules.get(attribute, {}))
        for attribute, field in model._attribute_map.items()
    }
    name = model.__name__
    faults = [
        f"{name}.{k} is missing"
        for k, (_, r) in fields.items()
        if r.get("required") and k not in {*body, *DEFAULTED}
    ]
    for key, value in body.items():
        kind, rule = fields.get(key, (None, {}))
        if kind is None:
            faults.append(f"{name}.{key} is not a field of {name}")
        elif rule.get("readonly"):
            faults.append(f"{name}.{key} can only be read")
        elif key in enums:
            faults += _enum_faults(enums[key], value, f"{name}.{key}")
        elif kind not in _MSREST and (inner := _listed(model, kind)) and isinstance(value, list):
            faults += [fault for item in value for fault in _msrest_faults(inner, item, enums)]
        elif kind not in _MSREST:
            faults.append(f"{name}.{key} is {kind}, which this check cannot look into")
        elif type(value) is not _MSREST[kind]:
            faults.append(f"{name}.{key}: {value!r} is not {kind}")
    return faults


def _listed(model: type, kind: str) -> type | None:
    """The model that a list is of, if it is one's."""
    return getattr(sys.modules[model.__module__], kind.strip("[]"), None)
