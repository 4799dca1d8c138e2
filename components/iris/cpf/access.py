"""Ways into IRIS that a stack file may ask for, and what is to run after each merge.

Each gives its actions. A Create does nothing where the object is already, so what a stack file may
change later follows in a Modify, which also brings back what somebody changed in IRIS itself.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.iris.cpf.data import NamespaceName, ResourceName
from components.iris.cpf.line import Path, Value, action
from components.iris.cpf.security import RoleName
from components.settings import Settings

Authentication = Literal[
    "AutheAlwaysTryDelegated",
    "AutheDelegated",
    "AutheK5API",
    "AutheK5CCache",
    "AutheK5KeyTab",
    "AutheK5Prompt",
    "AutheKB",
    "AutheKBEncryption",
    "AutheKBIntegrity",
    "AutheKerberosDelegated",
    "AutheLDAP",
    "AutheLDAPCache",
    "AutheLoginToken",
    "AutheMutualTLS",
    "AutheOS",
    "AutheOSDelegated",
    "AutheOSLDAP",
    "AuthePassword",
    "AutheTwoFactorPW",
    "AutheTwoFactorSMS",
    "AutheUnauthenticated",
]
"""InterSystems' macros for the ways to log in ("Security Macros")."""


def _ways(ways: tuple[Authentication, ...]) -> str | None:
    return "+".join(f"$$${way}" for way in ways) or None


RESERVED = ("/api/", "/csp/broker", "/csp/documatic", "/csp/sys", "/isc/", "/oauth2", "/ui/")
"""Beginnings of IRIS's own web applications."""


