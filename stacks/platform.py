"""Longhorn and IRIS on any cluster: the part that is the same everywhere."""

import re
from collections.abc import Container
from pathlib import Path
from typing import Any

import pulumi

from components.backup.settings import BackupSettings
from components.backup.snapshots import ConsistentSnapshots, Database
from components.cluster import Cluster
from components.fencing.power import MachinePower
from components.fencing.told import tell, with_fallback
from components.iris import Iris, IrisSettings
from components.iris.instances import Reached
from components.iris.pod import SUPERSERVER_PORT, WEB_PORT
from components.iris.service import Entrance
from components.iris.surroundings import Neighbours
from components.longhorn import BackupStore, Longhorn
from components.longhorn.peers import ADDRESS
from stacks import journals
from stacks.entrance import cert_manager, web_entrance
from stacks.fits import moves_when_replaced, tight_fit
from stacks.monitoring import monitoring, read_by_prometheus
from stacks.rehearsals import rehearse
from stacks.settings import StackSettings

PORTAL_PATH = "/csp/sys/UtilHome.csp"


def deploy(
    settings: StackSettings[Any, Any],
    *,
    cluster: Cluster,
    backup_store: BackupStore | None = None,
    power: MachinePower | None = None,
) -> dict[str, pulumi.Input[object]]:
    """Deploy storage and database into a cluster and return the outputs of the stack.

    ``power`` is who switches the nodes' machines, where fencing is on.
    """
    tell(settings.iris, settings.fencing)
    journals.tell(settings.iris, settings.backup, stored=backup_store is not None)
    _warn_of_a_tight_fit(settings)
    storage_class = settings.iris.storage_class
    storage_ready: list[pulumi.Resource] = []
    outputs: dict[str, pulumi.Input[object]] = {}
    snapshot_class: str | None = None
    class_parameters: dict[str, str] | None = None
    if storage_class is None:
        longhorn = Longhorn(
            "longhorn",
            settings.longhorn,
            cluster=cluster,
            protect_data=settings.protect_data,
            fs_type=settings.iris.fs_type,
            guarded=settings.guarded(),
            backup=settings.backup,
            backup_store=backup_store,
            journals=settings.iris.journals.volume_gib is not None,
        )
        _warn_of_what_stays_inside(settings.backup, stored=backup_store is not None)
        storage_class, storage_ready = longhorn.storage_class, longhorn.ready
        class_parameters = longhorn.class_parameters
        if longhorn.volume_key is not None:
            outputs["volumeKey"] = longhorn.volume_key
            if settings.longhorn.encryption.key is None:
                pulumi.log.warn(
                    "Only this stack's state and its cluster have the key of the volumes and of "
                    "their backups: keep a copy elsewhere, `pulumi stack output volumeKey "
                    "--show-secrets` (docs/encryption.md)."
                )
        snapshot_class = longhorn.snapshot_class
        _warn_of_what_is_not_frozen(settings.backup, snapshots=snapshot_class is not None)
    else:
        pulumi.log.warn(
            f"Longhorn is not installed: the database volume is of StorageClass {storage_class}. "
            "Whether it survives the loss of a node or a zone, can be attached elsewhere, grows, "
            "or has snapshots and backups now depends on that class alone, and a pod on a dead "
            "node waits for a person: nothing releases its volume. The isolation guard is off."
        )
    certificates_after = cert_manager(settings.cert_manager, settings.access, cluster=cluster)
    iris = Iris(
        "iris",
        with_fallback(read_by_prometheus(settings), settings.fencing),
        cluster=cluster,
        storage_class=storage_class,
        storage_ready=storage_ready,
        protect_data=settings.protect_data,
        snapshot_class=snapshot_class,
        peers=ADDRESS if settings.guarded() else None,
        class_parameters=class_parameters,
        neighbours=Neighbours(settings.access.requests_from(), certificates_after),
    )
    snapshots = bool(snapshot_class and settings.backup.snapshots.enabled)
    rehearsing = False
    if snapshot_class and snapshots:
        database = Database(
            namespace=iris.namespace,
            pods=iris.pods,
            hosts=iris.hosts,
            running=iris,
            time_zone=settings.iris.time_zone,
            closed=_is_closed(settings.iris),
        )
        ConsistentSnapshots(
            "snapshots",
            settings.backup.snapshots,
            cluster=cluster,
            database=database,
            snapshot_class=snapshot_class,
            upload=backup_store is not None,
        )
        rehearsing = rehearse(
            settings,
            cluster=cluster,
            database=database,
            class_parameters=class_parameters or {},
            from_store=backup_store is not None,
        )
    monitoring(
        settings,
        cluster=cluster,
        iris=iris,
        snapshots=snapshots,
        stored=backup_store is not None,
        rehearsing=rehearsing,
    )
    if power is not None:
        _fence(settings, cluster=cluster, iris=iris, power=power)
    outputs |= {
        "clusterName": cluster.name,
        "namespace": iris.namespace,
        "username": iris.username,
        "password": iris.password,
        "storageClass": storage_class,
        "kubeconfig": cluster.kubeconfig,
        **_ways_in(cluster, iris, iris.instances[0]),
    }
    if len(iris.instances) > 1:
        outputs["instances"] = {
            one.instance.service: _ways_in(cluster, iris, one) for one in iris.instances
        }
    if settings.access.hostname:
        outputs.pop("webPortForwardCommand", None)
        scheme = "https" if settings.access.has_tls() else "http"
        outputs["portalUrl"] = f"{scheme}://{settings.access.hostname}{PORTAL_PATH}"
        outputs |= web_entrance(
            settings.access,
            iris=iris,
            cluster=cluster,
            policies=settings.iris.network_policy.enabled,
            after=certificates_after,
        )
    outputs["readme"] = readme(outputs)
    return outputs


