"""What a node of AKS or GKE lacks for Longhorn, brought to it by a DaemonSet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

NAMESPACE = "ha-iris-node-prep"

SCRIPT = Path(__file__).with_name("node_prep.sh")


class NodePrep(pulumi.ComponentResource):
    """Keeps each node's multipathd away from Longhorn's devices, if it has one.

    Ubuntu images may carry multipath-tools, as those of AKS do, which may take a volume's device
    for a path and hold it: the volume then cannot be mounted (Longhorn knowledge base,
    "Troubleshooting volume with multipath"). All else that Longhorn needs of a node is in the
    images.
    """

    ready: list[pulumi.Resource]
    """What must run on every node before a volume is attached to one."""

    def __init__(
        self,
        name: str,
        *,
        image: str,
        nodes: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:NodePrep", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
            },
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[*nodes])),
        )
        daemon_set = k8s.apps.v1.DaemonSet(
            f"{name}-daemon-set",
            metadata={"name": "multipath", "namespace": namespace.metadata["name"]},
            spec=daemon_set_spec(image),
            opts=child,
        )
        self.ready = [namespace, daemon_set]
        self.register_outputs({})


def daemon_set_spec(image: str) -> Any:
    """Spec of the DaemonSet, as plain data."""
    labels = {"app.kubernetes.io/name": "multipath"}
    resources = {
        "requests": {"cpu": "10m", "memory": "16Mi"},
        "limits": {"cpu": "200m", "memory": "64Mi"},
    }
    return {
        "selector": {"matchLabels": labels},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "priorityClassName": "system-node-critical",
                # multipathd listens on a socket of the node's network namespace.
                "hostNetwork": True,
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "tolerations": [{"operator": "Exists"}],
                "terminationGracePeriodSeconds": 1,
                # Done before the pod is ready, and again on a node that the cloud has made anew.
                "initContainers": [
                    {
                        "name": "multipath",
                        "image": image,
                        "command": ["/bin/sh", "-c", SCRIPT.read_text()],
                        "resources": resources,
                        "securityContext": {"privileged": True},
                        "volumeMounts": [
                            {
                                "name": "host",
                                "mountPath": "/host",
                                "mountPropagation": "HostToContainer",
                            }
                        ],
                    }
                ],
                # What stays sees nothing of the node.
                "containers": [
                    {
                        "name": "done",
                        "image": image,
                        "command": ["/bin/sh", "-c", "exec sleep 2147483647"],
                        "resources": resources,
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                            "readOnlyRootFilesystem": True,
                            "runAsNonRoot": True,
                            "runAsUser": 65534,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                    }
                ],
                "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
            },
        },
    }
