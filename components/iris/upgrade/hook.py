"""What runs between the plan to change IRIS's image and the change."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from components.cluster import Cluster
from components.iris.change_told import restart_told
from components.iris.image_change import image_change
from components.iris.settings import IrisSettings
from components.iris.upgrade import steps
from components.iris.upgrade.nodes import wait_for_image
from components.iris.upgrade.settings import PrePullSettings, UpgradeSettings
from components.iris.upgrade.snapshots import snapshot
from components.kubernetes_api import Api, Unreachable, connect


def before_update(
    name: str,
    settings: IrisSettings,
    *,
    cluster: Cluster,
    pods: Mapping[str, str],
    snapshot_class: str | None,
) -> pulumi.ResourceHookBinding:
    """All that a Deployment or StatefulSet of IRIS asks, tells and does before it changes.

    Args:
        name: prefix of the hooks' names, which the state remembers.
        settings: choices of the stack.
        cluster: where it runs.
        pods: labels of its pods.
        snapshot_class: VolumeSnapshotClass of its volumes; None: there is none.
    """
    told = pulumi.ResourceHookBinding.merge(
        image_change(f"{name}-image-change", older_allowed=settings.allow_older_image),
        restart_told(f"{name}-restart-told"),
    )
    return pulumi.ResourceHookBinding.merge(
        told,
        upgrade(
            f"{name}-upgrade",
            settings.upgrade,
            settings.pre_pull,
            kubeconfig=cluster.kubeconfig,
            pods=pods,
            snapshot_class=snapshot_class,
        ),
    )


def upgrade(
    name: str,
    settings: UpgradeSettings,
    pre_pull: PrePullSettings,
    *,
    kubeconfig: pulumi.Output[str],
    pods: Mapping[str, str],
    snapshot_class: str | None,
) -> pulumi.ResourceHookBinding:
    """A hook of a Deployment or StatefulSet, which acts where its image changes.

    Args:
        name: of the hook; the state remembers it.
        settings: what is to happen.
        pre_pull: whether nodes get the image before it is needed.
        kubeconfig: how this run reaches the cluster.
        pods: labels of the workload's pods.
        snapshot_class: VolumeSnapshotClass of its volumes; None: there are no snapshots.
    """
    taken_with = (settings.snapshot_class or snapshot_class) if settings.snapshot else None

    async def before(args: pulumi.ResourceHookArgs) -> None:
        change = change_of(args, pods)
        if change is None:
            return
        if pulumi.runtime.is_dry_run():
            pulumi.log.info(plan(settings, pre_pull, taken_with))
            return
        document = await kubeconfig.future()
        if not document:
            raise RuntimeError("the kubeconfig is not known; the image stays as it is")

        async def ask(call: Callable[[Api], Any]) -> Any:
            def asked() -> Any:
                with connect(document) as api:
                    return call(api)

            return await asyncio.to_thread(asked)

        cluster = steps.Cluster(
            ask, lambda line: pulumi.log.info(f"The change of IRIS's image: {line}")
        )
        try:
            await run(cluster, change, settings, pre_pull, taken_with)
        except (steps.Refused, Unreachable) as reason:
            raise RuntimeError(
                f"IRIS's image stays {change.before}: {reason} (docs/upgrades.md, IRIS)"
            ) from None

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, before, options)])


async def run(
    cluster: steps.Cluster,
    change: steps.Change,
    settings: UpgradeSettings,
    pre_pull: PrePullSettings,
    snapshot_class: str | None,
) -> None:
    """The steps that a stack wants, in their order.

    Raises:
        Refused: one of them says no; IRIS then runs in its old image, if it ran before.
    """
    if pre_pull.enabled:
        await wait_for_image(cluster, change, pre_pull.timeout_seconds)
    if not settings.stop_first:
        return
    replicas = await steps.stop(cluster, change)
    if not replicas or not snapshot_class:
        return
    try:
        await snapshot(cluster, change, snapshot_class, replicas=replicas)
    except BaseException:
        await steps.start(cluster, change, replicas)
        raise


def plan(settings: UpgradeSettings, pre_pull: PrePullSettings, snapshot_class: str | None) -> str:
    """What the update will do before it changes the image, for a preview."""
    parts = [
        "wait until the nodes have it" if pre_pull.enabled else "",
        "stop IRIS, which must be ready" if settings.stop_first else "",
        "take a snapshot" if settings.stop_first and snapshot_class else "",
    ]
    steps_told = ", ".join(filter(None, parts)) or "do nothing: upgrade.stopFirst is false"
    told = f"IRIS's image changes. Before that, `pulumi up` will {steps_told}."
    if settings.stop_first and not snapshot_class:
        told += " No snapshot is taken: make a backup first."
    return told


def change_of(args: pulumi.ResourceHookArgs, pods: Mapping[str, str]) -> steps.Change | None:
    """The change of image in an update of a workload; None where the image stays."""
    before, after = _container(args.old_inputs), _container(args.new_inputs)
    if not before or not after or before.get("image") == after.get("image"):
        return None
    inputs = args.old_outputs or args.old_inputs or {}
    namespace, name = inputs["metadata"]["namespace"], inputs["metadata"]["name"]
    kind = "statefulsets" if args.type.endswith(":StatefulSet") else "deployments"
    pod = (args.old_inputs or {})["spec"]["template"]["spec"]
    return steps.Change(
        namespace=namespace,
        workload=f"/apis/apps/v1/namespaces/{namespace}/{kind}/{name}",
        pods=pods,
        before=str(before["image"]),
        after=str(after["image"]),
        grace_seconds=int(pod.get("terminationGracePeriodSeconds") or 30),
    )


def _container(inputs: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The container of IRIS in the inputs of a workload."""
    try:
        return inputs["spec"]["template"]["spec"]["containers"][0] if inputs else None
    except (KeyError, IndexError, TypeError):
        return None
