"""Volume claims that no mistake of ours can delete."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.forms import Storage
from components.iris.growth import growth
from components.iris.pod import LABELS
from components.iris.restore.already import FILLED_FROM, Claims
from components.iris.restore.hook import restoring
from components.iris.restore.source import filled
from components.iris.restore.source_settings import claim_name
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
    several = settings.layout() == "statefulset"
    return [
        {
            volume.name: _in_use(
                name,
                volume,
                ordinal,
                settings,
                namespace=namespace,
                storage=storage,
                kubeconfig=kubeconfig,
                opts=opts,
            )
            for volume in volumes(settings)
        }
        for ordinal in (range(settings.instances) if several else (None,))
    ]


def _in_use(
    name: str,
    volume: Volume,
    ordinal: int | None,
    settings: IrisSettings,
    *,
    namespace: pulumi.Input[str],
    storage: Storage,
    kubeconfig: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> k8s.core.v1.PersistentVolumeClaim:
    """Make the claim in use, filled from what the stack names, and keep the earlier ones."""
    storage_class = volume.storage_class or storage.storage_class
    restore = settings.restore
    since = max(volume.since, restore.since(ordinal) if restore else 1)
    for number in settings.earlier_volumes():
        if number < since:
            continue
        # As it was left: its size is no longer the stack file's.
        _claim(
            _resource(name, volume, ordinal, number),
            volume,
            called=volume.claim(ordinal, number),
            namespace=namespace,
            storage=storage,
            storage_class=storage_class,
            opts=pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(ignore_changes=["spec", "metadata.annotations"])
            ),
        )
    own = _resource(name, volume, ordinal, settings.volume)
    called = volume.claim(ordinal, settings.volume)
    sources = restore.sources(ordinal) if restore else {}
    source = restore.of(volume.holds, ordinal) if restore else None
    filling = filled(
        f"{own}-restore",
        source,
        namespace=namespace,
        storage_class=storage_class,
        class_parameters=storage.class_parameters,
        reclaim_policy="Retain" if storage.protect else "Delete",
        is_copy=volume.is_copy,
        owner="" if ordinal is None else f" {called}",
        opts=opts,
    )
    main = "data" if ordinal is None else "system"
    leads = volume.holds == main
    takes_a_place = not volume.is_copy and (volume.holds != "journals" or source is not None)
    hooks = restoring(
        own,
        source,
        volume=settings.volume,
        # A copy is made anew for another source of it.
        claims=None if volume.is_copy else _claims(volume, ordinal, settings, since=since),
        namespace=settings.namespace,
        storage_class=filling.storage_class,
        gib=volume.gib,
        setting=volume.setting,
        part=_part(volume, ordinal),
        leads=leads,
        # Journals to replay are of another moment.
        first=None if leads or volume.is_copy else sources.get(main),
        beside=[each for holds, each in sources.items() if holds != main] if leads else [],
        host=_host(settings, ordinal),
        # Journals that begin empty leave nothing behind, nor does a copy.
        stop_first=takes_a_place and settings.volume > (since if ordinal is not None else 1),
        kubeconfig=kubeconfig,
    )
    return _growing(
        own,
        volume,
        called=called,
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


def _claims(volume: Volume, ordinal: int | None, settings: IrisSettings, *, since: int) -> Claims:
    number = settings.volume
    others = [each for each in volumes(settings) if not each.is_copy and each.holds != volume.holds]
    return Claims(
        volume.claim(ordinal, number),
        beside=[each.claim(ordinal, number) for each in others],
        earlier=[volume.claim(ordinal, before) for before in range(number - 1, since - 1, -1)],
    )


def _host(settings: IrisSettings, ordinal: int | None) -> str:
    """Name of the host that starts on a volume, of whichever form the volume is."""
    return f"iris-{ordinal or 0}" if settings.form == "statefulset" else settings.hostname


def _resource(name: str, volume: Volume, ordinal: int | None, number: int) -> str:
    """What Pulumi calls a claim."""
    numbered = f"{name}-{claim_name(volume.holds, number)}"
    return numbered if ordinal is None else f"{numbered}-{ordinal}"


def _part(volume: Volume, ordinal: int | None) -> str | None:
    """What of the database is on a volume; None: all that a Deployment has, but its journals."""
    if ordinal is not None:
        return f"{volume.holds} of iris-{ordinal}"
    return None if volume.holds == "data" else volume.holds


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
