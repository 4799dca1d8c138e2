"""What the job that backs up may do in the cluster: rules of its roles, as plain data."""

from typing import Any

NAME = "iris-backup"
"""Name of the CronJob, of its rights and of the lease that keeps two runs apart."""

RIGHTS: Any = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    # A WebSocket begins with a GET; since Kubernetes 1.35 it takes "create" as well (KEP 4006).
    {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    {
        "apiGroups": ["snapshot.storage.k8s.io"],
        "resources": ["volumesnapshots"],
        "verbs": ["get", "list", "create", "patch", "delete"],
    },
    # "create" knows no names.
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": [NAME],
        "verbs": ["get", "update"],
    },
]
CLUSTER_RIGHTS: Any = [
    {
        "apiGroups": ["snapshot.storage.k8s.io"],
        "resources": ["volumesnapshotcontents"],
        "verbs": ["get"],
    }
]
UPLOAD_RIGHTS: Any = [
    {
        "apiGroups": ["longhorn.io"],
        "resources": ["backups"],
        "verbs": ["get", "list", "create", "delete"],
    }
]
