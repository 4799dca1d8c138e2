"""Volume claims that no mistake of ours can delete."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.forms import Storage
from components.iris.growth import growth
from components.iris.pod import LABELS
from components.iris.restore.hook import FILLED_FROM, restoring
from components.iris.restore.settings import claim_name
from components.iris.restore.source import filled
from components.iris.settings import IrisSettings


def claim(
    name: str,
    *,
    called: str,
    gib: int,
    settings: IrisSettings,
    namespace: pulumi.Input[str],
    storage: Storage,
    kubeconfig: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Make the claim in use, keep the earlier ones, and return what Kubernetes calls the first.

    Args:
        name: of the Pulumi resource of the first.
        called: what Kubernetes calls the first.
        gib: size of the volume in use, GiB. It may grow and never shrink.
        settings: which volume is in use, and what it is filled from.
        namespace: where it is.
        storage: where the volume comes from.
        kubeconfig: how this run reaches the cluster.
        opts: options of the resource.
    """
    for number in settings.earlier_volumes():
        # As it was left: its size is no longer the stack file's.
        _claim(
            claim_name(name, number),
            claim_name(called, number),
            gib=gib,
            namespace=namespace,
            storage_class=storage.storage_class,
            storage=storage,
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(ignore_changes=["spec", "metadata.annotations"])
            ),
        )
    own = claim_name(name, settings.volume)
    source = settings.restore.data if settings.restore else None
    filling = filled(
        f"{own}-restore",
        source,
        namespace=namespace,
        storage_class=storage.storage_class,
        class_parameters=storage.class_parameters,
        reclaim_policy="Retain" if storage.protect else "Delete",
        opts=opts,
    )
    hooks = restoring(
        own,
        source,
        volume=settings.volume,
        namespace=settings.namespace,
        storage_class=filling.storage_class,
        gib=gib,
        kubeconfig=kubeconfig,
    )
    return _claim(
        own,
        claim_name(called, settings.volume),
        gib=gib,
        namespace=namespace,
        storage_class=filling.storage_class,
        storage=storage,
        spec=filling.spec,
        annotations={FILLED_FROM: source.told()} if source else {},
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                depends_on=filling.after,
                # A claim says once what fills its volume, and Kubernetes forbids to change it.
                ignore_changes=["spec.dataSource"],
                hooks=pulumi.ResourceHookBinding.merge(growth(f"{own}-growth"), hooks),
            ),
        ),
    )


def _claim(
    name: str,
    called: str,
    *,
    gib: int,
    namespace: pulumi.Input[str],
    storage_class: str,
    storage: Storage,
    opts: pulumi.ResourceOptions,
    spec: Any = None,
    annotations: dict[str, str] | None = None,
) -> pulumi.Output[str]:
    wanted: Any = {
        "accessModes": ["ReadWriteOnce"],
        # A plain name and no Output of the class: when Pulumi replaces a class, it also
        # replaces everything whose inputs came from it.
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": f"{gib}Gi"}},
        **(spec or {}),
    }
    made = k8s.core.v1.PersistentVolumeClaim(
        name,
        metadata={
            "name": called,
            "namespace": namespace,
            "labels": LABELS,
            # It binds when the pod is scheduled, which comes after it.
            "annotations": {"pulumi.com/skipAwait": "true", **(annotations or {})},
        },
        spec=wanted,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                protect=storage.protect,
                retain_on_delete=storage.protect,
                depends_on=[*storage.ready],
            ),
        ),
    )
    return made.metadata["name"]
