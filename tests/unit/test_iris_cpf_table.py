"""What a stack file says of IRIS's configuration, and what IRIS reads: one row for each case."""

from typing import Any

import pytest

from tests.unit.iris_configuration import HASH, actions, added, parameter

APP = {"databases": [{"name": "APP"}]}
APP_LINES = [
    "CreateResource:Name=%DB_APP",
    "CreateDatabase:Name=APP,Directory=/data/app,ResourceName=%DB_APP",
]
REST = {"name": "/app/api", "namespace": "USER", "dispatchClass": "App.Rest"}
SERVER_TLS = {
    "name": "SQL",
    "type": "server",
    "certificateFile": "/data/tls/tls.crt",
    "privateKeyFile": "/data/tls/tls.key",
    "verifyPeer": "none",
}


# What the stack file says, the section, and the lines that come into it, in IRIS's order.
TABLE: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "journal buffers": (parameter("config", jrnbufs=128), "config", ["jrnbufs=128"]),
    "lock table": (parameter("config", locksiz=1179648), "config", ["locksiz=1179648"]),
    "lock table without a limit": (parameter("config", locksiz=0), "config", ["locksiz=0"]),
    "error log": (parameter("config", errlog=10000), "config", ["errlog=10000"]),
    "command line memory": (parameter("config", history=0), "config", ["history=0"]),
    "job buffers": (
        parameter("config", ijcbuff=1024, ijcnum=32),
        "config",
        ["ijcbuff=1024", "ijcnum=32"],
    ),
    "collations": (parameter("config", nlstab=64), "config", ["nlstab=64"]),
    "no production starts by itself": (
        parameter("startup", ensembleAutoStart=False),
        "Startup",
        ["EnsembleAutoStart=0"],
    ),
    "productions start": (
        parameter("startup", ensembleAutoStart=True),
        "Startup",
        ["EnsembleAutoStart=1"],
    ),
    "forced stop within the grace": (
        {
            **parameter("startup", shutdownTimeout=240),
            "terminationGracePeriodSeconds": 300,
        },
        "Startup",
        ["ShutdownTimeout=240"],
    ),
    "forced stop follows the grace": (
        {"terminationGracePeriodSeconds": 180},
        "Startup",
        ["ShutdownTimeout=180"],
    ),
    "forced stop is IRIS's own with a long grace": (
        {"terminationGracePeriodSeconds": 3600},
        "Startup",
        ["ShutdownTimeout=300"],
    ),
    "label of the portal": (
        parameter("startup", systemMode="LIVE"),
        "Startup",
        ["SystemMode=LIVE"],
    ),
    "error globals": (parameter("startup", errorPurge=7), "Startup", ["ErrorPurge=7"]),
    "job servers": (parameter("startup", jobServers=12), "Startup", ["JobServers=12"]),
    "size of messages.log": (
        parameter("startup", maxConsoleLogSize=50),
        "Startup",
        ["MaxConsoleLogSize=50"],
    ),
    "size of IRISTEMP at a start": (
        parameter("startup", maxIrisTempSizeAtStart=2048),
        "Startup",
        ["MaxIRISTempSizeAtStart=2048"],
    ),
    "size of a journal file": (
        parameter("journal", fileSizeLimit=2048),
        "Journal",
        ["FileSizeLimit=2048"],
    ),
    "days of journals": (
        parameter("journal", daysBeforePurge=7, backupsBeforePurge=0),
        "Journal",
        ["DaysBeforePurge=7", "BackupsBeforePurge=0"],
    ),
    "journals as they are": (
        parameter("journal", compressFiles=False),
        "Journal",
        ["CompressFiles=0"],
    ),
    "names of journals": (
        parameter("journal", journalFilePrefix="prod"),
        "Journal",
        ["JournalFilePrefix=prod"],
    ),
    "web sessions that survive": (
        parameter("journal", journalcspSession=True),
        "Journal",
        ["JournalcspSession=1"],
    ),
    "errors at a stop": (
        parameter("miscellaneous", shutDownLogErrors=True),
        "Miscellaneous",
        ["ShutDownLogErrors=1"],
    ),
    "old behaviour of variables": (
        parameter("miscellaneous", undefined=2, nullSubscripts=True, scientificNotation=False),
        "Miscellaneous",
        ["NullSubscripts=1", "ScientificNotation=0", "Undefined=2"],
    ),
    "no KILL of a global": (
        parameter("miscellaneous", globalKillEnabled=False, logRollback=True),
        "Miscellaneous",
        ["GlobalKillEnabled=0", "LogRollback=1"],
    ),
    "node in the job's number": (
        parameter("miscellaneous", nodeNameInPid=True, collectResourceStats=True),
        "Miscellaneous",
        ["CollectResourceStats=1", "NodeNameInPid=1"],
    ),
    "raw lines come after those of settings": (
        {**parameter("config", jrnbufs=128), "cpf": {"config": ["bbsiz=-1"]}},
        "config",
        ["jrnbufs=128", "bbsiz=-1"],
    ),
    "raw section": ({"cpf": {"SQL": ["LockTimeout=20"]}}, "SQL", ["LockTimeout=20"]),
    "database": ({"actions": APP}, "Actions", APP_LINES),
    "database with a folder": (
        actions(databases=[{"name": "APP", "directory": "/data/sales/app/"}]),
        "Actions",
        [
            "CreateResource:Name=%DB_APP",
            "CreateDatabase:Name=APP,Directory=/data/sales/app,ResourceName=%DB_APP",
        ],
    ),
    "database with a first size": (
        actions(databases=[{"name": "App-1", "sizeMib": 512}]),
        "Actions",
        [
            "CreateResource:Name=%DB_APP-1",
            "CreateDatabase:Name=App-1,Directory=/data/app-1,Size=512,ResourceName=%DB_APP-1",
        ],
    ),
    "database with a limit that may change": (
        actions(databases=[{"name": "APP", "sizeMib": 512, "maxSizeMib": 4096}]),
        "Actions",
        [
            "CreateResource:Name=%DB_APP",
            "CreateDatabase:Name=APP,Directory=/data/app,Size=512,MaxSize=4096,"
            "ResourceName=%DB_APP",
            "ModifyDatabase:Name=APP,Directory=/data/app,MaxSize=4096",
        ],
    ),
    "databases behind one resource": (
        actions(
            resources=[{"name": "Sales"}],
            databases=[{"name": "APP", "resource": "Sales"}],
        ),
        "Actions",
        [
            "CreateResource:Name=Sales",
            "CreateDatabase:Name=APP,Directory=/data/app,ResourceName=Sales",
            "ModifyDatabase:Name=APP,Directory=/data/app,ResourceName=Sales",
        ],
    ),
    "database behind IRIS's default resource": (
        actions(databases=[{"name": "APP", "resource": "%DB_%DEFAULT"}]),
        "Actions",
        [
            "CreateDatabase:Name=APP,Directory=/data/app,ResourceName=%DB_%DEFAULT",
            "ModifyDatabase:Name=APP,Directory=/data/app,ResourceName=%DB_%DEFAULT",
        ],
    ),
    "namespace with its database": (
        actions(**APP, namespaces=[{"name": "APP", "globals": "APP"}]),
        "Actions",
        [
            *APP_LINES,
            "CreateNamespace:Name=APP,Globals=APP",
            "ModifyNamespace:Name=APP,Globals=APP",
        ],
    ),
    "namespace for productions": (
        actions(**APP, namespaces=[{"name": "APP", "globals": "APP", "interop": True}]),
        "Actions",
        [
            *APP_LINES,
            "CreateNamespace:Name=APP,Globals=APP,Interop=1",
            "ModifyNamespace:Name=APP,Globals=APP,Interop=1",
        ],
    ),
    "namespace with code elsewhere": (
        actions(
            **APP,
            namespaces=[
                {"name": "APP", "globals": "APP", "routines": "USER", "tempGlobals": "IRISTEMP"}
            ],
        ),
        "Actions",
        [
            *APP_LINES,
            "CreateNamespace:Name=APP,Globals=APP,Routines=USER,TempGlobals=IRISTEMP",
            "ModifyNamespace:Name=APP,Globals=APP,Routines=USER,TempGlobals=IRISTEMP",
        ],
    ),
    "namespace that IRIS brings along": (
        actions(**APP, namespaces=[{"name": "user", "globals": "APP"}]),
        "Actions",
        [*APP_LINES, "ModifyNamespace:Name=user,Globals=APP"],
    ),
    "namespace of the image moves to the volume": (
        actions(
            provided={"namespaces": ["MYAPP"], "databases": ["MYAPP-CODE"]},
            databases=[{"name": "MYAPP-DATA-EXT"}],
            namespaces=[{"name": "MYAPP", "globals": "MYAPP-DATA-EXT", "routines": "MYAPP-CODE"}],
        ),
        "Actions",
        [
            "CreateResource:Name=%DB_MYAPP-DATA-EXT",
            "CreateDatabase:Name=MYAPP-DATA-EXT,Directory=/data/myapp-data-ext,"
            "ResourceName=%DB_MYAPP-DATA-EXT",
            "ModifyNamespace:Name=MYAPP,Globals=MYAPP-DATA-EXT,Routines=MYAPP-CODE",
        ],
    ),
    "resource": (
        actions(resources=[{"name": "Reports"}]),
        "Actions",
        ["CreateResource:Name=Reports"],
    ),
    "resource with a description": (
        actions(resources=[{"name": "Reports", "description": "yearly, and others"}]),
        "Actions",
        [
            'CreateResource:Name=Reports,Description="yearly, and others"',
            'ModifyResource:Name=Reports,Description="yearly, and others"',
        ],
    ),
    "role": (
        actions(roles=[{"name": "clerk", "resources": ["%DB_USER:R"]}]),
        "Actions",
        [
            'CreateRole:Name=clerk,Resources="%DB_USER:R"',
            'ModifyRole:Name=clerk,Resources="%DB_USER:R"',
        ],
    ),
    "role on a new database": (
        actions(
            **APP,
            roles=[{"name": "clerk", "resources": ["%DB_APP:RW", "%Service_SQL:U"]}],
        ),
        "Actions",
        [
            *APP_LINES,
            'CreateRole:Name=clerk,Resources="%DB_APP:RW,%Service_SQL:U"',
            'ModifyRole:Name=clerk,Resources="%DB_APP:RW,%Service_SQL:U"',
        ],
    ),
    "role with a description": (
        actions(roles=[{"name": "r", "resources": ["%DB_USER:RWU"], "description": "Sales staff"}]),
        "Actions",
        [
            'CreateRole:Name=r,Resources="%DB_USER:RWU",Description="Sales staff"',
            'ModifyRole:Name=r,Resources="%DB_USER:RWU",Description="Sales staff"',
        ],
    ),
    "user with a hash": (
        actions(users=[{"name": "ann", "passwordHash": HASH, "roles": ["%SQL", "%DB_USER"]}]),
        "Actions",
        [
            f'CreateUser:Name=ann,PasswordHash="{HASH}",Roles="%SQL,%DB_USER",Enabled=1,'
            "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1",
            'ModifyUser:Name=ann,Roles="%SQL,%DB_USER",Enabled=1',
        ],
    ),
    "user with a secret password": (
        actions(users=[{"name": "ann", "password": "correct-horse", "roles": ["%SQL"]}]),
        "Actions",
        [
            f'CreateUser:Name=ann,PasswordHash="{HASH}",Roles="%SQL",Enabled=1,'
            "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1",
            'ModifyUser:Name=ann,Roles="%SQL",Enabled=1',
        ],
    ),
    "user who is shut out": (
        actions(users=[{"name": "ann", "passwordHash": HASH, "enabled": False}]),
        "Actions",
        [
            f'CreateUser:Name=ann,PasswordHash="{HASH}",Roles="",Enabled=0,'
            "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1",
            'ModifyUser:Name=ann,Roles="",Enabled=0',
        ],
    ),
    "user with a name of a person": (
        actions(users=[{"name": "ann", "passwordHash": HASH, "fullName": "Ann O'Hara"}]),
        "Actions",
        [
            f'CreateUser:Name=ann,PasswordHash="{HASH}",Roles="",FullName="Ann O\'Hara",Enabled=1,'
            "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1",
            'ModifyUser:Name=ann,Roles="",FullName="Ann O\'Hara",Enabled=1',
        ],
    ),
    "user with a role of one's own": (
        actions(
            roles=[{"name": "clerk", "resources": ["%DB_USER:R"]}],
            users=[{"name": "ann", "passwordHash": HASH, "roles": ["CLERK"]}],
        ),
        "Actions",
        [
            'CreateRole:Name=clerk,Resources="%DB_USER:R"',
            f'CreateUser:Name=ann,PasswordHash="{HASH}",Roles="CLERK",Enabled=1,'
            "ChangePassword=0,PasswordNeverExpires=1,AccountNeverExpires=1",
            'ModifyRole:Name=clerk,Resources="%DB_USER:R"',
            'ModifyUser:Name=ann,Roles="CLERK",Enabled=1',
        ],
    ),
    "REST service": (
        actions(webApplications=[REST]),
        "Actions",
        [
            f"{kind}Application:Name=/app/api,NameSpace=USER,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AuthePassword,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "pages from a folder": (
        actions(webApplications=[{"name": "/app", "namespace": "USER", "path": "/opt/app/web"}]),
        "Actions",
        [
            f"{kind}Application:Name=/app,NameSpace=USER,Path=/opt/app/web,CSPZENEnabled=1,"
            "ServeFiles=1,Recurse=1,AutheEnabled=$$$AuthePassword,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "REST service with roles": (
        actions(webApplications=[{**REST, "roles": ["%DB_USER", "%SQL"]}]),
        "Actions",
        [
            f"{kind}Application:Name=/app/api,NameSpace=USER,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AuthePassword,MatchRoles=:%DB_USER:%SQL,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "REST service behind a resource": (
        actions(
            resources=[{"name": "Reports"}],
            webApplications=[{**REST, "resource": "Reports", "enabled": False}],
        ),
        "Actions",
        ["CreateResource:Name=Reports"]
        + [
            f"{kind}Application:Name=/app/api,NameSpace=USER,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AuthePassword,Resource=Reports,Enabled=0"
            for kind in ("Create", "Modify")
        ],
    ),
    "REST service with two ways in": (
        actions(webApplications=[{**REST, "authentication": ["AuthePassword", "AutheDelegated"]}]),
        "Actions",
        [
            f"{kind}Application:Name=/app/api,NameSpace=USER,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AuthePassword+$$$AutheDelegated,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "REST service for everybody": (
        actions(webApplications=[{**REST, "authentication": ["AutheUnauthenticated"]}]),
        "Actions",
        [
            f"{kind}Application:Name=/app/api,NameSpace=USER,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AutheUnauthenticated,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "service switched off": (
        actions(services=[{"name": "%Service_Monitor", "enabled": False}]),
        "Actions",
        ["ModifyService:Name=%Service_Monitor,Enabled=0"],
    ),
    "service in InterSystems' other spelling": (
        actions(services=[{"name": "%service_ecp", "enabled": True}]),
        "Actions",
        ["ModifyService:Name=%service_ecp,Enabled=1"],
    ),
    "service with ways in": (
        actions(
            services=[
                {
                    "name": "%Service_Bindings",
                    "authentication": ["AuthePassword", "AutheLDAP"],
                }
            ]
        ),
        "Actions",
        ["ModifyService:Name=%Service_Bindings,AutheEnabled=$$$AuthePassword+$$$AutheLDAP"],
    ),
    "TLS of a server": (
        actions(sslConfigs=[SERVER_TLS]),
        "Actions",
        [
            f"{kind}SSLConfig:Name=SQL,Type=1,CertificateFile=/data/tls/tls.crt,"
            "PrivateKeyFile=/data/tls/tls.key,VerifyPeer=0,TLSMinVersion=16,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "TLS of a server that asks for certificates": (
        actions(sslConfigs=[{**SERVER_TLS, "caFile": "/data/tls/ca.crt", "verifyPeer": "require"}]),
        "Actions",
        [
            f"{kind}SSLConfig:Name=SQL,Type=1,CertificateFile=/data/tls/tls.crt,"
            "PrivateKeyFile=/data/tls/tls.key,CAFile=/data/tls/ca.crt,VerifyPeer=3,"
            "TLSMinVersion=16,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "TLS of a server that takes certificates": (
        actions(sslConfigs=[{**SERVER_TLS, "caFile": "/data/tls/ca.crt", "verifyPeer": "request"}]),
        "Actions",
        [
            f"{kind}SSLConfig:Name=SQL,Type=1,CertificateFile=/data/tls/tls.crt,"
            "PrivateKeyFile=/data/tls/tls.key,CAFile=/data/tls/ca.crt,VerifyPeer=1,"
            "TLSMinVersion=16,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "TLS of a client": (
        actions(
            sslConfigs=[
                {
                    "name": "Out there",
                    "type": "client",
                    "caFile": "/etc/ssl/certs/ca-bundle.crt",
                    "tlsMinVersion": "1.3",
                }
            ]
        ),
        "Actions",
        [
            f'{kind}SSLConfig:Name="Out there",Type=0,CAFile=/etc/ssl/certs/ca-bundle.crt,'
            "VerifyPeer=1,TLSMinVersion=32,Enabled=1"
            for kind in ("Create", "Modify")
        ],
    ),
    "method with arguments": (
        actions(
            execute=[
                {
                    "namespace": "%SYS",
                    "className": "%SYSTEM.OBJ",
                    "method": "Load",
                    "arguments": ["/opt/app/App.xml", "ck"],
                }
            ]
        ),
        "Actions",
        [
            "Execute:Namespace=%SYS,ClassName=%SYSTEM.OBJ,MethodName=Load,"
            "Arg1=/opt/app/App.xml,Arg2=ck"
        ],
    ),
    "argument with a comma and an equals sign": (
        actions(
            execute=[
                {
                    "namespace": "USER",
                    "className": "App.Setup",
                    "method": "Run",
                    "arguments": ["DC=example,DC=com"],
                }
            ]
        ),
        "Actions",
        ['Execute:Namespace=USER,ClassName=App.Setup,MethodName=Run,Arg1="DC=example,DC=com"'],
    ),
    "routine": (
        actions(execute=[{"namespace": "USER", "routine": "$$Setup^APP"}]),
        "Actions",
        ['Execute:Namespace=USER,RoutineName="$$Setup^APP"'],
    ),
    "everything in the order of IRIS": (
        actions(
            execute=[{"namespace": "APP", "routine": "^APP"}],
            webApplications=[{**REST, "namespace": "APP"}],
            services=[{"name": "%Service_Monitor", "enabled": False}],
            roles=[{"name": "clerk", "resources": ["%DB_APP:R"]}],
            namespaces=[{"name": "APP", "globals": "APP"}],
            databases=[{"name": "APP"}],
            sslConfigs=[SERVER_TLS],
        ),
        "Actions",
        [
            "CreateSSLConfig:Name=SQL,Type=1,CertificateFile=/data/tls/tls.crt,"
            "PrivateKeyFile=/data/tls/tls.key,VerifyPeer=0,TLSMinVersion=16,Enabled=1",
            "ModifySSLConfig:Name=SQL,Type=1,CertificateFile=/data/tls/tls.crt,"
            "PrivateKeyFile=/data/tls/tls.key,VerifyPeer=0,TLSMinVersion=16,Enabled=1",
            *APP_LINES,
            "CreateNamespace:Name=APP,Globals=APP",
            "ModifyNamespace:Name=APP,Globals=APP",
            "ModifyService:Name=%Service_Monitor,Enabled=0",
            'CreateRole:Name=clerk,Resources="%DB_APP:R"',
            "CreateApplication:Name=/app/api,NameSpace=APP,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AuthePassword,Enabled=1",
            'ModifyRole:Name=clerk,Resources="%DB_APP:R"',
            "ModifyApplication:Name=/app/api,NameSpace=APP,DispatchClass=App.Rest,"
            "AutheEnabled=$$$AuthePassword,Enabled=1",
            'Execute:Namespace=APP,RoutineName="^APP"',
        ],
    ),
    "raw actions come after all others": (
        {
            **actions(execute=[{"namespace": "USER", "routine": "^APP"}]),
            "cpf": {"Actions": ["DeleteUser:Name=clerk"]},
        },
        "Actions",
        ['Execute:Namespace=USER,RoutineName="^APP"', "DeleteUser:Name=clerk"],
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_iris_reads_what_the_stack_file_says(case):
    said, section, lines = TABLE[case]

    assert added(**said) == {section: lines}


def test_a_stack_file_that_says_nothing_leaves_iris_as_it_is():
    assert added() == {}
