"""Objects for the Prometheus Operator and for Grafana, in the namespace of IRIS."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.monitoring.dashboards import dashboards
from components.monitoring.definitions import VERSION, asked_before_the_first
from components.monitoring.monitors import (
    cert_manager_monitor,
    gateway_monitor,
    iris_pod_monitor,
    longhorn_monitor,
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
        web_pods: Mapping[str, str],
        gateway: str | None,
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
            web_pods: Labels of the pods whose port ``webserver`` gives IRIS's metrics.
            gateway: Host and port of the Service in front of them, where they are web gateways;
                None: they are IRIS itself.
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

        first = made(
            "PodMonitor",
            "iris",
            gateway_monitor(settings, web_pods, address=gateway)
            if gateway
            else iris_pod_monitor(settings, web_pods),
            pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    hooks=asked_before_the_first(f"{name}-kinds", cluster.kubeconfig)
                ),
            ),
        )
        # The cluster is asked once, and refuses once.
        then = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[first]))
        if watched.longhorn_namespace:
            spec = longhorn_monitor(settings, watched.longhorn_namespace)
            made("ServiceMonitor", "longhorn", spec, then)
        if watched.certificates:
            spec = cert_manager_monitor(settings, cert_manager)
            made("PodMonitor", "cert-manager", spec, then)
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
