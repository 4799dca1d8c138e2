"""The annotation ``pulumi.com/waitFor``, in the one form that this program uses.

``jsonpath={[?@.a == $.b.c && ...]}``: some part of the object has fields that equal others of the
same object (RFC 9535, which pulumi-kubernetes follows in full).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ANNOTATION = "pulumi.com/waitFor"
FILTER = re.compile(r"jsonpath=\{\[\?(.+)\]\}")
TERM = re.compile(r"@\.(\w+) == \$((?:\.\w+)+)")

Condition = list[tuple[str, list[str]]]
"""Fields of a part, each with the path of the field that it has to equal."""


def parse(text: str) -> Condition | None:
    """The condition that the annotation names; None where it has another form."""
    whole = FILTER.fullmatch(text)
    terms = [TERM.fullmatch(term) for term in whole[1].split(" && ")] if whole else [None]
    found = [(term[1], term[2].split(".")[1:]) for term in terms if term]
    return found if len(found) == len(terms) else None


def holds(condition: Condition, thing: Mapping[str, Any]) -> bool:
    """Whether some part of the object meets the condition."""
    return any(
        all(part.get(field, ...) == _at(thing, path) for field, path in condition)
        for part in thing.values()
        if isinstance(part, Mapping)
    )


def _at(thing: Any, path: list[str]) -> Any:
    for name in path:
        thing = thing.get(name, ...) if isinstance(thing, Mapping) else ...
    return thing
