"""What decides when IRIS counts as started, as ready and as gone, and how long a move takes."""

from zoneinfo import available_timezones

from pydantic import Field, field_validator

from components.settings import KubernetesName, Settings


class MovingSettings(Settings):
    """What IRIS keeps when it moves to another node, and the times that a move is made of."""

    time_zone: str = "UTC"
    """Time zone of the instance, as in Europe/Berlin."""

    hostname: KubernetesName = "iris"
    """Host name that IRIS sees, the same on every node: its lock files carry it.

    A StatefulSet gives its pods names of their own: iris-0, iris-1.
    """

    toleration_seconds: int = Field(default=10, ge=0, le=3600)
    """How long a pod stays on a node that is unreachable or not ready before it is evicted; unless
    set, 60 where fencing is on.

    Ten seconds come on top of the 40 to 54 that Kubernetes takes to notice. Shorter saves little
    and moves the database at every hiccup of the network; the default of Kubernetes, 300, is five
    minutes of outage.
    """

    termination_grace_period_seconds: int = Field(default=30, ge=10, le=3600)
    """How long IRIS may take for a clean stop.

    In a failover it counts for a StatefulSet and the operator: Longhorn frees a dead node's volume
    at once, and removes the pod, for which they wait, when its grace has passed. Give a big cache
    more, and know that a failover of these two forms takes it too.
    """

    startup_seconds: int = Field(default=1800, ge=60, le=86400)
    """How long a start may take, recovery from the journals included, before it is restarted."""

    hung_seconds: int = Field(default=660, ge=30)
    """How long IRIS may report itself hung before its pod counts as not ready.

    A freeze for a backup looks the same, and IRIS lets one last 600 seconds. Not ready takes the
    pod out of its Service and shows; it restarts nothing, as a restart mends no full volume.
    """

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, time_zone: str) -> str:
        if time_zone not in available_timezones():
            raise ValueError("no such time zone; use a name as in Europe/Berlin or UTC")
        return time_zone
