"""The form in which IRIS runs, and on whose volumes."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.settings import Gib, Settings

Form = Literal["deployment", "statefulset", "operator"]
"""What runs IRIS."""

Layout = Literal["deployment", "statefulset"]
"""What a form divides its data into: one volume, or one for IRIS and one for databases."""


class FormSettings(Settings):
    """What runs IRIS, how often, and on how many volumes (docs/forms.md)."""

    form: Form = "deployment"
    """deployment: one instance, back soonest when its node dies. statefulset: one or more
    instances that share nothing, with two volumes and a stable name each. operator: InterSystems'
    Kubernetes Operator.

    Another form finds none of the data of this one, unless volumesOf says where it is.
    """

    instances: int = Field(default=1, ge=1, le=30, validate_default=True)
    """Instances of the StatefulSet. Each is a database of its own: nothing is copied between them.

    They are no mirror. With fewer the last ones go, and while data is protected that is refused.
    """

    volumes_of: Layout | None = Field(default=None, validate_default=True)
    """The form whose volumes the database is on, where it is another than form: after a switch."""

    databases_gib: Gib | None = Field(default=None, le=16383, validate_default=True)
    """Size of the StatefulSet's volume for your databases, GiB; without it, as storageGib.

    Its volume of storageGib then holds IRIS's own databases, the journals and the write image
    journal. Both can grow and never shrink.
    """

    @field_validator("form")
    @classmethod
    def _names_its_hosts(cls, form: Form, info: ValidationInfo) -> Form:
        if form == "statefulset" and info.data.get("hostname", "iris") != "iris":
            raise ValueError(
                "a StatefulSet calls its hosts iris-0, iris-1 and so on; drop hostname, or set "
                "form to deployment"
            )
        return form

    @field_validator("instances")
    @classmethod
    def _have_volumes_each(cls, instances: int, info: ValidationInfo) -> int:
        if instances > 1 and info.data.get("form") not in (None, "statefulset"):
            raise ValueError(
                f"form {info.data['form']} runs one instance here, as two would destroy the "
                "volume that they share; set form to statefulset for several that share nothing, "
                "or drop instances"
            )
        return instances

    @field_validator("volumes_of")
    @classmethod
    def _are_of_one_instance(cls, layout: Layout | None, info: ValidationInfo) -> Layout | None:
        form, instances = info.data.get("form"), info.data.get("instances")
        if layout and form == "operator":
            raise ValueError(
                "the operator makes volumes of its own and takes no others; drop volumesOf, and "
                "bring the data over by a backup"
            )
        if layout == "deployment" and form == "statefulset" and instances and instances > 1:
            raise ValueError(
                f"a Deployment has the volume of one instance, and instances is {instances}; set "
                "instances to 1"
            )
        return layout

    @field_validator("databases_gib")
    @classmethod
    def _is_of_a_second_volume(cls, gib: int | None, info: ValidationInfo) -> int | None:
        form = info.data.get("form")
        if gib and form and (info.data.get("volumes_of") or form) != "statefulset":
            raise ValueError(
                f"the volumes are those of form {info.data.get('volumes_of') or form}, where one "
                "holds everything; drop databasesGib, and set storageGib to the size of all"
            )
        return gib

    def layout(self) -> Form:
        """Whose volumes the database is on."""
        return self.volumes_of or self.form

    def services(self) -> list[str]:
        """What the Services are called that SQL clients connect to; of an IrisCluster: ours."""
        if self.form == "statefulset":
            return [f"iris-{ordinal}" for ordinal in range(self.instances)]
        return ["iris-superserver" if self.form == "operator" else "iris"]
