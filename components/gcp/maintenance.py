"""When GKE may change a cluster by itself: patches of the control plane, and nothing else."""

from datetime import datetime, timedelta

from pulumi_gcp import container
from pydantic import Field, ValidationInfo, field_validator

from components.settings import Settings

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

EPOCH = datetime(2026, 1, 1)
"""Since when maintenance is ruled; any day in the past, and always the same one."""


class GkeMaintenanceSettings(Settings):
    """When GKE may update the control plane. It never updates nodes by itself before it must."""

    days: tuple[str, ...] = Field(default=("SA", "SU"), min_length=1)
    """Days of the week, in UTC: MO, TU, WE, TH, FR, SA, SU."""

    start_hour: int = Field(default=1, ge=0, le=23)
    """Hour at which the window opens, in UTC."""

    hours: int = Field(default=6, ge=4, le=24, validate_default=True)
    """Length of the window. GKE demands 48 hours within 32 days, in pieces of 4 hours or more."""

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [day for day in days if day not in DAYS]:
            raise ValueError(f"{', '.join(unknown)} is no day; use {', '.join(DAYS)}")
        if len(set(days)) != len(days):
            raise ValueError("a day is named twice; name each day once")
        return days

    @field_validator("hours")
    @classmethod
    def _is_enough_for_gke(cls, hours: int, info: ValidationInfo) -> int:
        days = len(info.data.get("days", DAYS))
        # Any 32 days hold each day of the week at least four times.
        if 4 * days * hours < 48:
            raise ValueError(
                f"{days} day(s) of {hours} hours are less than the 48 hours in 32 days that GKE "
                f"demands; set it to {-(-12 // days)} or more, or add days"
            )
        return hours


def maintenance_policy(settings: GkeMaintenanceSettings) -> container.ClusterMaintenancePolicyArgs:
    """A window for patches of the control plane, and no node upgrade before the end of support.

    GKE upgrades every node by replacing it with an empty one.
    """
    # A recurrence counts from a day that is one of its own.
    first = next(
        day
        for day in (EPOCH + timedelta(days=number) for number in range(7))
        if DAYS[day.weekday()] in settings.days
    )
    start = first.replace(hour=settings.start_hour)
    end = start + timedelta(hours=settings.hours)
    return container.ClusterMaintenancePolicyArgs(
        recurring_window=container.ClusterMaintenancePolicyRecurringWindowArgs(
            # In UTC: GKE answers in UTC, and another form is a difference at every refresh.
            start_time=_in_utc(start),
            end_time=_in_utc(end),
            recurrence=f"FREQ=WEEKLY;BYDAY={','.join(settings.days)}",
        ),
        maintenance_exclusions=[
            container.ClusterMaintenancePolicyMaintenanceExclusionArgs(
                exclusion_name="nodes-hold-data",
                start_time=_in_utc(EPOCH),
                exclusion_options=container.ClusterMaintenancePolicyMaintenanceExclusionExclusionOptionsArgs(
                    scope="NO_MINOR_OR_NODE_UPGRADES", end_time_behavior="UNTIL_END_OF_SUPPORT"
                ),
            )
        ],
    )


def _in_utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
