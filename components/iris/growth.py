"""What is asked and told before a volume that has been written gets another size."""

from collections.abc import Mapping
from typing import Any

import pulumi


def growth(name: str, *, setting: str) -> pulumi.ResourceHookBinding:
    """A hook for a claim: a smaller volume is refused, a larger one explained, in previews too.

    The program knows the old size nowhere else: a stack file has only the new one.
    """

    def check(change: pulumi.ResourceHookArgs) -> None:
        before, after = _gib(change.old_inputs), _gib(change.new_inputs)
        if fault := refusal(before, after, setting=setting):
            raise ValueError(fault)
        if before and after and after > before:
            pulumi.log.info(
                f"The volume grows from {before} to {after} GiB while IRIS runs: Longhorn every "
                "copy first, then Kubernetes the file system. It never shrinks again "
                "(docs/growth.md)."
            )

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, check, options)])


def refusal(before: int | None, after: int | None, *, setting: str) -> str | None:
    """Why a volume must not get this size; None if it may."""
    if not before or not after or after >= before:
        return None
    return (
        f"the volume has {before} GiB and the stack file asks for {after}: no file system here and "
        f"no volume of Longhorn shrinks; set ha-iris:iris.{setting} to "
        f"{before} or more, or move the data to a second stack with a smaller volume "
        "(docs/growth.md)"
    )


def _gib(inputs: Mapping[str, Any] | None) -> int | None:
    """The size in the inputs of a claim, GiB, as this program writes it."""
    try:
        asked = inputs["spec"]["resources"]["requests"]["storage"] if inputs else None
    except (KeyError, TypeError):
        return None
    return (
        int(asked.removesuffix("Gi")) if isinstance(asked, str) and asked.endswith("Gi") else None
    )
