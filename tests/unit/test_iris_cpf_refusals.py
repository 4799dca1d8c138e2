"""What a stack file may not say of IRIS's configuration: key, value, reason and cure of each."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.iris import IrisSettings
from stacks.faults import faults_of, secrets_in_clear
from tests.unit.iris_configuration import HASH, actions, parameter, settings

USER = {"name": "ann", "passwordHash": HASH}
REST = {"name": "/app", "namespace": "USER", "dispatchClass": "App.Rest"}
TLS = {
    "name": "SQL",
    "type": "server",
    "certificateFile": "/data/tls/tls.crt",
    "privateKeyFile": "/data/tls/tls.key",
    "verifyPeer": "none",
}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "journal buffers that IRIS does not take": (
        parameter("config", jrnbufs=2048),
        "parameters.config.jrnbufs is 2048: it must be 1024 or less (Journal buffers, MB",
    ),
    "journal buffers beyond the heap that they come from": (
        parameter("config", jrnbufs=512),
        "parameters: config.jrnbufs (512 MB) and config.locksiz (0 bytes) take 524288 KiB of the "
        "shared memory heap, which has 307200; lower them, or set iris.gmheapKib to more than",
    ),
    "lock table too small": (
        parameter("config", locksiz=1024),
        "parameters.config.locksiz is 1024: IRIS takes 0 (no limit) or at least 65536 bytes; set",
    ),
    "parameter of another name": (
        parameter("config", jrnbuf=64),
        "parameters.config.jrnbuf is not a setting: did you mean jrnbufs?",
    ),
    "section of another name": (
        {"parameters": {"Startup": {}}},
        "parameters.Startup is not a setting: did you mean startup?",
    ),
    "forced stop sooner than IRIS takes": (
        parameter("startup", shutdownTimeout=60),
        "parameters.startup.shutdownTimeout is 60: it must be 120 or more",
    ),
    "forced stop that Kubernetes forestalls": (
        parameter("startup", shutdownTimeout=120),
        "parameters: startup.shutdownTimeout is 120, and Kubernetes kills IRIS after "
        "terminationGracePeriodSeconds 30: IRIS would not come to force its stop; raise",
    ),
    "forced stop by a raw line": (
        {"cpf": {"Startup": ["ShutdownTimeout=600"]}},
        "cpf: [Startup] ShutdownTimeout is set by the program; set iris.parameters.startup.",
    ),
    "forced stop by a raw action": (
        {"cpf": {"Actions": ["ModifyStartup:ShutdownTimeout=600"]}},
        "cpf: [Actions] ShutdownTimeout is set by the program; set iris.parameters.startup.",
    ),
    "label with a comment in it": (
        parameter("startup", systemMode="LIVE#1"),
        "parameters.startup.systemMode is LIVE#1: IRIS takes what follows # for a comment; leave",
    ),
    "number in quotes": (
        parameter("startup", errorPurge="7"),
        "parameters.startup.errorPurge is 7: it must be a whole number, without quotes",
    ),
    "journals that are never purged": (
        parameter("journal", daysBeforePurge=0, backupsBeforePurge=0),
        "parameters.journal.backupsBeforePurge is 0: with daysBeforePurge 0 as well no journal is",
    ),
    "journal file too big": (
        parameter("journal", fileSizeLimit=5000),
        "parameters.journal.fileSizeLimit is 5000: it must be 4079 or less",
    ),
    "journal file and buffers too big": (
        {"parameters": {"config": {"jrnbufs": 512}, "journal": {"fileSizeLimit": 4000}}},
        "parameters.journal: fileSizeLimit and config.jrnbufs are 4512 MB together, and IRIS takes",
    ),
    "journal that gives up": (
        parameter("journal", freezeOnError=False),
        "parameters.journal.freezeOnError is not a setting",
    ),
    "parameter by name and by line": (
        {**parameter("config", jrnbufs=128), "cpf": {"config": ["JRNBUFS=64"]}},
        "parameters: jrnbufs stands in iris.cpf too, in [config]; keep one of the two",
    ),
    "database that IRIS has": (
        actions(databases=[{"name": "user"}]),
        "actions.databases.0.name is user: IRIS brings this database along; choose another name",
    ),
    "database with a name that IRIS does not take": (
        actions(databases=[{"name": "MY APP"}]),
        "actions.databases.0.name is MY APP: it must be text that matches",
    ),
    "database outside the volume": (
        actions(databases=[{"name": "APP", "directory": "/external/app"}]),
        "actions.databases.0.directory is /external/app: what lies outside the volume is lost with",
    ),
    "database outside the volume by way of it": (
        actions(databases=[{"name": "APP", "directory": "/data/../app"}]),
        "actions.databases.0.directory is /data/../app: what lies outside the volume is lost",
    ),
    "database on top of the volume": (
        actions(databases=[{"name": "APP", "directory": "/data/"}]),
        "actions.databases.0.directory is /data/: what lies outside the volume is lost",
    ),
    "database among IRIS's own files": (
        actions(databases=[{"name": "APP", "directory": "/data/iris/mgr/app"}]),
        "actions.databases.0.directory is /data/iris/mgr/app: /data/iris is not for databases of",
    ),
    "database whose name makes the folder of IRIS": (
        actions(databases=[{"name": "IRIS"}]),
        "actions.databases.0.directory is missing: /data/iris is not for databases of yours; set",
    ),
    "two databases in one folder": (
        actions(databases=[{"name": "A"}, {"name": "B", "directory": "/data/a"}]),
        "actions.databases: A and B lie in /data/a both; set another directory for one of them",
    ),
    "database that stands there twice": (
        actions(databases=[{"name": "APP"}, {"name": "app", "directory": "/data/b"}]),
        "actions.databases: app stands there twice (names have no case); keep one of them",
    ),
    "database behind an unknown resource": (
        actions(databases=[{"name": "APP", "resource": "Sales"}]),
        "actions.databases: database APP names the resource Sales, which there is not; add it to",
    ),
    "database with less room than at first": (
        actions(databases=[{"name": "APP", "sizeMib": 512, "maxSizeMib": 100}]),
        "actions.databases.0.maxSizeMib is 100: sizeMib is 512; set maxSizeMib to 512 or more",
    ),
    "database that may outgrow the volume": (
        {**actions(databases=[{"name": "APP", "maxSizeMib": 20480}]), "storageGib": 10},
        "actions: database APP may grow to 20480 MiB, and the volume (storageGib 10) has 10240;",
    ),
    "databases that fill the volume at once": (
        {
            **actions(databases=[{"name": "A", "sizeMib": 4096}, {"name": "B", "sizeMib": 4096}]),
            "storageGib": 10,
        },
        "actions: the databases have 8192 MiB to begin with, and the volume 10240, which also "
        "holds IRIS, the journals and the write image journal; set storageGib to 16 or more",
    ),
    "databases beyond Community Edition": (
        {**actions(databases=[{"name": "A", "sizeMib": 11000}]), "storageGib": 100},
        "actions: the databases have 11000 MiB to begin with, and Community Edition holds 10 GiB;",
    ),
    "namespace of IRIS itself": (
        actions(namespaces=[{"name": "%sys", "globals": "USER"}]),
        "actions.namespaces.0.name is %sys: IRIS itself lives there; leave it as it is",
    ),
    "namespace with a space": (
        actions(namespaces=[{"name": "MY APP", "globals": "USER"}]),
        "actions.namespaces.0.name is MY APP: it must be text that matches",
    ),
    "namespace without its database": (
        actions(namespaces=[{"name": "APP", "globals": "APP"}]),
        "actions.namespaces: namespace APP names the database APP, which there is not; add it to "
        "databases, or to provided.databases if the image has it",
    ),
    "namespace without its code": (
        actions(namespaces=[{"name": "APP", "globals": "USER", "routines": "CODE"}]),
        "namespace APP names the database CODE, which there is not",
    ),
    "role on an unknown resource": (
        actions(roles=[{"name": "clerk", "resources": ["Reports:U"]}]),
        "actions.roles: role clerk names the resource Reports, which there is not; add it to",
    ),
    "role on the database of nobody": (
        actions(roles=[{"name": "clerk", "resources": ["%DB_APP:R"]}]),
        "actions.roles: role clerk names the resource %DB_APP, which there is not; add it to",
    ),
    "role that allows nothing": (
        actions(roles=[{"name": "clerk", "resources": ["%DB_USER:"]}]),
        "%DB_USER: allows nothing; add R, W or U, as in %DB_USER:RW",
    ),
    "role with a right that there is not": (
        actions(roles=[{"name": "clerk", "resources": ["%DB_USER:X"]}]),
        "actions.roles.0.resources.0 is %DB_USER:X: it must be text that matches",
    ),
    "role with the name of one of IRIS": (
        actions(roles=[{"name": "%Clerk", "resources": ["%DB_USER:R"]}]),
        "actions.roles.0.name is %Clerk: names with % are those of IRIS; drop the %",
    ),
    "role without resources": (
        actions(roles=[{"name": "clerk", "resources": []}]),
        "actions.roles.0.resources is empty: a role without resources allows nothing; add one",
    ),
    "user that IRIS has": (
        actions(users=[{**USER, "name": "superuser"}]),
        "actions.users.0.name is superuser: IRIS brings this user along, and its own rules",
    ),
    "user that the program makes": (
        actions(users=[{**USER, "name": "DBA"}]),
        "actions: DBA is the user of iris.username, which the program makes; choose another name",
    ),
    "user of the web gateway": (
        actions(users=[{**USER, "name": "WebGateway"}]),
        "actions: WebGateway is the user of the web gateway; choose another name",
    ),
    "user without a password": (
        actions(users=[{"name": "ann"}]),
        "actions.users.0.passwordHash is missing: a user has one first password; set password or",
    ),
    "user with two passwords": (
        actions(users=[{**USER, "password": "correct-horse"}]),
        "a user has one first password; set password or passwordHash",
    ),
    "user with a short password": (
        actions(users=[{"name": "ann", "password": "SYS"}]),
        "actions.users.0.password: it must be at least 8 characters long",
    ),
    "hash of the old kind": (
        actions(users=[{"name": "ann", "passwordHash": f"{'a' * 40},u4ocm4qh"}]),
        "it must be text that matches ^[0-9a-fA-F]{128},",
    ),
    "user with an unknown role": (
        actions(users=[{**USER, "roles": ["clerk"]}]),
        "actions.users: user ann names the role clerk, which there is not; add it to roles, or to",
    ),
    "application without a slash": (
        actions(webApplications=[{**REST, "name": "app"}]),
        "actions.webApplications.0.name is app: it must be text that matches",
    ),
    "application in the place of the portal": (
        actions(webApplications=[{**REST, "name": "/csp/sys/app"}]),
        "actions.webApplications.0.name is /csp/sys/app: IRIS has applications of its own there;",
    ),
    "application in an unknown namespace": (
        actions(webApplications=[{**REST, "namespace": "APP"}]),
        "actions.webApplications: web application /app names the namespace APP, which there is not",
    ),
    "application with an unknown role": (
        actions(webApplications=[{**REST, "roles": ["clerk"]}]),
        "actions.webApplications: web application /app names the role clerk, which there is not",
    ),
    "application with an unknown resource": (
        actions(webApplications=[{**REST, "resource": "Reports"}]),
        "web application /app names the resource Reports, which there is not",
    ),
    "application that does nothing": (
        actions(webApplications=[{"name": "/app", "namespace": "USER"}]),
        "actions.webApplications.0.path is missing: an application has a dispatchClass or a path;",
    ),
    "application with every right for everybody": (
        actions(
            webApplications=[
                {**REST, "roles": ["%All"], "authentication": ["AutheUnauthenticated"]}
            ]
        ),
        "everybody who reaches the web server would have every right; drop %All, or Authe",
    ),
    "way in that there is not": (
        actions(webApplications=[{**REST, "authentication": ["Password"]}]),
        "actions.webApplications.0.authentication.0 is Password: it must be one of",
    ),
    "service of another kind of name": (
        actions(services=[{"name": "Bindings", "enabled": True}]),
        "actions.services.0.name is Bindings: it must be text that matches",
    ),
    "service of which nothing is said": (
        actions(services=[{"name": "%Service_Monitor"}]),
        "actions.services.0.authentication is empty: nothing is said of the service; set enabled",
    ),
    "service that backups need": (
        actions(services=[{"name": "%Service_Terminal", "enabled": False}]),
        "actions.services.0.enabled is false: backups and upgrades freeze and stop IRIS through",
    ),
    "server without a certificate": (
        actions(sslConfigs=[{"name": "SQL", "type": "server", "verifyPeer": "none"}]),
        "actions.sslConfigs.0.privateKeyFile is missing: a server shows a certificate; set",
    ),
    "key without its certificate": (
        actions(
            sslConfigs=[
                {"name": "C", "type": "client", "privateKeyFile": "/data/k", "verifyPeer": "none"}
            ]
        ),
        "actions.sslConfigs.0.privateKeyFile is /data/k: a certificate and its key go together;",
    ),
    "certificates that nobody can verify": (
        actions(sslConfigs=[{"name": "C", "type": "client"}]),
        "actions.sslConfigs.0.verifyPeer is require: nobody says whom to trust; set caFile, or",
    ),
    "client that only asks": (
        actions(sslConfigs=[{"name": "C", "type": "client", "verifyPeer": "request"}]),
        "a client requires the server's certificate or takes any; set require",
    ),
    "method without a class": (
        actions(execute=[{"namespace": "USER", "method": "Run"}]),
        "actions.execute.0.method is Run: a method is one of a class; set className and method",
    ),
    "nothing to execute": (
        actions(execute=[{"namespace": "USER"}]),
        "actions.execute.0.routine is missing: set className with method, or routine",
    ),
    "method in an unknown namespace": (
        actions(execute=[{"namespace": "APP", "routine": "^APP"}]),
        "actions.execute: execute ^APP names the namespace APP, which there is not",
    ),
    "argument that would end in a comment": (
        actions(
            execute=[{"namespace": "USER", "routine": "^APP", "arguments": ["https://example.com"]}]
        ),
        "actions.execute.0.arguments.0 is https://example.com: IRIS takes what follows // for a",
    ),
    "argument that would end its quotation marks": (
        actions(execute=[{"namespace": "USER", "routine": "^APP", "arguments": ['a"b']}]),
        'arguments.0 is a"b: a value in a CPF is one line without a quotation mark; reword it',
    ),
    "description of two lines": (
        actions(resources=[{"name": "R", "description": "a\n[config]"}]),
        "a value in a CPF is one line without a quotation mark; reword it",
    ),
    "description with a space at its end": (
        actions(resources=[{"name": "R", "description": "Reports "}]),
        "IRIS drops spaces at the ends of a line; drop them here",
    ),
}


def refusals(said: dict[str, Any]) -> list[str]:
    """Lines that the stack's refusal has about these settings."""
    with pytest.raises(ValidationError) as refused:
        settings(**said)
    return faults_of(refused.value, IrisSettings)


