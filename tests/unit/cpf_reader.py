"""Reads a merge file as InterSystems describes one, without a line of the program's own code.

It stands in for IRIS's reader: comments are cut off, values in quotation marks may hold commas.
"""

import re
from typing import Any

GROUPS = {
    "Resource": "resources",
    "Database": "databases",
    "Namespace": "namespaces",
    "Role": "roles",
    "User": "users",
    "Application": "webApplications",
    "Service": "services",
    "SSLConfig": "sslConfigs",
}


def sections(text: str) -> dict[str, list[str]]:
    """Lines by section, without comments and empty lines."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        line = re.split(r";|#|//|/\*", line)[0].strip()
        if heading := re.fullmatch(r"\[(.+)\]", line):
            name = heading[1]
            found.setdefault(name, [])
        elif line:
            found[name].append(line)
    return found


def action(line: str) -> tuple[str, dict[str, str]]:
    """Kind and properties, as in CreateRole and {"Name": "clerk"}."""
    kind, _, rest = line.partition(":")
    properties = {}
    while rest:
        found = re.match(r'(\w+)=(?:"([^"]*)"|([^",=]*))(?:,|$)', rest)
        assert found, f"{rest} in {line} is no property"
        properties[found[1]] = found[2] if found[2] is not None else found[3]
        rest = rest[found.end() :]
    return kind, properties


def _several(text: str, mark: str = ",") -> list[str]:
    return [part for part in text.split(mark) if part]


def actions(lines: list[str]) -> dict[str, Any]:
    """The settings that these actions were made of."""
    by_name: dict[tuple[str, str], dict[str, Any]] = {}
    read: dict[str, Any] = {}
    for line in lines:
        kind, given = action(line)
        if kind == "Execute":
            read.setdefault("execute", []).append(_execute(given))
            continue
        assert kind.startswith(("Create", "Modify"))
        seen = by_name.setdefault((GROUPS[kind[6:]], given["Name"]), {})
        for name, value in given.items():
            assert seen.setdefault(name, value) == value, f"{line} says otherwise than a Create"
    guards = {seen["ResourceName"] for (group, _), seen in by_name.items() if group == "databases"}
    for (group, name), seen in by_name.items():
        if group == "resources" and name.startswith("%DB_") and name in guards:
            continue  # made for a database that names none
        read.setdefault(group, []).append(_READ[group](seen))
    return read


def _execute(given: dict[str, str]) -> dict[str, Any]:
    arguments = [given[f"Arg{i}"] for i in range(1, 20) if f"Arg{i}" in given]
    return {
        "namespace": given["Namespace"],
        "className": given.get("ClassName"),
        "method": given.get("MethodName"),
        "routine": given.get("RoutineName"),
        "arguments": arguments,
    }


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _ways(text: str | None) -> list[str]:
    return [way.removeprefix("$$$") for way in _several(text or "", "+")]


_READ: dict[str, Any] = {
    "resources": lambda p: {"name": p["Name"], "description": p.get("Description")},
    "databases": lambda p: {
        "name": p["Name"],
        "directory": None if p["Directory"] == f"/data/{p['Name'].lower()}" else p["Directory"],
        "sizeMib": _number(p.get("Size")),
        "maxSizeMib": _number(p.get("MaxSize")),
        "resource": (
            None if p["ResourceName"] == f"%DB_{p['Name'].upper()}" else p["ResourceName"]
        ),
    },
    "namespaces": lambda p: {
        "name": p["Name"],
        "globals": p["Globals"],
        "routines": p.get("Routines"),
        "tempGlobals": p.get("TempGlobals"),
        "interop": p.get("Interop") == "1",
    },
    "roles": lambda p: {
        "name": p["Name"],
        "resources": _several(p["Resources"]),
        "description": p.get("Description"),
    },
    "users": lambda p: {
        "name": p["Name"],
        "passwordHash": p["PasswordHash"],
        "roles": _several(p["Roles"]),
        "fullName": p.get("FullName"),
        "enabled": p["Enabled"] == "1",
    },
    "webApplications": lambda p: {
        "name": p["Name"],
        "namespace": p["NameSpace"],
        "dispatchClass": p.get("DispatchClass"),
        "path": p.get("Path"),
        "authentication": _ways(p.get("AutheEnabled")),
        "roles": _several(p.get("MatchRoles", ""), ":"),
        "resource": p.get("Resource"),
        "enabled": p["Enabled"] == "1",
    },
    "services": lambda p: {
        "name": p["Name"],
        "enabled": {None: None, "0": False, "1": True}[p.get("Enabled")],
        "authentication": _ways(p.get("AutheEnabled")),
    },
    "sslConfigs": lambda p: {
        "name": p["Name"],
        "type": ["client", "server"][int(p["Type"])],
        "certificateFile": p.get("CertificateFile"),
        "privateKeyFile": p.get("PrivateKeyFile"),
        "caFile": p.get("CAFile"),
        "verifyPeer": (
            {"0": "none", "1": "request", "3": "require"}
            if p["Type"] == "1"
            else {"0": "none", "1": "require"}
        )[p["VerifyPeer"]],
        "tlsMinVersion": {"16": "1.2", "32": "1.3"}[p["TLSMinVersion"]],
        "enabled": p["Enabled"] == "1",
    },
}
