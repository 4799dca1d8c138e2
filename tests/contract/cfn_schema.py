"""JSON Schema as cfn-lint speaks it."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import jsonschema.validators
import regex

Faults = Iterator[jsonschema.ValidationError]


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Faults:
    # AWS writes patterns for Java: \p{L} and the like, which Python's own re does not know.
    if isinstance(value, str) and not regex.search(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern}")


def _any_case(_: Any, allowed: list[str], value: Any, __: Any) -> Faults:
    if str(value).lower() not in [str(item).lower() for item in allowed]:
        yield jsonschema.ValidationError(f"{value!r} is not one of {allowed}")


def _exactly_one(_: Any, keys: list[str], value: Any, __: Any) -> Faults:
    if isinstance(value, Mapping) and sum(key in value for key in keys) != 1:
        yield jsonschema.ValidationError(f"exactly one of {keys} belongs into {value}")


def _at_least_one(_: Any, keys: list[str], value: Any, __: Any) -> Faults:
    if isinstance(value, Mapping) and not any(key in value for key in keys):
        yield jsonschema.ValidationError(f"one of {keys} is missing in {value}")


def _not_together(_: Any, excluded: Mapping[str, list[str]], value: Any, __: Any) -> Faults:
    for key, others in excluded.items():
        if isinstance(value, Mapping) and key in value:
            for other in set(others) & value.keys():
                yield jsonschema.ValidationError(f"{key} and {other} exclude each other")


# cfn-lint writes keywords beside $ref, which drafts before 2019-09 leave out of account, and words
# of its own. A word that the validator does not know would be skipped in silence.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {
        "pattern": _pattern,
        "enumCaseInsensitive": _any_case,
        "requiredXor": _exactly_one,
        "requiredOr": _at_least_one,
        "dependentExcluded": _not_together,
    },
)
