"""Objects for the Prometheus Operator and for Grafana, in the namespace of IRIS."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.monitoring.dashboards import dashboards
from components.monitoring.definitions import VERSION, asked_before_the_first
from components.monitoring.monitors import (
    Read,
    cert_manager_monitor,
    fencing_monitor,
    longhorn_monitor,
    pod_monitor,
)
from components.monitoring.rules import Watched, rule_files
from components.monitoring.settings import MonitoringSettings

LABELS = {"app.kubernetes.io/name": "ha-iris-monitoring", "app.kubernetes.io/part-of": "ha-iris"}


class Monitoring(pulumi.ComponentResource):
    """Monitors, rules and dashboards. They hold no data: `pulumi up` makes them again."""

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        *,
        cluster: Cluster,
        namespace: pulumi.Input[str],
        watched: Watched,
        databases: Sequence[Read],
        cert_manager: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make them.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            cluster: Where they are.
            namespace: That of IRIS, from the resource, so that it exists by then.
            watched: What the rules are about.
            databases: Where the metrics of each IRIS are read.
            cert_manager: Namespace of cert-manager, read where a certificate is watched.
            opts: Options of this component.
        """
        super().__init__("ha-iris:monitoring:Monitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        labels = {**LABELS, **settings.labels}

        def made(kind: str, role: str, spec: Any, opts: pulumi.ResourceOptions) -> pulumi.Resource:
            return k8s.apiextensions.CustomResource(
                f"{name}-{role}",
                api_version=VERSION,
                kind=kind,
                metadata={
                    "name": f"ha-iris-{role}",
                    "namespace": namespace,
                    "labels": labels,
                },
                spec=spec,
                opts=opts,
            )

        one, *others = databases
        first = made(
            "PodMonitor",
            one.name,
            pod_monitor(settings, one),
            pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    hooks=asked_before_the_first(f"{name}-kinds", cluster.kubeconfig)
                ),
            ),
        )
        # The cluster is asked once, and refuses once.
        then = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[first]))
        for other in others:
            made("PodMonitor", other.name, pod_monitor(settings, other), then)
        if watched.longhorn_namespace:
            spec = longhorn_monitor(settings, watched.longhorn_namespace)
            made("ServiceMonitor", "longhorn", spec, then)
        if watched.certificates:
            spec = cert_manager_monitor(settings, cert_manager)
            made("PodMonitor", "cert-manager", spec, then)
        if watched.fenced:
            made("PodMonitor", "fencing", fencing_monitor(settings), then)
        for subject, rules in rule_files(watched).items():
            made("PrometheusRule", f"{subject}-rules", rules, then)
        if settings.dashboards:
            shown = dashboards(watched.namespace, longhorn=watched.longhorn_namespace is not None)
            for file, text in shown.items():
                role = file.removeprefix(f"ha-iris-{watched.namespace}-").removesuffix(".json")
                k8s.core.v1.ConfigMap(
                    f"{name}-{role}-dashboard",
                    metadata={
                        "name": f"ha-iris-{role}-dashboard",
                        "namespace": namespace,
                        # What the sidecar of Grafana's own chart looks for.
                        "labels": {**LABELS, "grafana_dashboard": "1"},
                    },
                    data={file: text},
                    opts=then,
                )
        self.register_outputs({})
