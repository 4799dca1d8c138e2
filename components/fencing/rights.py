"""What the agent may do in Kubernetes: no more than it does."""

from typing import Any

from components.fencing.power import NAMESPACE

NAME = "ha-iris-fencing"
PAUSE = "ha-iris-fencing-pause"
LONGHORN = "longhorn-system"

ANYWHERE: Any = [
    # Taints and annotations: no smaller right is known to Kubernetes.
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "patch"]},
    {"apiGroups": ["storage.k8s.io"], "resources": ["volumeattachments"], "verbs": ["list"]},
]


def within(database: Any, *, longhorn: bool) -> dict[Any, Any]:
    """Rules by the namespace in which they count."""
    leases = "coordination.k8s.io"
    rules: dict[Any, Any] = {
        NAMESPACE: [
            # "create" knows no names.
            {"apiGroups": [leases], "resources": ["leases"], "verbs": ["create"]},
            {
                "apiGroups": [leases],
                "resources": ["leases"],
                "resourceNames": [NAME],
                "verbs": ["get", "update"],
            },
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": [PAUSE],
                "verbs": ["get"],
            },
        ],
        "kube-node-lease": [{"apiGroups": [leases], "resources": ["leases"], "verbs": ["list"]}],
        # Events of nodes are in this one.
        "default": [{"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}],
        database: [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]}],
    }
    if longhorn:
        rules[LONGHORN] = [
            {"apiGroups": ["longhorn.io"], "resources": ["volumes"], "verbs": ["list"]}
        ]
    return rules
