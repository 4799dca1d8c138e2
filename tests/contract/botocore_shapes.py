"""Checks inputs of AWS resources against the operations' input shapes in botocore.

They add what CloudFormation's schemas do not know, such as the pattern of an EKS cluster's name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
import botocore.validate
import regex

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Operation:
    """The request that creates one Pulumi resource; inputs not listed keep their name."""

    service: str
    name: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Input -> member with another name; dots go into nested structures."""
    converted: Mapping[str, Convert] = field(default_factory=dict)
    """Input -> how its value becomes the request's."""
    provider_only: frozenset[str] = frozenset()
    """Inputs that never reach this operation."""
    computed: Mapping[str, Any] = field(default_factory=dict)
    """Members that the provider fills in, such as a generated name."""

    def faults(self, inputs: Mapping[str, Any]) -> list[str]:
        """What AWS would refuse, one line each; empty if nothing."""
        request: dict[str, Any] = dict(self.computed)
        for key, value in inputs.items():
            if key not in self.provider_only:
                convert = self.converted.get(key)
                *parents, last = self.renamed.get(key, key).split(".")
                place = request
                for parent in parents:
                    place = place.setdefault(parent, {})
                place[last] = convert(value) if convert else value
        return request_faults(self.service, self.name, request)


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def request_faults(service: str, operation: str, request: Mapping[str, Any]) -> list[str]:
    """What botocore's own validator and the walk over enums, patterns and lengths refuse."""
    shape = _service(service).operation_model(operation).input_shape
    report = botocore.validate.ParamValidator().validate(request, shape)
    own = [report.generate_report()] if report.has_errors() else []
    return own + _walk(shape, request, operation)


def _walk(shape: Any, value: Any, path: str) -> list[str]:
    """Enums, patterns and greatest lengths: botocore's validator leaves them to the service."""
    faults: list[str] = []
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for key, item in value.items():
            if key in shape.members:
                faults += _walk(shape.members[key], item, f"{path}.{key}")
    elif shape.type_name == "list" and isinstance(value, list):
        faults += _length(shape, value, path)
        for index, item in enumerate(value):
            faults += _walk(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        for key, item in value.items():
            faults += _walk(shape.key, key, f"{path}[{key}]")
            faults += _walk(shape.value, item, f"{path}[{key}]")
    elif shape.type_name == "string" and isinstance(value, str):
        faults += _length(shape, value, path)
        if shape.enum and value not in shape.enum:
            faults.append(f"{path}: {value!r} is not one of {shape.enum}")
        pattern = shape.metadata.get("pattern")
        if pattern and not regex.fullmatch(pattern, value):
            faults.append(f"{path}: {value!r} does not match {pattern}")
    elif shape.type_name in ("integer", "long") and isinstance(value, int):
        most = shape.metadata.get("max")
        faults += [f"{path}: {value} is more than {most}"] if most and value > most else []
    return faults


def _length(shape: Any, value: Any, path: str) -> list[str]:
    most = shape.metadata.get("max")
    return [f"{path}: longer than {most}"] if most and len(value) > most else []
