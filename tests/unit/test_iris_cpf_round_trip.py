"""What is written into the merge file reads back as what the stack file said."""

import random
import string
from typing import Any

import pytest

from tests.unit import cpf_reader
from tests.unit.iris_configuration import HASH, settings, text

ROOM = {
    "memoryGib": 16,
    "gmheapKib": 2 * 2**20,
    "terminationGracePeriodSeconds": 3600,
    "image": "containers.intersystems.com/intersystems/iris:2026.1",
}
"""For any of the values below."""
LIMITS: dict[str, dict[str, Any]] = {
    "config": {
        "jrnbufs": (16, 1024),
        "locksiz": (65536, 2**28),
        "errlog": (10, 10000),
        "history": (0, 1000),
        "ijcbuff": (512, 8192),
        "ijcnum": (0, 256),
        "nlstab": (0, 64),
    },
    "startup": {
        "ensembleAutoStart": bool,
        "shutdownTimeout": (120, 3600),
        "systemMode": str,
        "errorPurge": (1, 1000),
        "jobServers": (0, 2000),
        "maxConsoleLogSize": (1, 500),
        "maxIrisTempSizeAtStart": (0, 1_000_000),
    },
    "journal": {
        "fileSizeLimit": (1, 3000),
        "daysBeforePurge": (1, 100),
        "backupsBeforePurge": (0, 10),
        "compressFiles": bool,
        "journalFilePrefix": str,
        "journalcspSession": bool,
    },
    "miscellaneous": {
        "shutDownLogErrors": bool,
        "collectResourceStats": bool,
        "globalKillEnabled": bool,
        "logRollback": bool,
        "nodeNameInPid": bool,
        "nullSubscripts": bool,
        "scientificNotation": bool,
        "undefined": (0, 2),
    },
}


