"""All that a stack file asks of the [Actions] of the merge file, and whether its names fit."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import Field, ValidationInfo, field_validator

from components.iris.cpf.access import Execute, Service, SslConfig, WebApplication
from components.iris.cpf.data import Database, DatabaseName, Namespace, NamespaceName, ResourceName
from components.iris.cpf.line import in_order
from components.iris.cpf.predefined import DATABASES, NAMESPACES
from components.iris.cpf.security import Resource, Role, RoleName, User
from components.settings import Settings

Named = TypeVar("Named", Database, Namespace, Resource, Role, User, WebApplication, Service)


class ProvidedNames(Settings):
    """What an image of yours brings along, for others to name."""

    databases: tuple[DatabaseName, ...] = ()
    """Databases."""

    namespaces: tuple[NamespaceName, ...] = ()
    """Namespaces; one that is also in namespaces is changed and not made."""

    resources: tuple[ResourceName, ...] = ()
    """Resources. Those that begin with % and are no database's need not be named."""

    roles: tuple[RoleName, ...] = ()
    """Roles. Those that begin with % and are no database's need not be named."""


class CpfActions(Settings):
    """Objects that IRIS is to have. What is dropped here stays in IRIS; nothing is deleted."""

    live: bool = False
    """Apply a change of actions to the running database, instead of a restart.

    A change of anything else in the merge file restarts it all the same; the preview shows which:
    with a restart the Secret is replaced and the Deployment updated, live the Secret is updated.
    """

    provided: ProvidedNames = ProvidedNames()
    """Names that the image brings along."""

    resources: tuple[Resource, ...] = ()
    """Resources."""

    databases: tuple[Database, ...] = ()
    """Databases on the volume."""

    namespaces: tuple[Namespace, ...] = ()
    """Namespaces."""

    roles: tuple[Role, ...] = ()
    """Roles."""

    users: tuple[User, ...] = ()
    """Users."""

    web_applications: tuple[WebApplication, ...] = ()
    """Web applications."""

    services: tuple[Service, ...] = ()
    """Services."""

    ssl_configs: tuple[SslConfig, ...] = ()
    """TLS configurations."""

    execute: tuple[Execute, ...] = Field(default=())
    """Methods and routines that run last, at every start and at every live merge."""

    @field_validator(
        *("resources", "databases", "namespaces", "roles", "users"),
        *("web_applications", "services", "ssl_configs"),
    )
    @classmethod
    def _are_each_there_once(cls, objects: tuple[Named, ...]) -> tuple[Named, ...]:
        seen = set[str]()
        for one in objects:
            if one.name.upper() in seen:
                raise ValueError(
                    f"{one.name} stands there twice (names have no case); keep one of them"
                )
            seen.add(one.name.upper())
        return objects

    @field_validator("databases")
    @classmethod
    def _have_a_folder_each(
        cls, databases: tuple[Database, ...], info: ValidationInfo
    ) -> tuple[Database, ...]:
        not_in_one_folder(databases)
        for database in databases:
            if database.resource:
                _known(
                    "resource",
                    database.resource,
                    by=f"database {database.name}",
                    names=_resources(info, databases=()),
                    cure="add it to resources",
                )
        return databases

    @field_validator("namespaces")
    @classmethod
    def _are_made_of_databases(
        cls, namespaces: tuple[Namespace, ...], info: ValidationInfo
    ) -> tuple[Namespace, ...]:
        if "databases" not in info.data or "provided" not in info.data:
            return namespaces
        names = {
            *DATABASES,
            *info.data["provided"].databases,
            *(database.name for database in info.data["databases"]),
        }
        for namespace in namespaces:
            for name in (namespace.globals, namespace.routines, namespace.temp_globals):
                if name:
                    _known(
                        "database",
                        name,
                        by=f"namespace {namespace.name}",
                        names=names,
                        cure="add it to databases, or to provided.databases if the image has it",
                    )
        return namespaces

    @field_validator("roles")
    @classmethod
    def _allow_what_exists(cls, roles: tuple[Role, ...], info: ValidationInfo) -> tuple[Role, ...]:
        names = _resources(info, databases=info.data.get("databases"))
        for role in roles:
            for resource in role.resources:
                _known(
                    "resource",
                    resource.split(":")[0],
                    by=f"role {role.name}",
                    names=names,
                    cure="add it to resources, or to provided.resources if the image has it",
                )
        return roles

    @field_validator("users")
    @classmethod
    def _have_roles_that_exist(
        cls, users: tuple[User, ...], info: ValidationInfo
    ) -> tuple[User, ...]:
        for user in users:
            _know_roles(user.roles, by=f"user {user.name}", info=info)
        return users

    @field_validator("web_applications")
    @classmethod
    def _run_somewhere(
        cls, applications: tuple[WebApplication, ...], info: ValidationInfo
    ) -> tuple[WebApplication, ...]:
        for one in applications:
            by = f"web application {one.name}"
            _know_namespace(one.namespace, by=by, info=info)
            _know_roles(one.roles, by=by, info=info)
            if one.resource:
                _known(
                    "resource",
                    one.resource,
                    by=by,
                    names=_resources(info, databases=info.data.get("databases")),
                    cure="add it to resources, or to provided.resources if the image has it",
                )
        return applications

    @field_validator("execute")
    @classmethod
    def _runs_somewhere(
        cls, execute: tuple[Execute, ...], info: ValidationInfo
    ) -> tuple[Execute, ...]:
        for one in execute:
            what = one.routine or f"{one.class_name}.{one.method}"
            _know_namespace(one.namespace, by=f"execute {what}", info=info)
        return execute

    def lines(self, password_hashes: Mapping[str, str]) -> list[str]:
        """All actions, in the order in which IRIS performs them.

        Args:
            password_hashes: hash of the password of each user that has one in clear, by name.
        """
        there = {name.upper() for name in (*NAMESPACES, *self.provided.namespaces)}
        lines = [
            line
            for one in (
                *(*self.ssl_configs, *self.resources, *self.databases, *self.services),
                *(*self.roles, *self.web_applications, *self.execute),
            )
            for line in one.actions()
        ]
        for namespace in self.namespaces:
            lines += namespace.actions(exists=namespace.name.upper() in there)
        for user in self.users:
            lines += user.actions(user.password_hash or password_hashes[user.name])
        return in_order(lines)


