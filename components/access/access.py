"""The web entrance: a host name with TLS in front of IRIS's web server."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.apiextensions import CustomResource

from components.access.certificates import (
    certificate,
    issuer,
    issuer_kind,
    issuer_reference,
)
from components.access.routes import NAME, gateway, health_check, ingress, routes
from components.access.settings import AccessSettings
from components.cluster import Cluster

LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "ha-iris"}
GATEWAY_API = "gateway.networking.k8s.io/v1"
CERT_MANAGER_API = "cert-manager.io/v1"
SOLVER = {"acme.cert-manager.io/http01-solver": "true"}
"""Label that cert-manager gives to the pods that answer Let's Encrypt (v1.21.2, acme/v1)."""
SOLVER_PORT = 8089


class Access(pulumi.ComponentResource):
    """Gateway and routes, or an Ingress; the certificate, and who issues it.

    It holds no data. Nothing here is waited for: a certificate comes when the name leads here, and
    what the name is to lead to is known after the first ``pulumi up``.
    """

    address_command: str
    """What shows the address that the record in DNS is for."""

    def __init__(
        self,
        name: str,
        settings: AccessSettings,
        *,
        cluster: Cluster,
        namespace: str,
        service: str,
        port: int,
        policies: bool,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the entrance.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack, with a hostname.
            cluster: Where it is.
            namespace: The database's namespace, which exists by then.
            service: Service of the web server there.
            port: Its port.
            policies: Whether NetworkPolicies close that namespace.
            after: What must exist before all of it, and outlive it on destroy.
            opts: Options of this component.
        """
        super().__init__("ha-iris:access:Access", name, None, opts)
        self._namespace = namespace
        self._child = pulumi.ResourceOptions(
            parent=self, provider=cluster.provider, depends_on=[*after]
        )

        if settings.needs_cert_manager():
            self._certify(name, settings, policies=policies)
        if settings.via == "ingress":
            self._ingress(name, settings, service=service, port=port)
        else:
            balancer = cluster.load_balancer_annotations[settings.gateway.address]
            if settings.gateway.name is None:
                self._make(
                    f"{name}-gateway",
                    GATEWAY_API,
                    "Gateway",
                    NAME,
                    gateway(settings, load_balancer=balancer),
                    annotations=settings.gateway.annotations,
                    # Another load balancer, by another controller or of another kind: what was
                    # made for the old one goes first.
                    replaced_with=["spec.gatewayClassName", "spec.infrastructure"],
                )
            for route, spec in routes(settings, service=service, port=port).items():
                role = route.removeprefix(NAME) or "-route"
                self._make(f"{name}{role}", GATEWAY_API, "HTTPRoute", route, spec)
            if settings.is_of_gke():
                self._make(
                    f"{name}-health-check",
                    "networking.gke.io/v1",
                    "HealthCheckPolicy",
                    NAME,
                    health_check(service),
                )
        self.address_command = _address_command(settings, cluster, namespace)
        self.register_outputs({"hostname": settings.hostname})

    def _certify(self, name: str, settings: AccessSettings, *, policies: bool) -> None:
        chosen = settings.certificate.lets_encrypt
        reference = issuer_reference(settings)
        before: list[pulumi.Resource] = []
        if chosen:
            before.append(
                self._make(
                    f"{name}-issuer",
                    CERT_MANAGER_API,
                    issuer_kind(chosen),
                    reference["name"],
                    issuer(settings),
                    namespaced=issuer_kind(chosen) == "Issuer",
                )
            )
        if chosen and chosen.challenge == "http01" and policies:
            # Whoever brings requests to IRIS brings these too, and what a solver answers is no
            # secret.
            spec: Any = {
                "podSelector": {"matchLabels": SOLVER},
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": [{"port": SOLVER_PORT, "protocol": "TCP"}]}],
            }
            k8s.networking.v1.NetworkPolicy(
                f"{name}-solver-network",
                metadata={
                    "name": f"{NAME}-solver",
                    "namespace": self._namespace,
                    "labels": LABELS,
                },
                spec=spec,
                opts=self._child,
            )
        assert settings.hostname
        self._make(
            f"{name}-certificate",
            CERT_MANAGER_API,
            "Certificate",
            NAME,
            certificate(names=[settings.hostname], issuer=reference),
            after=before,
        )

    def _ingress(self, name: str, settings: AccessSettings, *, service: str, port: int) -> None:
        spec: Any = ingress(settings, service=service, port=port)
        k8s.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                "name": NAME,
                "namespace": self._namespace,
                "labels": LABELS,
                "annotations": {
                    # Not every controller writes an address into it.
                    "pulumi.com/skipAwait": "true",
                    **settings.ingress.annotations,
                },
            },
            spec=spec,
            opts=self._child,
        )

    def _make(
        self,
        name: str,
        api_version: str,
        kind: str,
        object_name: str,
        spec: dict[str, Any],
        *,
        annotations: dict[str, str] | None = None,
        namespaced: bool = True,
        after: list[pulumi.Resource] | None = None,
        replaced_with: list[str] | None = None,
    ) -> CustomResource:
        metadata: dict[str, Any] = {"name": object_name, "labels": LABELS}
        if namespaced:
            metadata["namespace"] = self._namespace
        if annotations:
            metadata["annotations"] = annotations
        return CustomResource(
            name,
            api_version=api_version,
            kind=kind,
            metadata=metadata,
            spec=spec,
            opts=pulumi.ResourceOptions.merge(
                self._child,
                pulumi.ResourceOptions(
                    depends_on=after or [],
                    replace_on_changes=replaced_with,
                    delete_before_replace=True if replaced_with else None,
                ),
            ),
        )


def _address_command(settings: AccessSettings, cluster: Cluster, namespace: str) -> str:
    if settings.via == "ingress":
        place, what = namespace, f"ingress {NAME}"
        path = "{.status.loadBalancer.ingress[*]['hostname','ip']}"
    else:
        place = settings.gateway.namespace or namespace
        what = f"gateway.gateway.networking.k8s.io {settings.gateway.name or NAME}"
        path = "{.status.addresses[*].value}"
    command = f'{cluster.kubectl} --namespace {place} get {what} --output jsonpath="{path}"'
    return f"{cluster.save_kubeconfig} && {command}" if cluster.save_kubeconfig else command
