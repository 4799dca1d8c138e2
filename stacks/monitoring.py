"""How a stack's IRIS and Longhorn are watched."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pulumi

from components.access.routes import NAME as ENTRANCE
from components.backup.settings import BackupSettings
from components.capacity.disk import disk_shares
from components.cluster import Cluster
from components.cron import longest_gap_minutes, old_after_seconds
from components.iris import Iris, IrisSettings
from components.iris.gateway.pod import labels_of
from components.iris.image import licence_ends
from components.iris.instances import Reached
from components.iris.network_settings import Peer
from components.iris.pod import WEB_PORT
from components.iris.tls import certificates
from components.iris.volumes import claims_in_use
from components.longhorn.longhorn import NAMESPACE as LONGHORN
from stacks.settings import StackSettings

if TYPE_CHECKING:
    from components.monitoring.monitors import Read


def read_by_prometheus(settings: StackSettings[Any, Any]) -> IrisSettings:
    """The settings of IRIS, with a door for Prometheus where its metrics are wanted."""
    if not settings.monitoring.enabled:
        return settings.iris
    policy = settings.iris.network_policy
    reader = Peer(namespace=settings.monitoring.prometheus_namespace)
    opened = policy.model_copy(update={"metrics": (*policy.metrics, reader)})
    return settings.iris.model_copy(update={"network_policy": opened})


def monitoring(
    settings: StackSettings[Any, Any],
    *,
    cluster: Cluster,
    iris: Iris,
    snapshots: bool,
    stored: bool,
    rehearsing: bool,
) -> None:
    """Make what watches them, if it is wanted.

    Args:
        settings: choices of the stack.
        cluster: where they run.
        iris: the database.
        snapshots: whether a frozen database is snapshotted by schedule.
        stored: whether there is a store outside the cluster.
        rehearsing: whether restores are rehearsed.
    """
    if not settings.monitoring.enabled:
        return
    # What a stack does not use it does not import.
    from components.monitoring.monitoring import Monitoring
    from components.monitoring.rules import Watched

    if settings.monitoring.runbooks == type(settings.monitoring)().runbooks:
        pulumi.log.info(
            "Alerts will show docs/runbooks.md as their runbook_url; ha-iris:monitoring.runbooks "
            "makes it an address that can be clicked."
        )
    of, backup = settings.iris, settings.backup
    frozen = [backup.snapshots.schedule] if snapshots else []
    entrance = [ENTRANCE] if settings.access.needs_cert_manager() else []
    uploaded = [*_uploads(backup, snapshots=snapshots)] if stored else []
    Monitoring(
        "monitoring",
        settings.monitoring,
        cluster=cluster,
        namespace=iris.here,
        watched=Watched(
            namespace=of.namespace,
            instances=len(iris.instances),
            hung_seconds=of.hung_seconds,
            longhorn_namespace=LONGHORN if of.storage_class is None else None,
            kept_free_percent=disk_shares(dedicated=cluster.dedicated_disk).kept_free,
            community_ends=licence_ends(of.product()),
            backup_old_seconds=old_after_seconds(frozen),
            upload_old_seconds=old_after_seconds(uploaded),
            guarded=settings.guarded(),
            certificates=(*entrance, *certificates(of.tls)),
            runbooks=settings.monitoring.runbooks,
            rehearsal_days=settings.backup.rehearsal.alert_after_days if rehearsing else None,
            journals=tuple(_journals(of)) if stored and backup.journals.enabled else (),
            journals_old_seconds=60 * longest_gap_minutes(backup.journals.schedule) + 3600,
            fenced=settings.fencing.enabled,
        ),
        cert_manager=settings.cert_manager.namespace,
        databases=[_read(one, namespace=of.namespace) for one in iris.instances],
    )


def _read(database: Reached, *, namespace: str) -> "Read":
    from components.monitoring.monitors import Read

    of, web = database.instance, database.web
    assert web, "a stack file whose metrics nobody answers for is refused"
    itself = web is database.superserver
    return Read(
        name="iris" if of.ordinal is None else f"iris-{of.ordinal}",
        pods=of.pods if itself else of.gateways or labels_of(of.service),
        gateway=None if itself else f"{web.service}.{namespace}.svc:{WEB_PORT}",
        # The program's own gateways do, whoever runs the database.
        named_ports=of.named_ports or not (itself or of.gateways),
    )


def _journals(iris: IrisSettings) -> Iterator[str]:
    """Claims of the volumes that nothing but journals is on."""
    return (claim for claim, volume in claims_in_use(iris).items() if volume.holds == "journals")


def _uploads(backup: BackupSettings, *, snapshots: bool) -> Iterator[str]:
    """Schedules by which anything of the database goes to a store."""
    if snapshots:
        yield backup.snapshots.schedule
    if backup.uploads.enabled:
        yield backup.uploads.when(beside_consistent=snapshots)