class WebApplication(Settings):
    """A web application: a REST service (dispatchClass) or pages from a folder (path)."""

    name: Annotated[
        Value, StringConstraints(pattern=r"^/[A-Za-z0-9_%./-]*[A-Za-z0-9_%.-]$", max_length=64)
    ]
    """Path in its URL, as in /app/api; it has no case."""

    namespace: NamespaceName
    """Namespace in which it runs."""

    dispatch_class: Annotated[Value, StringConstraints(pattern=r"^%?[A-Za-z0-9.]+$")] | None = None
    """Class that answers REST requests, as in App.Rest."""

    path: Path | None = Field(default=None, validate_default=True)
    """Folder of its pages in the container."""

    authentication: tuple[Authentication, ...] = ("AuthePassword",)
    """Ways to log in."""

    roles: tuple[RoleName, ...] = Field(default=(), validate_default=True)
    """Roles that everybody has while in it."""

    resource: ResourceName | None = None
    """Resource that a user needs to get in."""

    enabled: bool = True
    """Whether it answers."""

    @field_validator("name")
    @classmethod
    def _is_not_predefined(cls, name: str) -> str:
        if f"{name.lower()}/".startswith(RESERVED):
            raise ValueError("IRIS has applications of its own there; choose another path")
        return name

    @field_validator("path")
    @classmethod
    def _one_of_the_two(cls, path: str | None, info: ValidationInfo) -> str | None:
        if "dispatch_class" in info.data and (path is None) is (
            info.data["dispatch_class"] is None
        ):
            raise ValueError("an application has a dispatchClass or a path; set one of the two")
        return path

    @field_validator("roles")
    @classmethod
    def _opens_not_all_to_everybody(
        cls, roles: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        if "%all" in (role.lower() for role in roles) and "AutheUnauthenticated" in info.data.get(
            "authentication", ()
        ):
            raise ValueError(
                "everybody who reaches the web server would have every right; drop %All, or "
                "AutheUnauthenticated"
            )
        return roles

    def actions(self) -> list[str]:
        """Create and Modify."""
        return [
            action(
                kind,
                Name=self.name,
                NameSpace=self.namespace,
                DispatchClass=self.dispatch_class,
                Path=self.path,
                CSPZENEnabled=1 if self.path else None,
                ServeFiles=1 if self.path else None,
                Recurse=1 if self.path else None,
                AutheEnabled=_ways(self.authentication),
                MatchRoles=f":{':'.join(self.roles)}" if self.roles else None,
                Resource=self.resource,
                Enabled=self.enabled,
            )
            for kind in ("CreateApplication", "ModifyApplication")
        ]


class Service(Settings):
    """One of IRIS's services, such as %Service_Bindings for SQL clients."""

    name: Annotated[str, StringConstraints(pattern=r"^%[Ss]ervice_[A-Za-z0-9]+$")]
    """Name of the service."""

    enabled: bool | None = None
    """Whether it works."""

    authentication: tuple[Authentication, ...] = Field(default=(), validate_default=True)
    """Ways to log in through it."""

    @field_validator("enabled")
    @classmethod
    def _leaves_the_door_open(cls, enabled: bool | None, info: ValidationInfo) -> bool | None:
        if enabled is False and info.data.get("name", "").lower() == "%service_terminal":
            raise ValueError(
                "backups and upgrades freeze and stop IRIS through it (iris session); drop it"
            )
        return enabled

    @field_validator("authentication")
    @classmethod
    def _says_something(
        cls, ways: tuple[Authentication, ...], info: ValidationInfo
    ) -> tuple[Authentication, ...]:
        if not ways and "enabled" in info.data and info.data["enabled"] is None:
            raise ValueError("nothing is said of the service; set enabled or authentication")
        return ways

    def actions(self) -> list[str]:
        """Modify: IRIS has all its services."""
        return [
            action(
                "ModifyService",
                Name=self.name,
                Enabled=self.enabled,
                AutheEnabled=_ways(self.authentication),
            )
        ]


class SslConfig(Settings):
    """A TLS configuration. The files must be in the container: on the volume or in the image."""

    name: Annotated[Value, StringConstraints(pattern=r"^[^|,=]+$", max_length=64)]
    """Name of the configuration."""

    type: Literal["client", "server"]
    """Whether it is for connections that IRIS opens or for those that it takes."""

    certificate_file: Path | None = None
    """Certificate, PEM."""

    private_key_file: Path | None = Field(default=None, validate_default=True)
    """Its key, PEM, without a password."""

    ca_file: Path | None = None
    """Certificates of the authorities that it trusts, PEM."""

    verify_peer: Literal["none", "request", "require"] = Field(
        default="require", validate_default=True
    )
    """Whether the other side must show a certificate; request is for servers."""

    tls_min_version: Literal["1.2", "1.3"] = "1.2"
    """Oldest TLS that it speaks."""

    enabled: bool = True
    """Whether it may be used."""

    @field_validator("private_key_file")
    @classmethod
    def _belongs_to_a_certificate(cls, key: str | None, info: ValidationInfo) -> str | None:
        if not {"type", "certificate_file"} <= info.data.keys():
            return key
        certificate = info.data["certificate_file"]
        if (key is None) is not (certificate is None):
            raise ValueError("a certificate and its key go together; set both or neither")
        if key is None and info.data["type"] == "server":
            raise ValueError("a server shows a certificate; set certificateFile and privateKeyFile")
        return key

    @field_validator("verify_peer")
    @classmethod
    def _can_be_verified(cls, verify: str, info: ValidationInfo) -> str:
        if verify == "request" and info.data.get("type") == "client":
            raise ValueError("a client requires the server's certificate or takes any; set require")
        if verify != "none" and "ca_file" in info.data and info.data["ca_file"] is None:
            raise ValueError("nobody says whom to trust; set caFile, or verifyPeer to none")
        return verify

    def actions(self) -> list[str]:
        """Create and Modify."""
        return [
            action(
                kind,
                Name=self.name,
                Type=int(self.type == "server"),
                CertificateFile=self.certificate_file,
                PrivateKeyFile=self.private_key_file,
                CAFile=self.ca_file,
                VerifyPeer=self._verify_level(),
                TLSMinVersion={"1.2": 16, "1.3": 32}[self.tls_min_version],
                Enabled=self.enabled,
            )
            for kind in ("CreateSSLConfig", "ModifySSLConfig")
        ]

    def _verify_level(self) -> int:
        required = 3 if self.type == "server" else 1
        return {"none": 0, "request": 1, "require": required}[self.verify_peer]


class Execute(Settings):
    """A class method or routine that returns a %Status. It runs at every start and live merge."""

    namespace: NamespaceName
    """Where it runs."""

    class_name: Annotated[Value, StringConstraints(pattern=r"^%?[A-Za-z0-9.]+$")] | None = None
    """Class of the method."""

    method: Annotated[Value, StringConstraints(pattern=r"^%?[A-Za-z0-9]+$")] | None = Field(
        default=None, validate_default=True
    )
    """Method of that class."""

    routine: (
        Annotated[Value, StringConstraints(pattern=r"^(\$\$)?[A-Za-z0-9%]*\^%?[A-Za-z0-9.]+$")]
        | None
    ) = Field(default=None, validate_default=True)
    """Or a routine, as in $$Setup^APP."""

    arguments: tuple[Value, ...] = ()
    """Arguments, in their order."""

    @field_validator("method")
    @classmethod
    def _belongs_to_a_class(cls, method: str | None, info: ValidationInfo) -> str | None:
        if "class_name" in info.data and (method is None) is not (info.data["class_name"] is None):
            raise ValueError("a method is one of a class; set className and method, or neither")
        return method

    @field_validator("routine")
    @classmethod
    def _one_of_the_two(cls, routine: str | None, info: ValidationInfo) -> str | None:
        if "method" in info.data and (routine is None) is (info.data["method"] is None):
            raise ValueError("set className with method, or routine")
        return routine

    def actions(self) -> list[str]:
        """One line; IRIS performs it last."""
        arguments = {f"Arg{i}": argument for i, argument in enumerate(self.arguments, 1)}
        return [
            action(
                "Execute",
                Namespace=self.namespace,
                ClassName=self.class_name,
                MethodName=self.method,
                RoutineName=self.routine,
                **arguments,
            )
        ]
