"""Where the control plane of an AKS cluster writes down what it did."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import monitor, operationalinsights

CATEGORIES = (
    "kube-apiserver",
    # kube-audit as well would hold every read, at many times the price.
    "kube-audit-admin",
    "kube-controller-manager",
    "kube-scheduler",
    "cloud-controller-manager",
    "guard",
)
"""Resource logs of a managed cluster (AKS, monitoring data reference)."""


class AksLogs(pulumi.ComponentResource):
    """A Log Analytics workspace that the control plane's logs go to."""

    def __init__(
        self,
        name: str,
        *,
        cluster_id: pulumi.Input[str],
        cluster_name: str,
        resource_group: pulumi.Input[str],
        location: str,
        retention_days: int,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:AksLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        workspace = operationalinsights.Workspace(
            f"{name}-workspace",
            workspace_name=f"{cluster_name}-logs",
            resource_group_name=resource_group,
            location=location,
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            retention_in_days=retention_days,
            tags=tags,
            opts=child,
        )
        # Azure keeps the setting of a cluster that is gone and applies it to the next one of that
        # name, so it is deleted by itself and not along with the cluster.
        monitor.DiagnosticSetting(
            f"{name}-setting",
            name="control-plane",
            resource_uri=cluster_id,
            workspace_id=workspace.id,
            # A table for each log, cheaper to keep than the one that all services share.
            log_analytics_destination_type="Dedicated",
            logs=[
                monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True)
                for category in CATEGORIES
            ],
            opts=child,
        )
        self.register_outputs({})
