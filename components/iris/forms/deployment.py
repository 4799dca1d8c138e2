"""One IRIS instance as a Deployment."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.forms import Instance, Running, Storage
from components.iris.forms.claims import claim
from components.iris.image_change import told_of
from components.iris.pod import LABELS, pod_spec
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings
from components.iris.upgrade.hook import before_update

# What `kubectl rollout status` asks. Left to itself, pulumi-kubernetes takes a Deployment with the
# strategy Recreate for rolled out once its old ReplicaSet is scaled to none. The filter goes over
# the parts of the object, of which only status has these fields (RFC 9535; pulumi-kubernetes
# 4.18.4 and newer let the annotation decide alone).
ROLLED_OUT = (
    "jsonpath={[?@.observedGeneration == $.metadata.generation"
    " && @.updatedReplicas == $.spec.replicas"
    " && @.availableReplicas == $.spec.replicas"
    " && @.replicas == $.spec.replicas]}"
)


def deployment(
    name: str,
    settings: IrisSettings,
    *,
    around: Surroundings,
    storage: Storage,
    cluster: Cluster,
    opts: pulumi.ResourceOptions,
) -> Running:
    """Run IRIS as a Deployment: a ``Form``."""
    data = claim(
        f"{name}-data",
        called="iris-data",
        gib=settings.storage_gib,
        settings=settings,
        namespace=around.namespace,
        storage=storage,
        kubeconfig=cluster.kubeconfig,
        opts=opts,
    )
    # The old instance stops, the volume moves, the image is pulled, IRIS starts and recovers.
    patience = settings.termination_grace_period_seconds + 600 + settings.startup_seconds
    spec: Any = {
        "replicas": 1,
        # Never two instances on one volume.
        "strategy": {"type": "Recreate"},
        "progressDeadlineSeconds": patience,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": pod_spec(
                settings,
                architecture=cluster.architecture,
                claim=data,
                peers=storage.peers,
                merge_secret=around.merge_secret,
                scripts=around.scripts,
                service_account=around.service_account,
                priority_class=around.priority_class,
                license_secret=around.license_secret,
            ),
        },
    }
    made = k8s.apps.v1.Deployment(
        f"{name}-deployment",
        metadata={
            "name": "iris",
            "namespace": around.namespace,
            "labels": LABELS,
            "annotations": {"pulumi.com/waitFor": ROLLED_OUT, **told_of(settings.product())},
        },
        spec=spec,
        # A little longer than Kubernetes waits, so that the state says why it gave up.
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                # A new image is on its way to the nodes before the old one stops.
                depends_on=[around.policies, *around.images],
                hooks=before_update(
                    name,
                    settings,
                    cluster=cluster,
                    pods=LABELS,
                    snapshot_class=storage.snapshot_class,
                ),
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{patience + 60}s", update=f"{patience + 60}s"
                ),
            ),
        ),
    )
    return Running(instances=[Instance(service="iris", pods=LABELS)], ready=[made])
