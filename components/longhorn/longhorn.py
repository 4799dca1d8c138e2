"""Longhorn, installed by its own Helm chart, with classes of our own."""

from collections.abc import Mapping
from typing import Any, Protocol

import pulumi
import pulumi_kubernetes as k8s

from components.backup.settings import BackupSettings
from components.cluster import Cluster
from components.load_balancer import replaced_with_its_kind
from components.longhorn import encryption
from components.longhorn.dead_nodes import no_volume_to_a_dead_node
from components.longhorn.peers import NAMESPACE, peers
from components.longhorn.recurring_jobs import recurring_jobs
from components.longhorn.replica_change import replicas_told
from components.longhorn.settings import LonghornSettings
from components.longhorn.values import chart_values, class_parameters

STORAGE_CLASS = "longhorn-iris"
SNAPSHOT_CLASS = "longhorn-iris-snapshot"
DRIVER = "driver.longhorn.io"
BACKUP_SECRET = "longhorn-backup-store"
API_VERSION = "longhorn.io/v1beta2"


class BackupStore(Protocol):
    """A bucket outside the cluster that Longhorn writes backups to."""

    url: pulumi.Output[str]
    """Longhorn backup target URL, with its trailing slash."""

    bucket: pulumi.Output[str]
    """Name of the bucket; on Azure account and container, as in account/container."""

    credentials: Mapping[str, pulumi.Input[str]]
    """Entries of the credential Secret (Longhorn, "Setting a backup target", 1.12.1); empty where
    the store asks for none."""

    ready: list[pulumi.Resource]
    """What must exist before Longhorn can use the bucket, such as its access grants."""


class VolumeSnapshotClass(pulumi.CustomResource):
    """Snapshots that stay inside Longhorn.

    The kind is no part of Kubernetes itself, so the SDK has no class for it, and its fields are
    not under ``spec``, so the SDK's ``CustomResource`` cannot say them.
    """

    def __init__(self, name: str, class_name: str, *, opts: pulumi.ResourceOptions) -> None:
        super().__init__(
            "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass",
            name,
            {
                "apiVersion": "snapshot.storage.k8s.io/v1",
                "kind": "VolumeSnapshotClass",
                "metadata": {"name": class_name},
                "driver": DRIVER,
                "deletionPolicy": "Delete",
                # Without a type Longhorn uploads a backup for every snapshot.
                "parameters": {"type": "snap"},
            },
            opts,
        )


