"""A name under which the nodes that hold copies are found, without rights and without Longhorn."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

SERVICE = "longhorn-peers"
NAMESPACE = "longhorn-system"
MANAGERS = {"app": "longhorn-manager"}
"""Labels of Longhorn's managers, of which each node that attaches a volume runs one."""
PORT = 9500
"""Their API's port: it takes connections, of which nobody here says a word more."""

ADDRESS = f"{SERVICE}.{NAMESPACE}.svc:{PORT}"
"""What the isolation guard looks up (components/iris/scripts/guard.sh)."""


def peers(name: str, *, opts: pulumi.ResourceOptions) -> k8s.core.v1.Service:
    """Make the headless Service: DNS answers with the address of every manager."""
    spec: Any = {
        "clusterIP": "None",
        "selector": MANAGERS,
        # A node whose manager is not ready is there all the same.
        "publishNotReadyAddresses": True,
        "ports": [{"name": "manager", "port": PORT, "targetPort": PORT}],
    }
    return k8s.core.v1.Service(
        name,
        metadata={
            "name": SERVICE,
            "namespace": NAMESPACE,
            # Nothing waits for it.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec=spec,
        opts=opts,
    )
