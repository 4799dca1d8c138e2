"""The CPF merge file: how IRIS is configured before it starts for the first time."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from components.iris.cpf.line import action, in_order
from components.iris.gateway.account import account_actions
from components.iris.memory import shared_memory

Line = Annotated[str, StringConstraints(pattern=r"^[^=;#\[\r\n]+=[^\r\n]*$")]
SECTIONS = (
    *(
        "Actions",
        "Archives",
        "Cluster",
        "ComPorts",
        "ConfigFile",
        "Conversions",
        "Databases",
        "Debug",
    ),
    *("DeviceSubTypes", "Devices", "ECP", "ECPServers", "Gateways", "IO", "Journal"),
    *("LicenseServers", "Logging", "MagTapes", "MirrorMember", "Mirrors", "Miscellaneous"),
    *("Monitor", "Namespaces", "SQL", "SqlSysDatatypes", "SqlUserDatatypes", "Startup", "Telnet"),
    *("WorkQueues", "config"),
)
"""Sections of a merge file (InterSystems, "Configuration Parameter File Reference", 2025.3).

Beside these there is one ``Map.NAMESPACE`` for each namespace.
"""

WORK_FACTOR = 10000
ALGORITHM = "SHA512"

OWNED = {
    ("config", "globals"): "set iris.globalsMib instead",
    ("config", "routines"): "set iris.routinesMib instead",
    ("config", "gmheap"): "set iris.gmheapKib instead",
    ("config", "memlock"): (
        "drop the line: it stays 32, as the pod asks for no huge pages and may lock no memory"
    ),
    ("startup", "passwordhash"): "set iris.password instead",
    ("startup", "defaultport"): "drop the line: the Service and the probes go to 1972",
    ("startup", "shutdowntimeout"): "set iris.parameters.startup.shutdownTimeout instead",
    ("journal", "freezeonerror"): "drop the line: it stays 1, or a stall of the storage loses data",
    ("miscellaneous", "synchcommit"): "set iris.synchCommit instead",
}
"""Parameters that the program sets, in lower case, and what to do instead of setting them."""

# Actions that set the parameters of a whole section, such as ModifyJournal:FreezeOnError=0.
SECTION_OF_ACTION = {
    f"modify{section}": section for section in ("config", "journal", "miscellaneous", "startup")
}


def check_lines(sections: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Find what IRIS would ignore, what it would take twice, and what belongs to the program.

    Raises:
        ValueError: with reason and cure, of the first such line.
    """
    true_names = {name.lower(): name for name in SECTIONS}
    for section, lines in sections.items():
        true_name = true_names.get(section.lower())
        if true_name is None and not section.startswith("Map."):
            raise ValueError(
                f"[{section}] is no section of a CPF; use one of {', '.join(SECTIONS)} or "
                "Map.NAMESPACE"
            )
        if true_name not in (None, section):
            raise ValueError(
                f"IRIS takes no notice of [{section}]: names of sections have their case; "
                f"write it as {true_name}"
            )
        if section == "Actions":
            _check_actions(lines)
        else:
            _check_parameters(section, [line.split("=")[0].strip() for line in lines])
    return sections


CpfSections = Annotated[
    dict[str, Annotated[tuple[Line, ...], Field(min_length=1)]], AfterValidator(check_lines)
]
"""Section -> its lines, as in ``{"SQL": ["LockTimeout=20"]}``."""


def _check_actions(lines: Sequence[str]) -> None:
    for line in lines:
        action, colon, properties = line.partition(":")
        if not colon or not action.isalpha() or "=" not in properties:
            raise ValueError(
                f"{line} is no action; write it as in CreateRole:Name=clerk,Resources=%DB_APP"
            )
        section = SECTION_OF_ACTION.get(action.lower())
        if section:
            names = [part.split("=")[0].strip() for part in properties.split(",")]
            _check_parameters(section, names, written_in="Actions")


def _check_parameters(section: str, names: Sequence[str], *, written_in: str | None = None) -> None:
    seen = set[str]()
    for name in names:
        cure = OWNED.get((section.lower(), name.lower()))
        if cure:
            raise ValueError(f"[{written_in or section}] {name} is set by the program; {cure}")
        if name.lower() in seen:
            raise ValueError(
                f"[{written_in or section}] {name} stands there twice; keep one of the lines"
            )
        seen.add(name.lower())


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
    synch_commit: bool,
    username: str,
    password_hash: str,
    web_gateway_hash: str | None = None,
    journals: Mapping[str, Sequence[str]],
    parameters: Mapping[str, Sequence[str]],
    actions: Sequence[str],
    more: Mapping[str, Sequence[str]],
) -> str:
    """Text of the merge file (InterSystems, "Configuration Parameter File Reference").

    The caches are always given: IRIS would take a quarter of the *node's* memory for globals and
    be killed by the container's limit.

    In each section the lines of the program come first, then what settings became, then the
    lines of the stack file as they are.
    """
    taken = shared_memory(
        memory_gib=memory_gib,
        globals_mib=globals_mib,
        routines_mib=routines_mib,
        gmheap_kib=gmheap_kib,
    )
    # Done once: an action that creates does nothing where the user is already, so a password
    # that was changed in IRIS stays. The predefined users must change theirs at their first
    # login, which a SQL client cannot do.
    administrator = action(
        "CreateUser",
        Name=username,
        PasswordHash=(password_hash,),
        Roles=("%All",),
        ChangePassword=0,
        PasswordNeverExpires=1,
        AccountNeverExpires=1,
    )
    sections: dict[str, list[str]] = {
        "Startup": [f"PasswordHash={password_hash}"],
        "config": [
            f"globals=0,0,{taken.globals_mib},0,0,0",
            f"routines={taken.routines_mib}",
            f"gmheap={taken.gmheap_kib}",
            # LargePagesDisabled. By itself IRIS takes huge pages where a node has some, and a pod
            # that asked Kubernetes for none may get them and die when it touches the first one, as
            # PostgreSQL does (kubernetes/kubernetes#71233).
            "memlock=32",
        ],
        # When journal writes fail, wait until they work again. Without this IRIS goes on
        # unjournalled after about 150 s, and a stall of the storage becomes a loss of data.
        "Journal": ["FreezeOnError=1"],
        # IRIS's own default, 0, confirms a commit before the journal is on the volume. Written
        # in both cases: what was merged once stays in the instance's own file.
        "Miscellaneous": [f"SynchCommit={int(synch_commit)}"],
        "Actions": in_order([administrator, *account_actions(web_gateway_hash), *actions]),
    }
    for lines_by_section in (journals, parameters, more):
        for section, lines in lines_by_section.items():
            sections.setdefault(section, []).extend(lines)
    # Actions last: they are done in an instance that has the parameters.
    sections["Actions"] = sections.pop("Actions")
    return "\n".join(
        f"[{section}]\n" + "".join(f"{line}\n" for line in lines)
        for section, lines in sections.items()
    )
