"""What another number of copies does to volumes that exist, told before it is believed."""

from collections.abc import Mapping
from typing import Any

import pulumi


def replicas_told(name: str) -> pulumi.ResourceHookBinding:
    """A hook for Longhorn's release: its number of copies is for new volumes alone."""

    def tell(change: pulumi.ResourceHookArgs) -> None:
        before, after = _replicas(change.old_inputs), _replicas(change.new_inputs)
        if before and after and before != after:
            pulumi.log.warn(
                f"ha-iris:longhorn.replicas goes from {before} to {after} for new volumes. A "
                "volume that exists keeps its own number until somebody changes it: "
                "`kubectl -n longhorn-system patch volumes.longhorn.io VOLUME --type merge "
                f'-p \'{{"spec":{{"numberOfReplicas":{after}}}}}\'` (docs/growth.md).'
            )

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, tell, options)])


def _replicas(inputs: Mapping[str, Any] | None) -> int | None:
    """The number in the values of the release."""
    try:
        return int(inputs["values"]["defaultSettings"]["defaultReplicaCount"]) if inputs else None
    except (KeyError, TypeError, ValueError):
        return None