def _fence(
    settings: StackSettings[Any, Any], *, cluster: Cluster, iris: Iris, power: MachinePower
) -> None:
    # Not imported where it is not wanted.
    from components.fencing.fencing import Database, Fencing

    Fencing(
        "fencing",
        settings.fencing,
        cluster=cluster,
        database=Database(iris.namespace, iris.members, iris),
        power=power,
        longhorn=settings.iris.storage_class is None,
        read_from=(
            settings.monitoring.prometheus_namespace if settings.monitoring.enabled else None
        ),
    )


def readme(outputs: Container[str]) -> str:
    """What the stack's page shows; a line about an output that the stack lacks is left out."""
    lines = Path("Pulumi.README.md").read_text().splitlines(keepends=True)
    named = r"\$\{outputs\.(\w+)\}"
    return "".join(
        line for line in lines if all(name in outputs for name in re.findall(named, line))
    )


def _ways_in(cluster: Cluster, iris: Iris, to: Reached) -> dict[str, pulumi.Input[object]]:
    """Outputs that say how to reach one database."""
    # Forwarded side by side, each instance has local ports of its own.
    shift = to.instance.ordinal or 0
    outputs: dict[str, pulumi.Input[object]] = {
        "sqlEndpoint": pulumi.Output.concat(to.superserver.address, f":{SUPERSERVER_PORT}"),
    }
    ports = [SUPERSERVER_PORT]
    if to.web is to.superserver:
        ports.insert(0, WEB_PORT)
    elif to.web and to.web.inside_only:
        outputs["webPortForwardCommand"] = _port_forward(cluster, iris, to.web, [WEB_PORT], shift)
    if to.web:
        web_port = WEB_PORT + (shift if to.web.inside_only else 0)
        outputs["portalUrl"] = pulumi.Output.concat(
            "http://", to.web.host(), f":{web_port}{PORTAL_PATH}"
        )
    if to.superserver.inside_only:
        outputs["portForwardCommand"] = _port_forward(cluster, iris, to.superserver, ports, shift)
    return outputs


def _port_forward(
    cluster: Cluster, iris: Iris, entrance: Entrance, ports: list[int], shift: int
) -> str:
    forwarded = [f"{port + shift}:{port}" if shift else str(port) for port in ports]
    command = (
        f"{cluster.kubectl} --namespace {iris.namespace} port-forward "
        f"service/{entrance.service} {' '.join(forwarded)}"
    )
    return f"{cluster.save_kubeconfig} && {command}" if cluster.save_kubeconfig else command


def _is_closed(iris: IrisSettings) -> bool:
    """Whether pods of the database's namespace reach nobody who is not named."""
    return iris.network_policy.enabled and iris.network_policy.egress is not None


def _warn_of_what_is_not_frozen(backup: BackupSettings, *, snapshots: bool) -> None:
    """Without a freeze IRIS recovers from a backup as from a power failure."""
    if not backup.snapshots.enabled:
        why = "ha-iris:backup.snapshots.enabled is false"
    elif not snapshots:
        why = "the cluster has no volume snapshots (ha-iris:cluster.volumeSnapshots)"
    else:
        return
    pulumi.log.warn(
        f"No snapshot is taken while IRIS is frozen: {why}. What is uploaded is what a power "
        "failure would have left, and several volumes of one IRIS do not fit together "
        "(docs/backup.md)."
    )


def _warn_of_what_stays_inside(backup: BackupSettings, *, stored: bool) -> None:
    """Copies that replicate also replicate a mistake."""
    if not stored:
        pulumi.log.warn(
            "Nothing leaves the cluster: there is no store for backups. Longhorn's copies follow "
            "every deletion and every mistake within milliseconds, and are gone with the cluster "
            "(ha-iris:backup, docs/backup-store.md)."
        )
    elif not backup.uploads.enabled:
        pulumi.log.warn(
            "ha-iris:backup.uploads.enabled is false: Longhorn uploads no backup by itself, and "
            "the store stays empty unless somebody else fills it (docs/backup-store.md)."
        )


def _warn_of_a_tight_fit(settings: StackSettings[Any, Any]) -> None:
    """What is no fault, and what a person would rather know before the first bad day."""
    iris, cluster = settings.iris, settings.cluster
    if iris.wants_guard() and not settings.guarded():
        pulumi.log.info(
            "The isolation guard is off: of this volume one copy is kept, so there is none that "
            "could go on alone."
        )
    if iris.form == "operator" and settings.longhorn.replicas > 1 and not iris.storage_class:
        pulumi.log.warn(
            "No isolation guard runs in the operator's pods: on a node that is cut off IRIS may go "
            "on and confirm what is thrown away later (docs/isolation.md)."
        )
    if told := moves_when_replaced(iris, cluster):
        pulumi.log.info(told)
    for line in tight_fit(iris, cluster, settings.backup):
        pulumi.log.warn(line)
