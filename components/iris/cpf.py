"""The CPF merge file: how IRIS is configured before it starts for the first time."""

import hashlib
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z%][\w%]*$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$")]
CpfSections = dict[Word, Annotated[dict[Word, Line], Field(min_length=1)]]
"""Section -> parameter -> value, as in ``{"config": {"locksiz": "0"}}``."""

WORK_FACTOR = 10000
ALGORITHM = "SHA512"

OWNED = {
    ("config", "globals"): "set iris.globalsMib instead",
    ("config", "routines"): "set iris.routinesMib instead",
    ("config", "gmheap"): "set iris.gmheapKib instead",
    ("startup", "passwordhash"): "set iris.password instead",
    ("journal", "freezeonerror"): "drop the line: it stays 1, or a stall of the storage loses data",
}
"""Parameters that the program sets, in lower case, and what to do instead of setting them."""


def password_hash(password: str, salt: str) -> str:
    """Value of ``[Startup] PasswordHash`` for a password and a salt of 64 bytes in hex.

    PBKDF2-HMAC-SHA512 with 10000 iterations and 64 bytes of key, as the image
    ``intersystems/passwordhash:1.1`` computes it.

    Raises:
        ValueError: the salt is not 64 bytes of hexadecimal digits.
    """
    salt_bytes = bytes.fromhex(salt)
    if len(salt_bytes) != 64:
        raise ValueError(f"a salt has 64 bytes, not {len(salt_bytes)}")
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt_bytes, WORK_FACTOR, 64)
    return f"{key.hex()},{salt},{WORK_FACTOR},{ALGORITHM}"


def merge_file(
    *,
    memory_gib: int,
    globals_mib: int | None,
    routines_mib: int | None,
    gmheap_kib: int | None,
    password_hash: str,
    more: Mapping[str, Mapping[str, str]],
) -> str:
    """Text of the merge file (InterSystems, "Configuration Parameter File Reference").

    The caches are always given: IRIS would take a quarter of the *node's* memory for globals and
    be killed by the container's limit. Half of the limit goes to globals, a tenth of that to
    routines; the rest is left for the heap, the processes and the page cache.
    """
    globals_mib = globals_mib or memory_gib * 1024 // 2
    routines_mib = routines_mib or max(80, globals_mib // 10)
    gmheap_kib = gmheap_kib or max(307200, globals_mib * 1024 * 3 // 100)
    sections: dict[str, dict[str, str]] = {
        "Startup": {"PasswordHash": password_hash},
        "config": {
            "globals": f"0,0,{globals_mib},0,0,0",
            "routines": str(routines_mib),
            "gmheap": str(gmheap_kib),
        },
        # When journal writes fail, wait until they work again. Without this IRIS goes on
        # unjournalled after about 150 s, and a stall of the storage becomes a loss of data.
        "Journal": {"FreezeOnError": "1"},
    }
    known = {section.lower(): section for section in sections}
    for section, parameters in more.items():
        sections.setdefault(known.get(section.lower(), section), {}).update(parameters)
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in parameters.items())
        for section, parameters in sections.items()
    )
