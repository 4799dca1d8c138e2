"""What a stack may choose about the isolation guard."""

from pydantic import Field

from components.iris.guard.timing import LEAST_ISOLATED, most_isolated_seconds
from components.longhorn.settings import MOST_ENGINE_TIMEOUT
from components.settings import Settings


class GuardSettings(Settings):
    """Ends IRIS on a node that is cut off, before Longhorn goes on there with a copy on its own."""

    enabled: bool = True
    """Whether there is a guard. Off by itself where no copy is on another node."""

    isolated_seconds: int = Field(
        default=15, ge=LEAST_ISOLATED, le=most_isolated_seconds(MOST_ENGINE_TIMEOUT)
    )
    """How long a write may hang, or a node may reach neither the API server nor another node,
    before IRIS is killed there.

    Shorter kills a healthy IRIS at more hiccups of the network; longer needs a longer
    ha-iris:longhorn.engineReplicaTimeoutSeconds.
    """
