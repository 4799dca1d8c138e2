"""What a preview says of fencing."""

import pulumi

from components.fencing.settings import FALLBACK_TOLERATION, FencingSettings
from components.iris import IrisSettings

UNFENCED = {
    "deployment": "86 to 150 s, 121 on average",
    "statefulset": "128 to 255 s, 164 on average",
    "operator": "128 to 255 s, 164 on average, as that of a StatefulSet, which the operator makes",
}
"""How long a crashed node's database takes to be back, by form (docs/failover.md)."""


def with_fallback(iris: IrisSettings, fencing: FencingSettings) -> IrisSettings:
    """IRIS with the toleration that leaves a fence the time that it takes, unless one is chosen."""
    if not fencing.enabled or "toleration_seconds" in iris.model_fields_set:
        return iris
    return iris.model_copy(update={"toleration_seconds": FALLBACK_TOLERATION})


def tell(iris: IrisSettings, fencing: FencingSettings) -> None:
    """What fencing saves where it is off; where it is on, what it changed and what it may do."""
    if not fencing.enabled:
        pulumi.log.info(
            "Fencing is off (ha-iris:fencing.enabled): a crashed node's database is back after "
            f"{UNFENCED[iris.form]}, and after 66 to 75 s with it (measured with a simulated "
            "storage, 10 s to attach, 15 s to start and 20 s to switch a machine off included; "
            "docs/fencing.md)."
        )
        return
    chosen = iris.toleration_seconds
    if "toleration_seconds" in iris.model_fields_set and chosen < FALLBACK_TOLERATION:
        pulumi.log.warn(
            f"ha-iris:iris.tolerationSeconds is {chosen}, and fencing is on: Longhorn's node-down "
            "policy then begins before a fence is over, and the two disturb each other (up to "
            "214 s in place of 108, of a StatefulSet with a simulated storage); drop it, which "
            f"makes it {FALLBACK_TOLERATION}."
        )
    does = "says what it would do" if fencing.dry_run else "switches silent nodes off and on again"
    pulumi.log.info(
        f"Fencing is on and {does}; iris.tolerationSeconds is "
        f"{chosen if 'toleration_seconds' in iris.model_fields_set else FALLBACK_TOLERATION}, so "
        "that Longhorn's node-down policy comes second (docs/fencing.md)."
    )
