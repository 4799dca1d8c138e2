"""What is asked before another image starts on a volume that has been written."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from components.iris.image import Edition, Image

EDITION = "ha-iris/image-edition"
RELEASE = "ha-iris/image-release"
"""Annotations of the workload, for what a stack file tells of an image and its name does not."""


def told_of(image: Image) -> dict[str, str]:
    """Annotations by which the next update knows what this image was."""
    told = {EDITION: image.edition, RELEASE: image.release}
    return {key: value for key, value in told.items() if value}


def image_change(name: str, *, older_allowed: bool) -> pulumi.ResourceHookBinding:
    """A hook that refuses an older IRIS on the volume of a newer one, in previews too.

    Args:
        name: of the hook; the state remembers it.
        older_allowed: the volume was put back to what the older one had written.
    """

    def check(change: pulumi.ResourceHookArgs) -> None:
        before, after = image_in(change.old_inputs), image_in(change.new_inputs)
        if before and after:
            follow(before, after, older_allowed=older_allowed)

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, check, options)])


def follow(before: Image, after: Image, *, older_allowed: bool) -> None:
    """Warn of what a person should know before one image follows the other on a volume.

    Raises:
        ValueError: it must not.
    """
    if before == after:
        return
    if fault := refusal(before, after, older_allowed=older_allowed):
        raise ValueError(fault)
    if warning := edition_warning(before, after) or stream_warning(before, after):
        pulumi.log.warn(warning)


def refusal(before: Image, after: Image, *, older_allowed: bool) -> str | None:
    """Why this image must not follow that one; None if it may."""
    if older_allowed or not after.older(than=before):
        return None
    return (
        f"ha-iris:iris.image is {_told(after)}, which is older than {_told(before)}, which wrote "
        "the volume: an older IRIS does not open what a newer one has written; set the newer image "
        "again, or put the volume back to a snapshot from before the upgrade and set "
        "ha-iris:iris.allowOlderImage to true for one `pulumi up` (docs/upgrades.md, IRIS)"
    )


def edition_warning(before: Image, after: Image) -> str | None:
    """What to know of another product on the same volume."""
    if not after.other_edition(than=before):
        return None
    return (
        f"{after.name} is another edition than {before.name}, which wrote the volume. Whether one "
        "opens what the other wrote is in InterSystems' upgrade notes; a snapshot of the "
        "stopped instance is the way back (docs/upgrades.md, IRIS)."
    )


def stream_warning(before: Image, after: Image) -> str | None:
    """What to know of leaving the extended maintenance releases, which are the first of a year."""
    old, new = before.version, after.version
    if not old or not new or old[1] != 1 or new[1] == 1:
        return None
    return (
        f"{after.name} is a continuous delivery release, and {before.name} one of extended "
        "maintenance: the new one gets no maintenance releases, its fixes come with the next "
        "release (InterSystems, release cadence)."
    )


def image_in(inputs: Mapping[str, Any] | None) -> Image | None:
    """The image in a Deployment or StatefulSet, or its inputs, and what was told of it."""
    try:
        assert inputs
        name = inputs["spec"]["template"]["spec"]["containers"][0]["image"]
    except (AssertionError, KeyError, IndexError, TypeError):
        return None
    told = (inputs.get("metadata") or {}).get("annotations") or {}
    return Image(name, cast(Edition | None, told.get(EDITION)), told.get(RELEASE))


def _told(image: Image) -> str:
    return f"{image.name} ({image.release})" if image.release else image.name
