"""One or more IRIS instances as a StatefulSet; they share nothing."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.change_told import fewer_told
from components.iris.forms import Instance, Running, Storage, workload
from components.iris.forms.claims import claims
from components.iris.pod import LABELS, SUPERSERVER_PORT
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings

HEADLESS = "iris-hosts"
"""Service without an address of its own: it gives each pod a name in DNS."""


def statefulset(
    name: str,
    settings: IrisSettings,
    *,
    around: Surroundings,
    storage: Storage,
    cluster: Cluster,
    opts: pulumi.ResourceOptions,
) -> Running:
    """Run IRIS as a StatefulSet: a ``Form``."""
    made = claims(
        name,
        settings,
        namespace=around.namespace,
        storage=storage,
        kubeconfig=cluster.kubeconfig,
        opts=opts,
    )
    # A claim that is not the StatefulSet's own is one instance's, and stands in the pod itself.
    carried_over = {} if settings.layout() == "statefulset" else made[0]
    pod = workload.pod(
        settings,
        around=around,
        storage=storage,
        cluster=cluster,
        claims={volume: claim.metadata["name"] for volume, claim in carried_over.items()},
    )
    # The controller names each pod's host after the pod.
    del pod["hostname"]
    hosts: Any = {
        "clusterIP": "None",
        "selector": LABELS,
        # A host has its name while IRIS recovers, too.
        "publishNotReadyAddresses": True,
        "ports": [{"name": "superserver", "port": SUPERSERVER_PORT}],
    }
    headless = k8s.core.v1.Service(
        f"{name}-hosts",
        metadata={
            "name": HEADLESS,
            "namespace": around.namespace,
            "labels": LABELS,
            # It has no pods before the StatefulSet, which comes after it.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec=hosts,
        opts=opts,
    )
    spec: Any = {
        "replicas": settings.instances,
        "serviceName": headless.metadata["name"],
        # They do not need one another: none waits for another's start, and one that does not
        # start keeps nobody from mending it.
        "podManagementPolicy": "Parallel",
        # One after the other, each ready before the next one stops.
        "updateStrategy": {"type": "RollingUpdate"},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {**pod, **_spread()}},
    }
    if not carried_over:
        spec["volumeClaimTemplates"] = [_template(volume) for volume in made[0]]
    stateful_set = k8s.apps.v1.StatefulSet(
        f"{name}-statefulset",
        metadata=workload.metadata(settings, around),
        spec=spec,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions.merge(
                workload.options(
                    name,
                    settings,
                    around=around,
                    storage=storage,
                    cluster=cluster,
                    seconds=settings.instances * workload.patience(settings),
                ),
                pulumi.ResourceOptions(
                    # Its pods take claims by their names, which no value carries.
                    depends_on=[claim for claims in made for claim in claims.values()],
                    hooks=fewer_told(f"{name}-fewer-told", protected=storage.protect),
                ),
            ),
        ),
    )
    return Running(
        instances=[
            Instance(
                service=service,
                pods={**LABELS, "statefulset.kubernetes.io/pod-name": f"iris-{ordinal}"},
                host=f"iris-{ordinal}",
                ordinal=ordinal,
            )
            for ordinal, service in enumerate(settings.services())
        ],
        ready=[stateful_set],
    )


def _template(volume: str) -> dict[str, Any]:
    """Where a pod's claim gets its name from, and nothing else.

    The claims are there before: Pulumi protects them and lets them grow, and Kubernetes forbids a
    change of this. A claim that somebody has deleted, or an instance that somebody has added with
    kubectl, finds no volume and waits: better than IRIS with an empty database.
    """
    return {
        "metadata": {"name": volume},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            # No class, and so nobody who makes a volume (Kubernetes, "Persistent Volumes").
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def _spread() -> dict[str, Any]:
    """One node's or zone's death should stop few instances, and leave room for them elsewhere.

    Also for a single one, so that a second restarts nothing.
    """
    return {
        "topologySpreadConstraints": [
            {
                "topologyKey": key,
                "maxSkew": 1,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": LABELS},
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ]
    }
