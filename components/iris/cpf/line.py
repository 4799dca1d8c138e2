"""One line of a merge file: what may stand in a value, and how an action is written."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

COMMENTS = (";", "#", "//", "/*")
"""What begins a comment, also after something else on the line; quoting is not said to help."""

# What needs no quotation marks. A comma or an equals sign does (InterSystems, "Automating
# Configuration ... with Configuration Merge", Security Macros).
_PLAIN = re.compile(r"[A-Za-z0-9_%$./:+*-]+")

ORDER = (
    *("CreateSSLConfig", "ModifySSLConfig", "ModifyServer", "CreateResource", "CreateDatabase"),
    "ModifyDatabase",
    *("CreateNamespace", "ModifyNamespace", "ModifyService", "CreateRole", "CreateUser"),
    *("CreateApplication", "ModifyResource", "ModifyRole", "ModifyUser", "ModifyApplication"),
    "Execute",
)
"""Actions that settings become, in the order in which IRIS performs them, whatever the file's.

InterSystems, "Configuration Parameter File Reference" 2025.3, Action Processing Order.
"""


def _is_one_value(text: str) -> str:
    if re.search(r'[\x00-\x1f\x7f"]', text):
        raise ValueError("a value in a CPF is one line without a quotation mark; reword it")
    if text != text.strip():
        raise ValueError("IRIS drops spaces at the ends of a line; drop them here")
    for mark in COMMENTS:
        if mark in text:
            raise ValueError(f"IRIS takes what follows {mark} for a comment; leave {mark} out")
    return text


Value = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(_is_one_value)
]
"""Text that IRIS reads back as it is."""

Path = Annotated[Value, StringConstraints(pattern=r"^/[^,=]*$")]
"""Full path of a folder or file in the container."""

Property = str | int | tuple[str, ...] | None


def action(kind: str, **properties: Property) -> str:
    """An action as in ``CreateRole:Name=clerk,Resources="%DB_APP:RW"``; None is left out."""
    written = ",".join(
        f"{name}={_written(value)}" for name, value in properties.items() if value is not None
    )
    return f"{kind}:{written}"


def _written(value: str | int | tuple[str, ...]) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, tuple):
        return f'"{",".join(value)}"'
    return value if _PLAIN.fullmatch(value) else f'"{value}"'


def in_order(lines: list[str]) -> list[str]:
    """Actions as IRIS will perform them; those of a kind keep their order."""
    return sorted(lines, key=lambda line: ORDER.index(line.partition(":")[0]))
