"""Checks AWS policies: their grammar, and whether the actions they name exist.

CloudFormation's schemas take any object for a policy. Grammar and the list of all actions are
those that cfn-lint 1.58.0 ships.
"""

import json
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal

from cfnlint.helpers import load_resource
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.contract.cfn_schema import Validator

PolicyKind = Literal["policy_identity", "policy_resource", "policy_trust"]
"""Attached to a role, to a resource such as a bucket, or saying who may assume a role."""


def policy_faults(kind: PolicyKind, text: str) -> list[str]:
    """What AWS would refuse in a policy, and actions that no service has."""
    policy = json.loads(text)
    faults = [
        f"{kind}.{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in _grammar(kind).iter_errors(policy)
    ]
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = statement.get("Action", [])
        for action in actions if isinstance(actions, list) else [actions]:
            if not _exists(action):
                faults.append(f"{kind}: no service has the action {action}")
    return faults


def _exists(action: str) -> bool:
    service, _, name = action.partition(":")
    if action == "*" or not name:
        return action == "*"
    known = _actions().get(service, [])
    return any(fnmatchcase(item.lower(), name.lower()) for item in known)


@cache
def _actions() -> dict[str, list[str]]:
    services: dict[str, Any] = load_resource("cfnlint.data.AdditionalSpecs", "Policies.json")
    return {service: spec["Actions"] for service, spec in services.items()}


@cache
def _grammar(kind: PolicyKind) -> Any:
    schemas = {
        schema["$id"]: schema
        for schema in (
            load_resource("cfnlint.data.schemas.other.iam", f"{name}.json")
            for name in ("policy", kind)
        )
    }
    resources = [
        (uri, Resource.from_contents(schema, default_specification=DRAFT202012))
        for uri, schema in schemas.items()
    ]
    grammar = schemas[kind.removeprefix("policy_")]
    return Validator(grammar, registry=Registry().with_resources(resources))
