"""What is asked before another image starts on a volume that has been written."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.iris.image import older, other_edition


def image_change(name: str, *, older_allowed: bool) -> pulumi.ResourceHookBinding:
    """A hook that refuses an older IRIS on the volume of a newer one, in previews too.

    Args:
        name: of the hook; the state remembers it.
        older_allowed: the volume was put back to what the older one had written.
    """

    def check(change: pulumi.ResourceHookArgs) -> None:
        before, after = _image(change.old_inputs), _image(change.new_inputs)
        if fault := refusal(before, after, older_allowed=older_allowed):
            raise ValueError(fault)
        if before and after and other_edition(after, than=before):
            pulumi.log.warn(
                f"{after} is another edition than {before}, which wrote the volume. Whether one "
                "opens what the other wrote is in InterSystems' upgrade notes; a snapshot of the "
                "stopped instance is the way back (docs/upgrades.md, IRIS)."
            )

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, check, options)])


def refusal(before: str | None, after: str | None, *, older_allowed: bool) -> str | None:
    """Why this image must not follow that one; None if it may."""
    if older_allowed or not before or not after or not older(after, than=before):
        return None
    return (
        f"ha-iris:iris.image is {after}, which is older than {before}, which wrote the volume: an "
        "older IRIS does not open what a newer one has written; set the newer image again, or put "
        "the volume back to a snapshot from before the upgrade and set "
        "ha-iris:iris.allowOlderImage to true for one `pulumi up` (docs/upgrades.md, IRIS)"
    )


def _image(inputs: Mapping[str, Any] | None) -> str | None:
    """The image in the inputs of a Deployment."""
    try:
        return inputs["spec"]["template"]["spec"]["containers"][0]["image"] if inputs else None
    except (KeyError, IndexError, TypeError):
        return None
