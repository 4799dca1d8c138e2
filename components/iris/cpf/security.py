"""Resources, roles and users that a stack file may ask for.

Each gives its actions. A Create does nothing where the object is already, so what a stack file may
change later follows in a Modify, which also brings back what somebody changed in IRIS itself.
"""

from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from components.iris.cpf.data import ResourceName
from components.iris.cpf.line import Value, action
from components.iris.cpf.predefined import not_predefined
from components.settings import Settings

RoleName = ResourceName

PASSWORD_HASH = r"^[0-9a-fA-F]{128},(?:[0-9a-fA-F]{2})+,[1-9][0-9]*,SHA512$"


class Resource(Settings):
    """Something that a role may be allowed to read (R), write (W) or use (U)."""

    name: ResourceName
    """Name of the resource."""

    description: Value | None = None
    """What it guards."""

    def actions(self) -> list[str]:
        """Create and Modify."""
        create = action("CreateResource", Name=self.name, Description=self.description)
        if self.description is None:
            return [create]
        return [
            create,
            action("ModifyResource", Name=self.name, Description=self.description),
        ]


class Role(Settings):
    """What users of a kind may do."""

    name: RoleName
    """Name of the role; without a % in front, which marks those of IRIS."""

    resources: tuple[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z%][A-Za-z0-9_%.-]*:(R?W?U?)$")], ...
    ]
    """Resources with what is allowed on each, as in %DB_APP:RW."""

    description: Value | None = None
    """What it is for."""

    @field_validator("name")
    @classmethod
    def _is_yours(cls, name: str) -> str:
        if name.startswith("%"):
            raise ValueError("names with % are those of IRIS; drop the %")
        return name

    @field_validator("resources")
    @classmethod
    def _allow_something(cls, resources: tuple[str, ...]) -> tuple[str, ...]:
        if not resources:
            raise ValueError("a role without resources allows nothing; add one, as in %DB_USER:R")
        for resource in resources:
            if resource.endswith(":"):
                raise ValueError(f"{resource} allows nothing; add R, W or U, as in {resource}RW")
        return resources

    def actions(self) -> list[str]:
        """Create and Modify."""
        return [
            action(kind, Name=self.name, Resources=self.resources, Description=self.description)
            for kind in ("CreateRole", "ModifyRole")
        ]


class User(Settings):
    """A user of the database, beside the one of iris.username."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=160),
        AfterValidator(not_predefined),
    ]
    """Name; it has no case."""

    password: SecretStr | None = Field(default=None, min_length=8)
    """First password; set it with ``pulumi config set --secret --path``. IRIS gets its hash."""

    password_hash: Annotated[str, StringConstraints(pattern=PASSWORD_HASH)] | None = Field(
        default=None, validate_default=True
    )
    """Or its hash, as InterSystems' image passwordhash:1.1 writes it: hash,salt,10000,SHA512."""

    roles: tuple[RoleName, ...] = ()
    """Roles that the user has."""

    full_name: Value | None = None
    """Name of the person."""

    enabled: bool = True
    """Whether the user may log in."""

    @field_validator("password_hash")
    @classmethod
    def _one_of_the_two(cls, hashed: str | None, info: ValidationInfo) -> str | None:
        if "password" in info.data and (hashed is None) is (info.data["password"] is None):
            raise ValueError("a user has one first password; set password or passwordHash")
        return hashed

    def actions(self, password_hash: str) -> list[str]:
        """Create with the password, Modify without: one that was changed in IRIS stays."""
        return [
            action(
                "CreateUser",
                Name=self.name,
                PasswordHash=tuple(password_hash.split(",")),
                Roles=self.roles,
                FullName=self.full_name,
                Enabled=self.enabled,
                ChangePassword=0,
                PasswordNeverExpires=1,
                AccountNeverExpires=1,
            ),
            action(
                "ModifyUser",
                Name=self.name,
                Roles=self.roles,
                FullName=self.full_name,
                Enabled=self.enabled,
            ),
        ]
