"""Snapshots of a frozen IRIS by schedule, and their upload: a CronJob and what it may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.backup.carried import BACKUP
from components.backup.rights import CLUSTER_RIGHTS, NAME, RIGHTS, UPLOAD_RIGHTS
from components.backup.snapshot_settings import PATIENCE, ConsistentSnapshotSettings
from components.cluster import Cluster
from components.in_cluster.carried import MOUNT, NOBODY, PROGRAM_MOUNT

LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "ha-iris"}
LONGHORN = "longhorn-system"


@dataclass(frozen=True)
class Database:
    """Which pods run the database, whatever form it has, and what they are left alone by."""

    namespace: str
    """Its namespace."""

    pods: Sequence[Mapping[str, str]]
    """Labels of the pod of each IRIS."""

    hosts: Sequence[str]
    """Host name of each IRIS, which its backups go by; none: nobody knows them before."""

    running: pulumi.Resource
    """What makes the namespace and the pods; all of this comes after it and goes before it."""

    time_zone: str
    closed: bool = False
    """Whether the namespace's network policy lets nobody out who is not named."""

    container: str = "iris"


class ConsistentSnapshots(pulumi.ComponentResource):
    """A CronJob that freezes IRIS, has all its volumes cut and thaws it."""

    def __init__(
        self,
        name: str,
        settings: ConsistentSnapshotSettings,
        *,
        cluster: Cluster,
        database: Database,
        snapshot_class: str,
        upload: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the job and its rights.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            cluster: Where it runs.
            database: What it freezes.
            snapshot_class: VolumeSnapshotClass of snapshots that stay inside Longhorn.
            upload: Whether there is a store that Longhorn can upload them to.
            opts: Options of this component.
        """
        super().__init__("ha-iris:backup:ConsistentSnapshots", name, None, opts)
        child = pulumi.ResourceOptions(
            parent=self, provider=cluster.provider, depends_on=[database.running]
        )
        told = {
            "namespace": database.namespace,
            "cron_job": NAME,
            "selectors": [
                ",".join(f"{key}={value}" for key, value in labels.items())
                for labels in database.pods
            ],
            "instances": list(database.hosts),
            "container": database.container,
            "snapshot_class": snapshot_class,
            "freeze_seconds": settings.freeze_seconds,
            "snapshot_seconds": settings.snapshot_seconds,
            "patience": PATIENCE,
            "keep": settings.keep,
            "keep_days": settings.keep_days,
            "upload": upload,
            "upload_seconds": settings.upload_seconds,
            "keep_uploads": settings.keep_uploads,
            "keep_uploads_days": settings.keep_uploads_days,
        }
        here: Any = {"namespace": database.namespace, "labels": LABELS}
        named: Any = {"name": NAME, **here}
        account = k8s.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata=named,
            automount_service_account_token=False,
            opts=child,
        )
        subjects: Any = [
            {
                "kind": "ServiceAccount",
                "name": account.metadata["name"],
                "namespace": database.namespace,
            }
        ]
        k8s.rbac.v1.RoleBinding(
            f"{name}-role-binding",
            metadata=named,
            role_ref=_ref(
                k8s.rbac.v1.Role(f"{name}-role", metadata=named, rules=RIGHTS, opts=child)
            ),
            subjects=subjects,
            opts=child,
        )
        # A VolumeSnapshotContent is in no namespace; named by the database's, for a second one.
        wide: Any = {"name": f"{NAME}-{database.namespace}", "labels": LABELS}
        k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-cluster-role-binding",
            metadata=wide,
            role_ref=_ref(
                k8s.rbac.v1.ClusterRole(
                    f"{name}-cluster-role", metadata=wide, rules=CLUSTER_RIGHTS, opts=child
                )
            ),
            subjects=subjects,
            opts=child,
        )
        if upload:
            there: Any = {**wide, "namespace": LONGHORN}
            k8s.rbac.v1.RoleBinding(
                f"{name}-upload-role-binding",
                metadata=there,
                role_ref=_ref(
                    k8s.rbac.v1.Role(
                        f"{name}-upload-role",
                        metadata=there,
                        rules=UPLOAD_RIGHTS,
                        opts=child,
                    )
                ),
                subjects=subjects,
                opts=child,
            )
        if database.closed:
            # To the API server, of which neither address nor port is the same anywhere.
            outside: Any = {
                "podSelector": {"matchLabels": LABELS},
                "policyTypes": ["Egress"],
                "egress": [{"ports": [{"protocol": "TCP"}]}],
            }
            k8s.networking.v1.NetworkPolicy(
                f"{name}-network", metadata=named, spec=outside, opts=child
            )
        files = k8s.core.v1.ConfigMap(
            f"{name}-program", metadata=here, immutable=True, data=BACKUP.data(told), opts=child
        )
        spec: Any = {
            "schedule": settings.schedule,
            "timeZone": settings.time_zone or database.time_zone,
            "startingDeadlineSeconds": settings.starting_deadline_seconds,
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": LABELS},
                "spec": job_spec(
                    settings,
                    instances=len(database.pods),
                    program=files.metadata["name"],
                    service_account=account.metadata["name"],
                ),
            },
        }
        k8s.batch.v1.CronJob(
            f"{name}-cron-job",
            metadata=named,
            spec=spec,
            opts=child,
        )
        self.register_outputs({})


def job_spec(
    settings: ConsistentSnapshotSettings, *, instances: int, program: Any, service_account: Any
) -> dict[str, Any]:
    """Spec of the job of one run over so many instances. Both names may be Outputs."""
    for_each = settings.upload_seconds + 3 * (settings.freeze_seconds + 120)
    return {
        # A freeze that was lost, or a node that died, is worth another attempt.
        "backoffLimit": 2,
        "activeDeadlineSeconds": for_each * instances,
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "serviceAccountName": service_account,
                "automountServiceAccountToken": True,
                "enableServiceLinks": False,
                "restartPolicy": "Never",
                # Told to end, it thaws and labels first.
                "terminationGracePeriodSeconds": 90,
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": NOBODY,
                    "runAsGroup": NOBODY,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "backup",
                        "image": settings.image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["python3", "-B", "-m", BACKUP.package],
                        "workingDir": MOUNT,
                        "resources": {
                            "requests": {
                                "cpu": "20m",
                                "memory": "48Mi",
                                "ephemeral-storage": "1Mi",
                            },
                            "limits": {
                                "cpu": "500m",
                                "memory": "128Mi",
                                "ephemeral-storage": "64Mi",
                            },
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [PROGRAM_MOUNT],
                    }
                ],
                "volumes": [BACKUP.volume(program)],
            },
        },
    }


def _ref(role: Any) -> Any:
    kind = "ClusterRole" if isinstance(role, k8s.rbac.v1.ClusterRole) else "Role"
    return {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": kind,
        "name": role.metadata["name"],
    }