def not_in_one_folder(databases: Iterable[Database]) -> None:
    """Refuses databases of which two lie in one folder.

    Raises:
        ValueError: with reason and cure.
    """
    places: dict[str, str] = {}
    for database in databases:
        other = places.setdefault(database.place(), database.name)
        if other != database.name:
            raise ValueError(
                f"{other} and {database.name} lie in {database.place()} both; set another "
                "directory for one of them"
            )


def _known(kind: str, name: str, *, by: str, names: Iterable[str] | None, cure: str) -> None:
    if names is None or name.upper() in {known.upper() for known in names}:
        return
    # Names with % are IRIS's own, and nobody lists all of them, but those of databases follow
    # the databases.
    if kind in ("resource", "role") and name[0] == "%" and not name.upper().startswith("%DB_"):
        return
    raise ValueError(f"{by} names the {kind} {name}, which there is not; {cure}")


def _resources(info: ValidationInfo, *, databases: tuple[Database, ...] | None) -> set[str] | None:
    if databases is None or not {"resources", "provided"} <= info.data.keys():
        return None
    return {
        *("%DB_%DEFAULT", *(f"%DB_{name}" for name in DATABASES)),
        *(f"%DB_{name}" for name in info.data["provided"].databases),
        *info.data["provided"].resources,
        *(resource.name for resource in info.data["resources"]),
        *(database.guard() for database in databases),
    }


def _know_roles(roles: tuple[str, ...], *, by: str, info: ValidationInfo) -> None:
    if not {"roles", "databases", "provided"} <= info.data.keys():
        return
    names = {
        *("%DB_%DEFAULT", *(f"%DB_{name}" for name in DATABASES)),
        *(f"%DB_{name}" for name in info.data["provided"].databases),
        *info.data["provided"].roles,
        *(role.name for role in info.data["roles"]),
    }
    for role in roles:
        cure = "add it to roles, or to provided.roles if the image has it"
        _known("role", role, by=by, names=names, cure=cure)


def _know_namespace(name: str, *, by: str, info: ValidationInfo) -> None:
    if not {"namespaces", "provided"} <= info.data.keys():
        return
    names = {
        *NAMESPACES,
        *info.data["provided"].namespaces,
        *(namespace.name for namespace in info.data["namespaces"]),
    }
    cure = "add it to namespaces, or to provided.namespaces if the image has it"
    _known("namespace", name, by=by, names=names, cure=cure)
