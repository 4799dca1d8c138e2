"""Rehearsals of the restore by schedule: a CronJob, a namespace of its own, and what it may do."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.backup.carried import REHEARSAL
from components.backup.rehearsal_job import (
    NAME,
    ROOM_RIGHTS,
    STORE_RIGHTS,
    cluster_rights,
    pod_spec,
    rights,
)
from components.backup.rehearsal_settings import RehearsalSettings
from components.backup.snapshots import Database
from components.cluster import Cluster
from components.longhorn.longhorn import DRIVER

LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "ha-iris"}
LONGHORN = "longhorn-system"


class Rehearsal(pulumi.ComponentResource):
    """A CronJob that restores the newest backup into a namespace of its own and asks IRIS."""

    def __init__(
        self,
        name: str,
        settings: RehearsalSettings,
        *,
        cluster: Cluster,
        database: Database,
        room: str,
        pod: Mapping[str, Any],
        volumes: Mapping[str, str],
        copies_of_secrets: Mapping[str, Mapping[str, pulumi.Input[str]]],
        scripts: Mapping[str, str],
        pull_secret: pulumi.Input[str] | None,
        class_parameters: Mapping[str, str],
        old_seconds: int,
        image: str,
        from_store: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the job, its namespace and its rights.

        Args:
            name: prefix of every child.
            settings: choices of the stack.
            cluster: where it runs.
            database: what it rehearses.
            room: the namespace in which copies are made and removed.
            pod: spec of the pod that runs IRIS on a copy.
            volumes: volume of the pod by the claim of the database.
            copies_of_secrets: content of the Secrets that the pod mounts, by name.
            scripts: content of the ConfigMap ``scripts`` that the pod mounts.
            pull_secret: login for the image's registry, as Docker keeps it; None: none is needed.
            class_parameters: of the database's StorageClass.
            old_seconds: age at which a backup is no proof of those that should have come since.
            image: with Python, for the job.
            from_store: whether there is a store, whose backups are rehearsed then.
            opts: options of this component.
        """
        super().__init__("ha-iris:backup:Rehearsal", name, None, opts)
        child = pulumi.ResourceOptions(
            parent=self, provider=cluster.provider, depends_on=[database.running]
        )
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": room,
                "labels": {**LABELS, "pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=child,
        )

        def in_room(called: str) -> Any:
            return {"name": called, "namespace": namespace.metadata["name"], "labels": LABELS}

        here: Any = {"name": NAME, "namespace": database.namespace, "labels": LABELS}
        # Nobody in, nobody out: its productions reach no one, whatever starts by itself.
        nobody: Any = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        k8s.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata=in_room("nobody"),
            spec=nobody,
            opts=child,
        )
        secrets = dict(copies_of_secrets)
        for called, content in secrets.items():
            k8s.core.v1.Secret(
                f"{name}-{called}",
                metadata=in_room(called),
                string_data=pulumi.Output.secret(dict(content)),
                opts=child,
            )
        if pull_secret is not None:
            k8s.core.v1.Secret(
                f"{name}-registry-login",
                metadata=in_room("registry-login"),
                type="kubernetes.io/dockerconfigjson",
                string_data={".dockerconfigjson": pulumi.Output.secret(pull_secret)},
                opts=child,
            )
        k8s.core.v1.ConfigMap(
            f"{name}-scripts",
            metadata=in_room("scripts"),
            data=dict(scripts),
            opts=child,
        )
        one_copy = {**class_parameters, "numberOfReplicas": "1"}
        storage_class = k8s.storage.v1.StorageClass(
            f"{name}-storage-class",
            metadata={"name": room},
            provisioner=DRIVER,
            # What a rehearsal has made goes with it, whatever becomes of the database's own.
            reclaim_policy="Delete",
            volume_binding_mode="WaitForFirstConsumer",
            parameters=one_copy,
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(delete_before_replace=True)
            ),
        )
        told = {
            "namespace": database.namespace,
            "room": room,
            "cron_job": NAME,
            "instances": list(database.hosts),
            "old_seconds": old_seconds,
            "from_store": from_store,
            "volumes": dict(volumes),
            "storage_class": room,
            "class_parameters": one_copy,
            "pod": {
                **pod,
                **({"imagePullSecrets": [{"name": "registry-login"}]} if pull_secret else {}),
            },
            "seconds": settings.seconds,
        }
        account = k8s.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata=here,
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
        wide: Any = {"name": f"{NAME}-{database.namespace}", "labels": LABELS}
        roles: list[tuple[str, Any, Any]] = [
            ("role", here, rights(from_store=from_store)),
            ("room-role", in_room(NAME), ROOM_RIGHTS),
        ]
        if from_store:
            roles.append(("store-role", {**wide, "namespace": LONGHORN}, STORE_RIGHTS))
        for role, metadata, rules in roles:
            k8s.rbac.v1.Role(f"{name}-{role}", metadata=metadata, rules=rules, opts=child)
            k8s.rbac.v1.RoleBinding(
                f"{name}-{role}-binding",
                metadata=metadata,
                role_ref=_ref("Role", metadata["name"]),
                subjects=subjects,
                opts=child,
            )
        named = [f"{room}-{number}" for number in range(len(volumes))]
        k8s.rbac.v1.ClusterRole(
            f"{name}-cluster-role",
            metadata=wide,
            rules=cluster_rights(named, from_store=from_store),
            opts=child,
        )
        k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-cluster-role-binding",
            metadata=wide,
            role_ref=_ref("ClusterRole", str(wide["name"])),
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
                f"{name}-job-network", metadata=here, spec=outside, opts=child
            )
        files = k8s.core.v1.ConfigMap(
            f"{name}-program",
            metadata={"namespace": database.namespace, "labels": LABELS},
            immutable=True,
            data=REHEARSAL.data(told),
            opts=child,
        )
        spec: Any = {
            "schedule": settings.schedule,
            "timeZone": settings.time_zone or database.time_zone,
            "startingDeadlineSeconds": 6 * 3600,
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": LABELS},
                "spec": {
                    "backoffLimit": 1,
                    "activeDeadlineSeconds": (settings.seconds + 1200) * len(database.pods),
                    "template": {
                        "metadata": {"labels": LABELS},
                        "spec": pod_spec(image, account.metadata["name"], files.metadata["name"]),
                    },
                },
            },
        }
        k8s.batch.v1.CronJob(
            f"{name}-cron-job",
            metadata=here,
            spec=spec,
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[storage_class])
            ),
        )
        self.register_outputs({})


def _ref(kind: str, name: str) -> Any:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
