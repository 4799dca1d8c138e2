"""Databases and namespaces that a stack file may ask for.

Each gives its actions. A Create does nothing where the object is already, so what a stack file may
change later follows in a Modify, which also brings back what somebody changed in IRIS itself.
"""

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.iris.cpf.line import Path, action
from components.iris.cpf.predefined import DATABASES
from components.settings import Settings

VOLUME = "/data"
"""Where the pod has the volume."""
SYSTEM_DIRECTORY = f"{VOLUME}/iris"
"""Where IRIS has its own files: a folder in the volume, which also holds lost+found."""
DATABASES_VOLUME = "/databases"
"""Where the pod has the volume for databases, in the forms that have a second one."""
JOURNALS_VOLUME = "/journals"
"""Where the pod has the volume for journals, if they have one."""
REPLAY_VOLUME = "/replay"
"""Where the pod has journals of another time, while a database is brought to a later moment."""
OTHER_JOURNALS = f"{VOLUME}/journals.other"
"""Where journals go while that volume takes none. No database's name has a full stop."""

DatabaseName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=30)
]
NamespaceName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z%][A-Za-z0-9_-]*$", max_length=64)
]
"""InterSystems, "Configuring Namespaces"."""
ResourceName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z%][A-Za-z0-9_%.-]*$", max_length=64)
]


class Database(Settings):
    """A database on the volume, and the resource that guards it."""

    name: DatabaseName
    """Name of the database, as in APP."""

    directory: Path | None = Field(default=None, validate_default=True)
    """Where it lies, on a volume; without it /data/ and the name in lower case.

    Where the volumes are those of a StatefulSet: /databases/ and the name.
    """

    size_mib: int | None = Field(default=None, ge=1)
    """First size, MiB. It grows by itself, and a change later does nothing."""

    max_size_mib: int | None = Field(default=None, ge=1)
    """Size beyond which it does not grow, MiB; without it the volume is the limit."""

    resource: ResourceName | None = None
    """Resource that guards it; without it %DB_ and the name, which is made too."""

    @field_validator("name")
    @classmethod
    def _is_not_predefined(cls, name: str) -> str:
        if name.upper() in DATABASES:
            raise ValueError("IRIS brings this database along; choose another name")
        return name

    @field_validator("directory")
    @classmethod
    def _lies_on_the_volume(cls, directory: str | None, info: ValidationInfo) -> str | None:
        if directory is None and "name" not in info.data:
            return None
        where = directory or f"{VOLUME}/{info.data['name'].lower()}"
        folders = where.rstrip("/").split("/")
        volume = "/".join(folders[:2])
        if volume not in (VOLUME, DATABASES_VOLUME) or ".." in folders or len(folders) < 3:
            raise ValueError(
                "what lies outside the volume is lost with the container; set it to a folder in "
                f"{VOLUME}, as in {VOLUME}/app"
            )
        if f"{where}/".startswith((f"{SYSTEM_DIRECTORY}/", f"{volume}/lost+found/")):
            raise ValueError(
                f"{'/'.join(folders[:3])} is not for databases of yours; set directory to another "
                f"folder in {volume}, as in {volume}/app"
            )
        return directory

    @field_validator("max_size_mib")
    @classmethod
    def _holds_its_first_size(cls, most: int | None, info: ValidationInfo) -> int | None:
        first = info.data.get("size_mib")
        if most and first and most < first:
            raise ValueError(f"sizeMib is {first}; set maxSizeMib to {first} or more, or drop it")
        return most

    def place(self) -> str:
        """Its directory."""
        return (self.directory or f"{VOLUME}/{self.name.lower()}").rstrip("/")

    def on(self, volume: str) -> "Database":
        """The same, on another volume unless its directory says where it lies."""
        if self.directory:
            return self
        return self.model_copy(update={"directory": f"{volume}/{self.name.lower()}"})

    def guard(self) -> str:
        """Its resource."""
        return self.resource or f"%DB_{self.name.upper()}"

    def actions(self) -> list[str]:
        """Create with all, Modify with what may change."""
        lines = [
            action(
                "CreateDatabase",
                Name=self.name,
                Directory=self.place(),
                Size=self.size_mib,
                MaxSize=self.max_size_mib,
                ResourceName=self.guard(),
            )
        ]
        if self.resource is None:
            lines.append(action("CreateResource", Name=self.guard()))
        if self.max_size_mib or self.resource:
            lines.append(
                action(
                    "ModifyDatabase",
                    Name=self.name,
                    Directory=self.place(),
                    MaxSize=self.max_size_mib,
                    ResourceName=self.resource,
                )
            )
        return lines


class Namespace(Settings):
    """A namespace: where globals and code of an application are."""

    name: NamespaceName
    """Name; it has no case. One that IRIS or the image brings along is changed, not made."""

    globals: DatabaseName
    """Database of its globals."""

    routines: DatabaseName | None = None
    """Database of its routines; without it that of the globals."""

    temp_globals: DatabaseName | None = None
    """Database of its temporary globals; without it IRISTEMP."""

    interop: bool = False
    """Whether it may run productions. Taking it back later does nothing."""

    @field_validator("name")
    @classmethod
    def _is_not_the_system(cls, name: str) -> str:
        if name.upper() == "%SYS":
            raise ValueError("IRIS itself lives there; leave it as it is")
        return name

    def actions(self, *, exists: bool) -> list[str]:
        """Create unless it exists before, and Modify."""
        kinds = ["ModifyNamespace"] if exists else ["CreateNamespace", "ModifyNamespace"]
        return [
            action(
                kind,
                Name=self.name,
                Globals=self.globals,
                Routines=self.routines,
                TempGlobals=self.temp_globals,
                Interop=1 if self.interop else None,
            )
            for kind in kinds
        ]
