"""Checks inputs of AWS resources against the CloudFormation resource schemas in cfn-lint.

The schemas are AWS's own (registry of CloudFormation resource types, as cfn-lint 1.58.0 ships
them): property names, types, required properties, enums, patterns, lengths and ranges.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.contract.cfn_schema import Validator
from tests.contract.policies import PolicyKind, policy_faults

REGION = "eu-west-1"

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class CloudFormation:
    """How the inputs of one Pulumi resource are said in the words of CloudFormation.

    An input that is not listed keeps its name with a capital letter, and the schema refuses it if
    CloudFormation has no such property: no field passes unseen.
    """

    type: str
    """CloudFormation type, AWS::EKS::Cluster."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Input -> property with another name; dots go into nested properties."""
    converted: Mapping[str, Convert] = field(default_factory=dict)
    """Input -> how its value becomes CloudFormation's."""
    provider_only: frozenset[str] = frozenset()
    """Inputs that tell the provider how to work and never reach AWS."""
    separate: Mapping[str, tuple[str, Convert]] = field(default_factory=dict)
    """Input -> CloudFormation type of which each of its items is a resource, and how it is said."""
    policies: Mapping[str, PolicyKind] = field(default_factory=dict)
    """Input with a policy as JSON text -> what kind of policy it is."""
    prepared: Convert = dict
    """Brings the inputs into CloudFormation's shape where renaming alone cannot."""
    part: bool = False
    """The resource is a part of the CloudFormation type: its required rest is elsewhere."""

    def faults(self, inputs: Mapping[str, Any]) -> list[str]:
        """What AWS would refuse, one line each; empty if nothing."""
        properties: dict[str, Any] = {}
        faults: list[str] = []
        for key, kind in self.policies.items():
            faults += policy_faults(kind, inputs[key]) if key in inputs else []
        for key, value in self.prepared(inputs).items():
            if key in self.separate:
                resource_type, convert = self.separate[key]
                for item in convert(value):
                    faults += schema_faults(resource_type, item, part=True)
            elif key not in self.provider_only:
                convert = json.loads if key in self.policies else capitalised
                value = self.converted.get(key, convert)(value)
                _put(properties, self.renamed.get(key, _capital(key)), value)
        return faults + schema_faults(self.type, properties, part=self.part)


def schema_faults(resource_type: str, properties: Any, *, part: bool = False) -> list[str]:
    """What the schema of a CloudFormation type refuses in these properties."""
    return [
        f"{resource_type}.{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in _validator(resource_type, part).iter_errors(properties)
    ]


@cache
def _validator(resource_type: str, part: bool) -> Any:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema
    if part:
        schema = {key: value for key, value in schema.items() if not key.startswith("required")}
    return Validator(schema)


def capitalised(value: Any) -> Any:
    """A value whose keys, at every depth, have CloudFormation's capital letter."""
    if isinstance(value, Mapping):
        return {_capital(key): capitalised(item) for key, item in value.items()}
    if isinstance(value, list):
        return [capitalised(item) for item in value]
    return value


def verbatim(value: Any) -> Any:
    """A map of the user's own keys, such as labels."""
    return value


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most CloudFormation types want them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def only(value: Any) -> list[Any]:
    """A block of which Pulumi takes one and CloudFormation a list."""
    return [capitalised(value)]


def _capital(key: str) -> str:
    return key[:1].upper() + key[1:]


def _put(properties: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        properties = properties.setdefault(parent, {})
    properties[last] = value
