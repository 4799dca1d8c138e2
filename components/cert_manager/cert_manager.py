"""cert-manager, installed by its own Helm chart."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cert_manager.settings import CertManagerSettings
from components.cluster import Cluster


class CertManager(pulumi.ComponentResource):
    """cert-manager in a namespace of its own.

    Its kinds (Certificate, Issuer, ...) stay in the cluster when it is removed: with a kind go all
    its objects, also those of others.
    """

    ready: list[pulumi.Resource]
    """What every Issuer and Certificate must wait for, and what must outlive them on destroy."""

    def __init__(
        self,
        name: str,
        settings: CertManagerSettings,
        *,
        cluster: Cluster,
        gateway_api: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Install it.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            cluster: Where it runs.
            gateway_api: Whether the cluster has the kinds of Gateway API, without which
                cert-manager would not start with their support.
            opts: Options of this component.
        """
        super().__init__("ha-iris:access:CertManager", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": settings.namespace,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[*cluster.workloads_after])
            ),
        )
        from_folder = "/" in settings.chart
        # Its last hook, a Job, ends once the webhook answers: whoever waits for the release may
        # create an Issuer.
        release = k8s.helm.v3.Release(
            f"{name}-release",
            name="cert-manager",
            chart=settings.chart,
            version=None if from_folder else settings.version,
            repository_opts=None if from_folder else {"repo": settings.repository},
            namespace=namespace.metadata["name"],
            values=chart_values(settings, gateway_api=gateway_api),
            max_history=5,
            timeout=600,
            opts=child,
        )
        self.ready = [release]
        self.register_outputs({"namespace": settings.namespace})


def chart_values(settings: CertManagerSettings, *, gateway_api: bool) -> dict[str, Any]:
    """Values of the chart (cert-manager v1.21.2, deploy/charts/cert-manager/values.yaml)."""
    values: dict[str, Any] = {
        "crds": {"enabled": True, "keep": True},
        # A certificate is renewed weeks before its end, so one controller that a dead node takes
        # along has time to start elsewhere. The webhook answers whoever changes an Issuer.
        "replicaCount": 1,
        "serviceAccount": {"annotations": dict(settings.service_account_annotations)},
        "podLabels": dict(settings.pod_labels),
    }
    if gateway_api:
        values["config"] = {"gatewayAPI": {"enabled": True}}
    if settings.image_registry:
        values["imageRegistry"] = settings.image_registry
    return values
