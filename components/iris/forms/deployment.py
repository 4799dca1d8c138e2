"""One IRIS instance as a Deployment."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.forms import Instance, Running, Storage, workload
from components.iris.forms.claims import claims
from components.iris.pod import LABELS
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings

# The heir of a deleted pod goes where that was, if the node takes pods and has room for both: then
# no volume has to move. It waits there until the other one has stopped (scripts/one_instance.sh).
WHERE_IT_WAS: Any = {
    "podAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "podAffinityTerm": {
                    "labelSelector": {"matchLabels": LABELS},
                    "topologyKey": "kubernetes.io/hostname",
                },
            }
        ]
    }
}


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
    (data,) = claims(
        name,
        settings,
        namespace=around.namespace,
        storage=storage,
        kubeconfig=cluster.kubeconfig,
        opts=opts,
    )
    names = {volume: claim.metadata["name"] for volume, claim in data.items()}
    patience = workload.patience(settings)
    spec: Any = {
        "replicas": 1,
        # Never two instances on one volume.
        "strategy": {"type": "Recreate"},
        "progressDeadlineSeconds": patience,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                **workload.pod(
                    settings, around=around, storage=storage, cluster=cluster, claims=names
                ),
                "affinity": WHERE_IT_WAS,
            },
        },
    }
    made = k8s.apps.v1.Deployment(
        f"{name}-deployment",
        metadata=workload.metadata(settings, around),
        spec=spec,
        opts=pulumi.ResourceOptions.merge(
            opts,
            workload.options(
                name, settings, around=around, storage=storage, cluster=cluster, seconds=patience
            ),
        ),
    )
    return Running(
        instances=[Instance(service="iris", pods=LABELS, host=settings.hostname)],
        ready=[made],
    )
