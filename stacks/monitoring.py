"""How a stack's IRIS and Longhorn are watched."""

from typing import Any

import pulumi

from components.capacity import disk_shares
from components.cluster import Cluster
from components.iris import Iris, IrisSettings
from components.iris.gateway.pod import LABELS as GATEWAYS
from components.iris.image import licence_ends
from components.iris.network_settings import Peer
from components.iris.pod import LABELS, WEB_PORT
from components.longhorn.longhorn import NAMESPACE as LONGHORN
from stacks.settings import StackSettings


def read_by_prometheus(settings: StackSettings[Any, Any]) -> IrisSettings:
    """The settings of IRIS, with a door for Prometheus where its metrics are wanted."""
    if not settings.monitoring.enabled:
        return settings.iris
    policy = settings.iris.network_policy
    reader = Peer(namespace=settings.monitoring.prometheus_namespace)
    opened = policy.model_copy(update={"metrics": (*policy.metrics, reader)})
    return settings.iris.model_copy(update={"network_policy": opened})


def monitoring(settings: StackSettings[Any, Any], *, cluster: Cluster, iris: Iris) -> None:
    """Make what watches them, if it is wanted."""
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
    of = settings.iris
    gateway = None if of.offers_portal() or iris.web is None else iris.web.service
    Monitoring(
        "monitoring",
        settings.monitoring,
        cluster=cluster,
        namespace=iris.here,
        watched=Watched(
            namespace=of.namespace,
            hung_seconds=of.hung_seconds,
            longhorn_namespace=LONGHORN if of.storage_class is None else None,
            kept_free_percent=disk_shares(dedicated=cluster.dedicated_disk).kept_free,
            community_ends=licence_ends(of.product()),
            runbooks=settings.monitoring.runbooks,
        ),
        web_pods=GATEWAYS if gateway else LABELS,
        gateway=f"{gateway}.{of.namespace}.svc:{WEB_PORT}" if gateway else None,
    )