class Longhorn(pulumi.ComponentResource):
    """Longhorn, the StorageClass of the database volume and the class of its snapshots."""

    storage_class: str
    """Name of the StorageClass."""

    class_parameters: dict[str, str]
    """Its parameters."""

    snapshot_class: str | None
    """Name of the VolumeSnapshotClass; None where the cluster has no volume snapshots."""

    ready: list[pulumi.Resource]
    """What a volume claim must wait for, and what must outlive it on destroy."""

    volume_key: pulumi.Output[str] | None
    """What opens the volumes and their backups, secret; None: they are not encrypted."""

    def __init__(
        self,
        name: str,
        settings: LonghornSettings,
        *,
        cluster: Cluster,
        protect_data: bool,
        fs_type: str = "ext4",
        guarded: bool = False,
        backup: BackupSettings | None = None,
        backup_store: BackupStore | None = None,
        journals: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Install Longhorn.

        Args:
            name: prefix of every child.
            settings: choices of the stack.
            cluster: where it runs.
            protect_data: refuse every plan that deletes or replaces what holds data.
            fs_type: file system of new volumes.
            guarded: whether IRIS is guarded against isolation (components/iris/guard).
            backup: what is uploaded, and when; None: what the program does by itself.
            backup_store: where to; None: nothing leaves the cluster.
            journals: whether there are volumes of journals.
            opts: options of this component.
        """
        super().__init__("ha-iris:storage:Longhorn", name, None, opts)
        backup = backup or BackupSettings()
        child = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        protected = pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(protect=protect_data, retain_on_delete=protect_data)
        )

        metadata: Any = {
            "name": NAMESPACE,
            # Its pods mount host paths and load kernel modules.
            "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
            **encryption.mark(encrypted=settings.encryption.enabled),
        }
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata=metadata,
            opts=pulumi.ResourceOptions.merge(
                protected,
                pulumi.ResourceOptions(
                    depends_on=[*cluster.workloads_after],
                    hooks=encryption.never_changed(f"{name}-encryption"),
                ),
            ),
        )
        before_release: list[pulumi.Resource] = [namespace]
        # A target that somebody set by hand stays, unless the stack file says that there is none.
        target: pulumi.Input[str] | None = None if backup.enabled else ""
        secret = ""
        if backup_store is not None:
            target = backup_store.url
            before_release += backup_store.ready
            if backup_store.credentials:
                secret = BACKUP_SECRET
                credentials = k8s.core.v1.Secret(
                    f"{name}-backup-credentials",
                    metadata={"name": BACKUP_SECRET, "namespace": namespace.metadata["name"]},
                    string_data=pulumi.Output.secret(dict(backup_store.credentials)),
                    opts=child,
                )
                before_release.append(credentials)

        from_folder = "/" in settings.chart
        release = k8s.helm.v3.Release(
            f"{name}-release",
            name="longhorn",
            chart=settings.chart,
            version=None if from_folder else settings.version,
            repository_opts=None if from_folder else {"repo": settings.repository},
            namespace=namespace.metadata["name"],
            values=chart_values(
                settings,
                node_count=cluster.node_count,
                dedicated_disk=cluster.dedicated_disk,
                protect_data=protect_data,
                guarded=guarded,
                backup_target=target,
                backup_secret=secret,
            ),
            max_history=5,
            timeout=900,
            # Removing Longhorn removes every copy of every volume.
            opts=pulumi.ResourceOptions.merge(
                protected,
                pulumi.ResourceOptions(
                    depends_on=before_release, hooks=replicas_told(f"{name}-replicas")
                ),
            ),
        )
        after_release = pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(depends_on=[release])
        )

        parameters = class_parameters(
            settings.replicas, zone_count=cluster.zone_count, fs_type=fs_type
        )
        self.ready = [release]
        self.volume_key = None
        if settings.encryption.enabled:
            key = encryption.volume_key(
                f"{name}-volume",
                settings.encryption,
                namespace=namespace.metadata["name"],
                protect_data=protect_data,
                parent=self,
                opts=child,
            )
            parameters |= encryption.class_parameters(NAMESPACE)
            # A claim waits for the key, and on destroy the volume is closed before the key goes.
            self.volume_key = key.value
            self.ready.append(key.secret)
        storage_class = k8s.storage.v1.StorageClass(
            f"{name}-storage-class",
            metadata={"name": STORAGE_CLASS},
            provisioner=DRIVER,
            allow_volume_expansion=True,
            # While data is protected the volume outlives its claim, whoever deletes that.
            reclaim_policy="Retain" if protect_data else "Delete",
            volume_binding_mode="WaitForFirstConsumer",
            parameters=parameters,
            opts=pulumi.ResourceOptions.merge(
                after_release,
                # Kubernetes forbids to change the policy of a class, and the provider would try.
                # The name is taken until the old class is gone; no volume or claim needs it.
                pulumi.ResourceOptions(
                    replace_on_changes=["reclaimPolicy"], delete_before_replace=True
                ),
            ),
        )
        no_volume_to_a_dead_node(f"{name}-dead-nodes", driver=DRIVER, opts=after_release)
        if guarded:
            peers(f"{name}-peers", opts=after_release)
        self.storage_class, self.class_parameters = STORAGE_CLASS, parameters
        self.ready.append(storage_class)
        # Longhorn makes the BackupTarget itself, from the chart's values, and lets nobody delete
        # it: of its own kinds these alone are the program's.
        for job in recurring_jobs(
            settings.maintenance,
            backup if backup_store is not None else None,
            encrypted=settings.encryption.enabled,
            beside_consistent=cluster.volume_snapshots and backup.snapshots.enabled,
            journals=journals,
        ):
            k8s.apiextensions.CustomResource(
                f"{name}-{job.role}",
                api_version=API_VERSION,
                kind="RecurringJob",
                metadata={"name": job.name, "namespace": namespace.metadata["name"]},
                spec=job.spec(),
                opts=after_release,
            )

        self.snapshot_class = None
        if cluster.volume_snapshots:
            VolumeSnapshotClass(f"{name}-snapshot-class", SNAPSHOT_CLASS, opts=after_release)
            self.snapshot_class = SNAPSHOT_CLASS

        if settings.ui.enabled and settings.ui.load_balancer_source_ranges:
            ui_spec: Any = {
                "type": "LoadBalancer",
                "loadBalancerSourceRanges": [
                    str(network) for network in settings.ui.load_balancer_source_ranges
                ],
                "selector": {"app": "longhorn-ui"},
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            }
            k8s.core.v1.Service(
                f"{name}-ui",
                metadata={
                    "name": "longhorn-ui-public",
                    "namespace": namespace.metadata["name"],
                    # It has no login: never an address of the Internet.
                    "annotations": dict(cluster.load_balancer_annotations["internal"]),
                },
                spec=ui_spec,
                opts=pulumi.ResourceOptions.merge(
                    after_release, replaced_with_its_kind(cluster.load_balancer_annotations)
                ),
            )
        self.register_outputs(
            {"storageClass": self.storage_class, "snapshotClass": self.snapshot_class}
        )
