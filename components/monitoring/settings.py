"""What a stack may choose about being watched."""

from typing import Annotated

from pydantic import Field, StringConstraints

from components.settings import KubernetesName, Settings

LabelKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=317
    ),
]
LabelValue = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$", max_length=63)
]


class MonitoringSettings(Settings):
    """Objects for the Prometheus Operator and for Grafana; neither is installed by this program."""

    enabled: bool = False
    """Make them. The cluster must know the kinds of monitoring.coreos.com/v1."""

    prometheus_namespace: KubernetesName = "monitoring"
    """Namespace of Prometheus, which the network policies then let read /api/monitor.

    A policy knows no paths: pods of that namespace reach the whole web server.
    """

    labels: dict[LabelKey, LabelValue] = Field(default={})
    """Labels by which a Prometheus finds its monitors and rules, as in release: prometheus.

    kube-prometheus-stack looks for the name of its Helm release unless it is told otherwise.
    """

    scrape_seconds: int = Field(default=30, ge=10, le=300)
    """Between two readings. IRIS gathers its metrics anew for each."""

    credentials_secret: KubernetesName | None = None
    """Secret in the namespace of IRIS whose username and password open /api/monitor.

    For an IRIS in which that application asks for a login; without it, nobody logs in.
    """

    dashboards: bool = True
    """Two dashboards in ConfigMaps that Grafana's sidecar finds by their label."""

    runbooks: str = Field(default="docs/runbooks.md", pattern=r"^\S+$")
    """Where runbook_url of each alert leads: the address of docs/runbooks.md as your team reads it.

    The default is its path in this repository, which an alert shows and nobody can click.
    """
