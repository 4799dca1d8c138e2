"""What a Deployment and a StatefulSet of IRIS have in common."""

from typing import Any

import pulumi

from components.cluster import Cluster
from components.iris.forms import Storage
from components.iris.image_change import told_of
from components.iris.pod import LABELS, pod_spec
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings
from components.iris.upgrade.hook import before_update

# What `kubectl rollout status` asks. Left to itself, pulumi-kubernetes takes a Deployment with the
# strategy Recreate for rolled out once its old ReplicaSet is scaled to none, and a StatefulSet
# that nobody has looked at yet for one whose old pods are the new ones. The filter goes over
# the parts of the object, of which only status has these fields (RFC 9535; pulumi-kubernetes
# 4.18.4 and newer let the annotation decide alone).
ROLLED_OUT = (
    "jsonpath={[?@.observedGeneration == $.metadata.generation"
    " && @.updatedReplicas == $.spec.replicas"
    " && @.availableReplicas == $.spec.replicas"
    " && @.replicas == $.spec.replicas]}"
)


def metadata(settings: IrisSettings, around: Surroundings) -> Any:
    """Name and annotations of the object."""
    return {
        "name": "iris",
        "namespace": around.namespace,
        "labels": LABELS,
        "annotations": {"pulumi.com/waitFor": ROLLED_OUT, **told_of(settings.product())},
    }


def pod(
    settings: IrisSettings,
    *,
    around: Surroundings,
    storage: Storage,
    cluster: Cluster,
    claims: dict[str, pulumi.Output[str]],
) -> dict[str, Any]:
    """Spec of a pod, which finds the volumes in ``claims`` by their names."""
    return pod_spec(
        settings,
        architecture=cluster.architecture,
        claims=claims,
        peers=storage.peers,
        merge_secret=around.merge_secret,
        scripts=around.scripts,
        service_account=around.service_account,
        priority_class=around.priority_class,
        license_secret=around.license_secret,
    )


def patience(settings: IrisSettings) -> int:
    """Seconds in which an instance has made way for its successor.

    The old one stops, the volume moves, the image is pulled, IRIS starts and recovers.
    """
    return settings.termination_grace_period_seconds + 600 + settings.startup_seconds


def options(
    name: str,
    settings: IrisSettings,
    *,
    around: Surroundings,
    storage: Storage,
    cluster: Cluster,
    seconds: int,
) -> pulumi.ResourceOptions:
    """What is asked, told and done before a change, and how long it may take.

    Args:
        name: prefix of the hooks' names, which the state remembers.
        settings: choices of the stack.
        around: what is there before IRIS, and goes after it.
        storage: where the volumes come from.
        cluster: where it runs.
        seconds: how long Kubernetes waits.
    """
    # A little longer than Kubernetes waits, so that the state says why it gave up.
    limit = f"{seconds + 60}s"
    return pulumi.ResourceOptions(
        # A new image is on its way to the nodes before the old one stops.
        depends_on=[around.policies, *around.images],
        hooks=before_update(
            name,
            settings,
            cluster=cluster,
            pods=LABELS,
            snapshot_class=storage.snapshot_class,
        ),
        custom_timeouts=pulumi.CustomTimeouts(create=limit, update=limit),
    )