class Stack:
    """Settings that a person might write, each run with others."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.names = 0

    def perhaps(self, value: Any) -> Any:
        return value if self.dice.random() < 0.5 else None

    def name(self, *, begins: str = string.ascii_letters) -> str:
        self.names += 1
        rest = self.dice.choices(string.ascii_letters + string.digits + "_-", k=6)
        return f"{self.dice.choice(begins)}{''.join(rest)}{self.names}"

    def prose(self) -> str:
        return (
            "".join(self.dice.choices(string.ascii_letters + " ,=:.'!%&()äß日\\", k=20)).strip()
            or "x"
        )

    def some(self, choices: list[str], *, least: int = 0) -> list[str]:
        return self.dice.sample(choices, self.dice.randint(least, min(3, len(choices))))

    def parameters(self) -> dict[str, Any]:
        return {
            section: {
                name: self.value(kind) for name, kind in limits.items() if self.dice.random() < 0.5
            }
            for section, limits in LIMITS.items()
        }

    def value(self, kind: Any) -> Any:
        if kind is bool:
            return self.dice.random() < 0.5
        if kind is str:
            return "".join(self.dice.choices(string.ascii_letters, k=8))
        return self.dice.randint(*kind)

    def actions(self) -> dict[str, Any]:
        resources = [
            {"name": self.name(), "description": self.perhaps(self.prose())} for _ in range(2)
        ]
        guards = [resource["name"] for resource in resources]
        databases = []
        for _ in range(self.dice.randint(1, 4)):
            name = self.name(begins=string.ascii_letters + "_")
            databases.append(
                {
                    "name": name,
                    "directory": self.perhaps(f"/data/in {name}/db"),
                    "sizeMib": self.perhaps(self.dice.randint(1, 1000)),
                    "maxSizeMib": self.perhaps(self.dice.randint(1000, 10000)),
                    "resource": self.perhaps(self.dice.choice(guards)),
                }
            )
        stores = [database["name"] for database in databases] + ["USER", "IRISTEMP"]
        namespaces = [
            {
                "name": self.name(begins=string.ascii_letters + "%"),
                "globals": self.dice.choice(stores),
                "routines": self.perhaps(self.dice.choice(stores)),
                "tempGlobals": self.perhaps(self.dice.choice(stores)),
                "interop": self.dice.random() < 0.5,
            }
            for _ in range(2)
        ]
        spaces = [namespace["name"] for namespace in namespaces] + ["USER", "%SYS"]
        roles = [
            {
                "name": self.name(),
                "resources": [f"{one}:{self.dice.choice(['R', 'RW', 'U'])}" for one in guards],
                "description": self.perhaps(self.prose()),
            }
            for _ in range(2)
        ]
        granted = [role["name"] for role in roles] + ["%All", "%SQL", "%DB_USER"]
        ways = ["AuthePassword", "AutheDelegated", "AutheLDAP", "AutheOS"]
        return {
            "resources": resources,
            "databases": databases,
            "namespaces": namespaces,
            "roles": roles,
            "users": [
                {
                    "name": self.name(),
                    "passwordHash": HASH,
                    "roles": self.some(granted),
                    "fullName": self.perhaps(self.prose()),
                    "enabled": self.dice.random() < 0.5,
                }
                for _ in range(2)
            ],
            "webApplications": [self.application(spaces, granted, guards, ways) for _ in range(2)],
            "services": [
                {
                    "name": f"%Service_{service}",
                    "enabled": self.dice.random() < 0.5,
                    "authentication": self.some(ways),
                }
                for service in self.some(["Bindings", "Monitor", "ECP"])
            ],
            "sslConfigs": [self.tls() for _ in range(2)],
            "execute": [self.execute(spaces) for _ in range(2)],
        }

    def application(
        self, spaces: list[str], granted: list[str], guards: list[str], ways: list[str]
    ) -> dict[str, Any]:
        rest = self.dice.random() < 0.5
        return {
            "name": f"/{self.name()}/api",
            "namespace": self.dice.choice(spaces),
            "dispatchClass": "App.Rest" if rest else None,
            "path": None if rest else f"/opt/{self.name()}",
            "authentication": self.some(ways, least=1),
            "roles": self.some(granted),
            "resource": self.perhaps(self.dice.choice(guards)),
            "enabled": self.dice.random() < 0.5,
        }

    def tls(self) -> dict[str, Any]:
        server = self.dice.random() < 0.5
        certificate = server or self.dice.random() < 0.5
        return {
            "name": self.name(),
            "type": "server" if server else "client",
            "certificateFile": "/data/tls/a b.crt" if certificate else None,
            "privateKeyFile": "/data/tls/tls.key" if certificate else None,
            "caFile": "/data/tls/ca.crt",
            "verifyPeer": self.dice.choice(["none", "require", *(["request"] * server)]),
            "tlsMinVersion": self.dice.choice(["1.2", "1.3"]),
            "enabled": self.dice.random() < 0.5,
        }

    def execute(self, spaces: list[str]) -> dict[str, Any]:
        routine = self.dice.random() < 0.5
        return {
            "namespace": self.dice.choice(spaces),
            "className": None if routine else "App.Setup",
            "method": None if routine else "Run",
            "routine": "$$Setup^APP" if routine else None,
            "arguments": [self.prose() for _ in range(self.dice.randint(0, 3))],
        }


def read_parameters(sections: dict[str, list[str]]) -> dict[str, Any]:
    """What the stack file said of the parameters, from the sections of the merge file."""
    without = cpf_reader.sections(text(settings()))
    read: dict[str, Any] = {}
    for section, limits in LIMITS.items():
        true_name = section if section == "config" else section.capitalize()
        kinds = {name.lower(): (name, kind) for name, kind in limits.items()}
        found = {}
        for line in sections[true_name]:
            parameter, _, value = line.partition("=")
            if not any(own.startswith(f"{parameter}=") for own in without[true_name]):
                name, kind = kinds[parameter.lower()]
                found[name] = (
                    value if kind is str else bool(int(value)) if kind is bool else int(value)
                )
        read[section] = found
    return read


@pytest.mark.parametrize("seed", range(200))
def test_what_is_written_reads_back_as_what_was_said(seed):
    stack = Stack(seed)
    parameters, actions = stack.parameters(), stack.actions()
    said = settings(parameters=parameters, actions=actions, **ROOM)
    # Without one, the grace of the pod gives it.
    parameters["startup"].setdefault("shutdownTimeout", 300)

    sections = cpf_reader.sections(text(said))
    lines = [line for line in sections["Actions"] if not line.startswith("CreateUser:Name=dba,")]
    read = settings(
        parameters=read_parameters(sections),
        actions=cpf_reader.actions(lines),
        **ROOM,
    )

    assert read_parameters(sections) == parameters
    assert read.actions == said.actions