@pytest.mark.parametrize("case", REFUSED)
def test_what_iris_would_not_take_is_refused_with_its_cure(case):
    said, expected = REFUSED[case]

    (fault,) = refusals(said)
    assert expected in fault
    assert fault.startswith("ha-iris:")


def test_a_refusal_repeats_no_password_and_no_list_of_groups():
    ann = {"name": "ann", "password": "correct-horse", "roles": ["clerk"]}

    (fault,) = refusals({"actions": {"users": [ann]}})

    assert "correct-horse" not in fault
    assert fault.startswith("ha-iris:actions.users: user ann names the role clerk")


def test_a_password_of_a_user_may_not_stand_in_clear():
    users = [{"name": "ann", "passwordHash": HASH}, {"name": "bob", "password": "correct-horse"}]

    faults = secrets_in_clear(IrisSettings, {"actions": {"users": users}}, set())

    assert faults == [
        "ha-iris:actions.users[1].password is in clear: anybody who reads the stack file reads it; "
        "run `pulumi config set --secret --path ha-iris:actions.users[1].password`"
    ]


def test_a_fault_in_one_list_hides_none_in_another():
    faults = refusals(
        {
            "actions": {
                "databases": [{"name": "USER"}],
                "namespaces": [{"name": "APP", "globals": "APP"}],
                "services": [{"name": "Bindings", "enabled": True}],
            }
        }
    )

    assert len(faults) == 2  # whether APP is a database is not known while the list is refused
