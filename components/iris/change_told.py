"""What a change does to the database that runs, told in the preview and by the update."""

from collections.abc import Mapping
from typing import Any

import pulumi


def restart_told(name: str) -> pulumi.ResourceHookBinding:
    """For the Deployment: another pod is a stop and a start."""

    def tell(change: pulumi.ResourceHookArgs) -> None:
        if _pod(change.old_inputs) != _pod(change.new_inputs):
            pulumi.log.info("IRIS restarts: this change makes a new pod, and clients are cut off.")

    return _before_update(name, tell)


def live_told(name: str) -> pulumi.ResourceHookBinding:
    """For a merge file that changes in place."""

    def tell(change: pulumi.ResourceHookArgs) -> None:
        if _data(change.old_inputs) != _data(change.new_inputs):
            pulumi.log.info(
                "IRIS takes the changed actions while it runs, about a minute after the update; "
                "each of actions.execute runs again."
            )

    return _before_update(name, tell)


def fewer_told(name: str, *, protected: bool) -> pulumi.ResourceHookBinding:
    """For the StatefulSet: an instance that goes is a database that goes."""

    def tell(change: pulumi.ResourceHookArgs) -> None:
        before, after = _replicas(change.old_inputs), _replicas(change.new_inputs)
        going = ", ".join(f"iris-{ordinal}" for ordinal in range(after, before))
        if not going:
            return
        what = (
            "Pulumi refuses to delete its protected claims; how they stay while it goes is in "
            "docs/forms.md, Fewer instances."
            if protected
            else "protectData is false, so its claims are deleted with all data."
        )
        pulumi.log.warn(f"ha-iris:iris.instances is {after} and was {before}: {going} goes. {what}")

    return _before_update(name, tell)


def _before_update(name: str, tell: Any) -> pulumi.ResourceHookBinding:
    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, tell, options)])


def _pod(inputs: Mapping[str, Any] | None) -> Any:
    return ((inputs or {}).get("spec") or {}).get("template")


def _replicas(inputs: Mapping[str, Any] | None) -> int:
    return int(((inputs or {}).get("spec") or {}).get("replicas", 0))


def _data(inputs: Mapping[str, Any] | None) -> Any:
    return (inputs or {}).get("stringData")
