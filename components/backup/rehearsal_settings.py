"""What a stack may choose about rehearsals of its restore."""

from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator

from components.cron import Cron
from components.settings import Settings


class RehearsalSettings(Settings):
    """The newest backup restored beside the database, started, looked through and removed.

    Made where snapshots of a frozen database are. docs/rehearsal.md.
    """

    enabled: bool = True
    """Rehearse. Without it nobody knows whether a backup can be restored until one has to be."""

    schedule: Cron = "13 4 * * 6"
    """When: weekly unless said otherwise. It copies the whole database."""

    time_zone: str | None = None
    """Time zone of the schedule; None: iris.timeZone."""

    cpu: float = Field(default=1, ge=0.5, le=128)
    """Processors of the IRIS that is started on the copy."""

    memory_gib: int = Field(default=2, ge=2, le=2048)
    """Memory of that IRIS, GiB: less than the database has, as a node must have room for both."""

    seconds: int = Field(default=6 * 3600, ge=300, le=72 * 3600)
    """How long the restore, the start and the integrity check of one IRIS may take together."""

    alert_after_days: int = Field(default=10, ge=1, le=400)
    """Days without a rehearsal that passed, after which an alert says so (docs/monitoring.md)."""

    license_key: SecretStr | None = None
    """Licence for a second IRIS of a licensed image. Without one such an image is not rehearsed.

    Community Edition needs none.
    """

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, time_zone: str | None) -> str | None:
        if time_zone is not None and time_zone not in available_timezones():
            raise ValueError("no such time zone; use a name as in Europe/Berlin or UTC")
        return time_zone
