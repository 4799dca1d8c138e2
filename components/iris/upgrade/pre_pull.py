"""Keeps the images on every node, so that a failover waits for no download."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.gateway.settings import WebGatewaySettings
from components.iris.pod import IRISOWNER
from components.iris.settings import IrisSettings

NAME = "iris-images"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "ha-iris"}
"""Not those of the database, whose Service would take these pods for it."""


def pre_pull(
    name: str,
    settings: IrisSettings,
    *,
    architecture: str,
    namespace: pulumi.Input[str],
    service_account: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[k8s.apps.v1.DaemonSet]:
    """A DaemonSet whose pods hold the images and do nothing; none where it is switched off."""
    if not settings.pre_pull.enabled:
        return []
    spec: Any = {
        "selector": {"matchLabels": LABELS},
        # All nodes at once: one that cannot pull holds up no other.
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": pod_spec(
                images_of(settings), architecture=architecture, service_account=service_account
            ),
        },
    }
    return [
        k8s.apps.v1.DaemonSet(
            name,
            metadata={
                "name": NAME,
                "namespace": namespace,
                "labels": LABELS,
                # A node that is down would hold up every update; a change of image waits itself.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec=spec,
            opts=opts,
        )
    ]


def images_of(settings: IrisSettings) -> dict[str, str]:
    """The images that a node needs, by the name of their container."""
    gateway: WebGatewaySettings = settings.web_gateway
    return {
        "iris": settings.image,
        **({"web-gateway": gateway.image} if settings.has_web_gateway() else {}),
    }


def pod_spec(
    images: Mapping[str, str], *, architecture: str, service_account: Any
) -> dict[str, Any]:
    """Spec of the pod that holds the images on its node.

    A kubelet that runs short of disk deletes no image that a container uses (Kubernetes, "Garbage
    collection"). The login is that of the database: with another one the kubelet would ask the
    registry again (KEP-2535).
    """
    resources = {"cpu": "10m", "memory": "16Mi"}
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # Where the database may run; a DaemonSet's pods stay on nodes that are not ready.
        "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": architecture},
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": IRISOWNER,
            "runAsGroup": IRISOWNER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": name,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                # In place of the image's entrypoint: neither IRIS nor the gateway starts.
                "command": ["sleep", "infinity"],
                "resources": {
                    "requests": {**resources, "ephemeral-storage": "1Mi"},
                    "limits": {**resources, "ephemeral-storage": "16Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
            for name, image in images.items()
        ],
    }
