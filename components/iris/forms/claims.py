"""Volume claims that no mistake of ours can delete."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.forms import Storage
from components.iris.growth import growth
from components.iris.pod import LABELS


def claim(
    name: str,
    *,
    called: str,
    gib: int,
    namespace: pulumi.Input[str],
    storage: Storage,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Make a claim and return what Kubernetes calls it.

    Args:
        name: of the Pulumi resource.
        called: what Kubernetes calls it.
        gib: size of the volume, GiB. It may grow and never shrink.
        namespace: where it is.
        storage: where the volume comes from.
        opts: options of the resource.
    """
    spec: Any = {
        "accessModes": ["ReadWriteOnce"],
        # A plain name and no Output of the class: when Pulumi replaces a class, it also
        # replaces everything whose inputs came from it.
        "storageClassName": storage.storage_class,
        "resources": {"requests": {"storage": f"{gib}Gi"}},
    }
    made = k8s.core.v1.PersistentVolumeClaim(
        name,
        metadata={
            "name": called,
            "namespace": namespace,
            "labels": LABELS,
            # It binds when the pod is scheduled, which comes after it.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec=spec,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                protect=storage.protect,
                retain_on_delete=storage.protect,
                depends_on=[*storage.ready],
                hooks=growth(f"{name}-growth"),
            ),
        ),
    )
    return made.metadata["name"]
