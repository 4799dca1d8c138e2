"""What Prometheus reads, as plain data: no Pulumi resource is made here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.iris.pod import WEB_PORT
from components.monitoring.settings import MonitoringSettings

METRICS_PATH = "/api/monitor/metrics"

JOB = "ha-iris"
"""Label job of everything that IRIS itself tells, by which the rules know it."""

FENCING_JOB = "ha-iris-fencing"
"""Label job of what the fencing agents tell."""

MANAGERS = {"app": "longhorn-manager"}
"""Labels of Longhorn's Service longhorn-backend and of its pods (chart 1.12.1)."""

CERT_MANAGER = {
    "app.kubernetes.io/name": "cert-manager",
    "app.kubernetes.io/component": "controller",
}
"""Labels of cert-manager's controller, from its chart or its manifests (v1.21.2)."""


@dataclass(frozen=True)
class Read:
    """A database, and where its metrics are read."""

    name: str
    """Of its PodMonitor."""

    pods: Mapping[str, str]
    """Labels of the pods that answer: IRIS itself, or its web gateways."""

    gateway: str | None
    """Host and port of the Service in front of web gateways; None: the pods are IRIS itself."""

    named_ports: bool
    """Whether the containers call their port webserver."""


def pod_monitor(settings: MonitoringSettings, read: Read) -> dict[str, Any]:
    """Spec of the PodMonitor of one database."""
    endpoint = _of_iris(settings)
    if not read.named_ports:
        # Without a name Prometheus gets every port of a pod, of which we keep one below.
        del endpoint["port"]
    if read.gateway:
        endpoint["relabelings"] += _through(read.gateway)
    elif not read.named_ports:
        endpoint["relabelings"] += _AT_THE_POD
    return {"selector": {"matchLabels": dict(read.pods)}, "podMetricsEndpoints": [endpoint]}


_AT_THE_POD: list[dict[str, Any]] = [
    {
        "sourceLabels": ["__meta_kubernetes_pod_ip"],
        "targetLabel": "__address__",
        "replacement": f"$1:{WEB_PORT}",
    },
    {
        "sourceLabels": ["__meta_kubernetes_pod_ip"],
        "targetLabel": "instance",
        "replacement": f"$1:{WEB_PORT}",
    },
    {"action": "labeldrop", "regex": "container"},
]
"""Whatever ports a pod tells of: the same target to Prometheus, which reads equal ones once."""


def _through(address: str) -> list[dict[str, Any]]:
    """Relabelings that read IRIS through the Service of its gateways, once.

    Each gateway would bring the same figures, and IRIS works out what is per second between one
    reading and the next. Without the labels that tell gateways apart, and at one address, their
    targets are the same to Prometheus, which reads equal targets once.
    """
    return [
        {"targetLabel": "__address__", "replacement": address},
        {"targetLabel": "instance", "replacement": address},
        {"action": "labeldrop", "regex": "pod|container|node"},
    ]


def longhorn_monitor(settings: MonitoringSettings, namespace: str) -> dict[str, Any]:
    """Spec of a ServiceMonitor that reads each of Longhorn's managers."""
    return {
        "selector": {"matchLabels": MANAGERS},
        "namespaceSelector": {"matchNames": [namespace]},
        # Of the Services with these labels only longhorn-backend has a port of that name.
        "endpoints": [{"port": "manager", "path": "/metrics", **_times(settings)}],
    }


def cert_manager_monitor(settings: MonitoringSettings, namespace: str) -> dict[str, Any]:
    """Spec of a PodMonitor that reads the days of certificates at cert-manager's controller.

    Label ``namespace`` stays that of the certificate.
    """
    return {
        "selector": {"matchLabels": CERT_MANAGER},
        "namespaceSelector": {"matchNames": [namespace]},
        "podMetricsEndpoints": [
            {"port": "http-metrics", "path": "/metrics", "honorLabels": True, **_times(settings)}
        ],
    }


def fencing_monitor(settings: MonitoringSettings) -> dict[str, Any]:
    """Spec of a PodMonitor that reads both fencing agents."""
    from components.fencing.pod import LABELS
    from components.fencing.power import NAMESPACE

    job = {"targetLabel": "job", "replacement": FENCING_JOB}
    return {
        "selector": {"matchLabels": LABELS},
        "namespaceSelector": {"matchNames": [NAMESPACE]},
        "podMetricsEndpoints": [
            {"port": "metrics", "path": "/metrics", **_times(settings), "relabelings": [job]}
        ],
    }


def _of_iris(settings: MonitoringSettings) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "port": "webserver",
        "path": METRICS_PATH,
        **_times(settings),
        "relabelings": [{"targetLabel": "job", "replacement": JOB}],
    }
    if name := settings.credentials_secret:
        endpoint["basicAuth"] = {
            key: {"name": name, "key": key} for key in ("username", "password")
        }
    return endpoint


def _times(settings: MonitoringSettings) -> dict[str, str]:
    return {
        "interval": f"{settings.scrape_seconds}s",
        "scrapeTimeout": f"{min(settings.scrape_seconds, 20)}s",
    }
