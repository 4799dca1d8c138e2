"""The pod of a rehearsal's job, and what it may do: plain data."""

from collections.abc import Sequence
from typing import Any

from components.backup.carried import REHEARSAL
from components.in_cluster.carried import MOUNT, NOBODY, PROGRAM_MOUNT

NAME = "iris-rehearsal"
"""Name of the CronJob, of its rights and of its lease."""


def pod_spec(image: str, service_account: Any, files: Any) -> dict[str, Any]:
    """Spec of the job's pod. Account and files are names and may be Outputs."""
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        # Told to end, it removes what it has made.
        "terminationGracePeriodSeconds": 300,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "rehearsal",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "-B", "-m", f"{REHEARSAL.package}.rehearsal"],
                "workingDir": MOUNT,
                "resources": {
                    "requests": {"cpu": "20m", "memory": "48Mi", "ephemeral-storage": "1Mi"},
                    "limits": {"cpu": "500m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [PROGRAM_MOUNT],
            }
        ],
        "volumes": [REHEARSAL.volume(files)],
    }


def rights(*, from_store: bool) -> list[Any]:
    """In the database's namespace: read what there is, and say what it is worth."""
    snapshots = [] if from_store else ["get", "list", "patch"]
    return [
        *(
            [
                {
                    "apiGroups": ["snapshot.storage.k8s.io"],
                    "resources": ["volumesnapshots"],
                    "verbs": snapshots,
                }
            ]
            if snapshots
            else []
        ),
        {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
        {
            "apiGroups": ["batch"],
            "resources": ["cronjobs"],
            "resourceNames": [NAME],
            "verbs": ["patch"],
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


ROOM_RIGHTS: Any = [
    {
        "apiGroups": [""],
        "resources": ["pods", "persistentvolumeclaims"],
        "verbs": ["get", "create", "delete"],
    },
    {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    {
        "apiGroups": ["snapshot.storage.k8s.io"],
        "resources": ["volumesnapshots"],
        "verbs": ["get", "create", "delete"],
    },
]
STORE_RIGHTS: Any = [
    {"apiGroups": ["longhorn.io"], "resources": ["backups"], "verbs": ["get", "list", "patch"]}
]


def cluster_rights(named: Sequence[str], *, from_store: bool) -> list[Any]:
    """Of what is in no namespace: make some, and delete those of these names alone."""
    contents = ("snapshot.storage.k8s.io", "volumesnapshotcontents")
    classes = ("storage.k8s.io", "storageclasses")
    return [
        {"apiGroups": [contents[0]], "resources": [contents[1]], "verbs": ["get"]},
        *(
            rule
            for group, resource in ([contents, classes] if from_store else [contents])
            for rule in (
                {"apiGroups": [group], "resources": [resource], "verbs": ["create"]},
                {
                    "apiGroups": [group],
                    "resources": [resource],
                    "resourceNames": [*named],
                    "verbs": ["delete"],
                },
            )
        ),
    ]
