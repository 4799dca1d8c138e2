"""Volume claims that no mistake of ours can delete."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.forms import Storage
from components.iris.growth import growth
from components.iris.pod import LABELS
from components.iris.restore.hook import FILLED_FROM, restoring
from components.iris.restore.settings import SourceSettings, claim_name
from components.iris.restore.source import filled
from components.iris.settings import IrisSettings
from components.iris.volumes import Volume, volumes


def claims(
    name: str,
    settings: IrisSettings,
    *,
    namespace: pulumi.Input[str],
    storage: Storage,
    kubeconfig: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> list[dict[str, k8s.core.v1.PersistentVolumeClaim]]:
    """Make the claims of every instance, each by the name of its volume in the pod.

    Args:
        name: prefix of the Pulumi resources.
        settings: choices of the stack.
        namespace: where they are.
        storage: where the volumes come from.
        kubeconfig: how this run reaches the cluster.
        opts: options of every resource.
    """
    if settings.layout() != "statefulset":
        return [
            {
                volume.name: _in_use(
                    f"{name}-{volume.name}",
                    volume,
                    settings,
                    namespace=namespace,
                    storage=storage,
                    kubeconfig=kubeconfig,
                    opts=opts,
                )
                for volume in volumes(settings)
            }
        ]
    return [
        {
            volume.name: _growing(
                f"{name}-{volume.name}-{ordinal}",
                volume,
                called=volume.claim(ordinal),
                namespace=namespace,
                storage=storage,
                storage_class=volume.storage_class or storage.storage_class,
                opts=opts,
            )
            for volume in volumes(settings)
        }
        for ordinal in range(settings.instances)
    ]


def _in_use(
    name: str,
    volume: Volume,
    settings: IrisSettings,
    *,
    namespace: pulumi.Input[str],
    storage: Storage,
    kubeconfig: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> k8s.core.v1.PersistentVolumeClaim:
    """Make the claim in use, filled from what the stack names, and keep the earlier ones."""
    called = volume.claim(None)
    storage_class = volume.storage_class or storage.storage_class
    for number in settings.earlier_volumes():
        if number < volume.since:
            continue
        # As it was left: its size is no longer the stack file's.
        _claim(
            claim_name(name, number),
            volume,
            called=claim_name(called, number),
            namespace=namespace,
            storage=storage,
            storage_class=storage_class,
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(ignore_changes=["spec", "metadata.annotations"])
            ),
        )
    own = claim_name(name, settings.volume)
    source = settings.restore.of(volume.name) if settings.restore else None
    journals = settings.restore.journals if settings.restore else None
    filling = filled(
        f"{own}-restore",
        source,
        namespace=namespace,
        storage_class=storage_class,
        class_parameters=storage.class_parameters,
        reclaim_policy="Retain" if storage.protect else "Delete",
        is_copy=volume.is_copy,
        opts=opts,
    )
    takes_a_place = not volume.is_copy and (volume.name != "journals" or source is not None)
    hooks = restoring(
        own,
        source,
        volume=settings.volume,
        namespace=settings.namespace,
        storage_class=filling.storage_class,
        gib=volume.gib,
        setting=volume.setting,
        part=None if volume.name == "data" else volume.name,
        data=settings.restore.data if settings.restore and volume.name == "journals" else None,
        # Journals that begin empty leave nothing behind, nor does a copy.
        stop_first=takes_a_place and settings.volume > 1,
        whole=volume.name == "data" and not isinstance(journals, SourceSettings),
        kubeconfig=kubeconfig,
    )
    return _growing(
        own,
        volume,
        called=claim_name(called, settings.volume),
        namespace=namespace,
        storage=storage,
        storage_class=filling.storage_class,
        spec=filling.spec,
        annotations={FILLED_FROM: source.told()} if source else {},
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                depends_on=filling.after,
                # A claim says once what fills its volume, and Kubernetes forbids to change it.
                ignore_changes=["spec.dataSource"],
                hooks=hooks,
            ),
        ),
    )


def _growing(
    name: str, volume: Volume, *, opts: pulumi.ResourceOptions, **claim: Any
) -> k8s.core.v1.PersistentVolumeClaim:
    """A claim whose size the stack file says."""
    hooks = growth(f"{name}-growth", setting=volume.setting)
    if opts.hooks:
        hooks = pulumi.ResourceHookBinding.merge(hooks, opts.hooks)
    grown = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(hooks=hooks))
    return _claim(name, volume, opts=grown, **claim)


def _claim(
    name: str,
    volume: Volume,
    *,
    called: str,
    namespace: pulumi.Input[str],
    storage: Storage,
    storage_class: str,
    opts: pulumi.ResourceOptions,
    spec: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> k8s.core.v1.PersistentVolumeClaim:
    wanted: Any = {
        "accessModes": ["ReadWriteOnce"],
        # A plain name and no Output of the class: when Pulumi replaces a class, it also
        # replaces everything whose inputs came from it.
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": f"{volume.gib}Gi"}},
        **(spec or {}),
    }
    return k8s.core.v1.PersistentVolumeClaim(
        name,
        metadata={
            "name": called,
            "namespace": namespace,
            "labels": {**LABELS, **volume.labels},
            # It binds when the pod is scheduled, which comes after it.
            "annotations": {"pulumi.com/skipAwait": "true", **(annotations or {})},
        },
        spec=wanted,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                protect=storage.protect and not volume.is_copy,
                retain_on_delete=storage.protect and not volume.is_copy,
                depends_on=[*storage.ready],
            ),
        ),
    )
