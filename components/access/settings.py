"""What a stack may choose about the web entrance."""

from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from components.access.certificate_settings import CertificateSettings
from components.access.gateway_settings import GatewaySettings
from components.iris.network_settings import Peer
from components.settings import AnnotationKey, Hostname, KubernetesName, Settings

GKE_CLASSES = "gke-l7-"
"""How the names of GKE's own GatewayClasses begin."""
GKE_PROXIES = ("130.211.0.0/22", "35.191.0.0/16")
"""Networks that Google's load balancers and their health checks come from (GKE, Firewall rules)."""

Group = TypeVar("Group")


class IngressSettings(Settings):
    """An Ingress for a controller that the cluster has."""

    class_name: KubernetesName | None = None
    """IngressClass, as `kubectl get ingressclass` names it."""

    annotations: dict[AnnotationKey, str] = Field(default={})
    """Annotations of the Ingress: redirects, sticky sessions and networks are the controller's."""


class AccessSettings(Settings):
    """A host name for portal, REST and web applications. Without one nothing of this is made."""

    hostname: Hostname | None = None
    """Name of the web entrance in your DNS, such as iris.example.org."""

    via: Literal["gateway", "ingress"] = "gateway"
    """gateway: Gateway API (HTTPRoute). ingress: an Ingress."""

    gateway: GatewaySettings = Field(default=GatewaySettings(), validate_default=True)
    """The Gateway, where via is gateway."""

    ingress: IngressSettings = Field(default=IngressSettings(), validate_default=True)
    """The Ingress, where via is ingress."""

    certificate: CertificateSettings = Field(default=CertificateSettings(), validate_default=True)
    """Where the certificate comes from."""

    paths: tuple[Annotated[str, Field(pattern=r"^/([A-Za-z0-9%._~-]+/?)*$")], ...] = Field(
        default=("/csp",), min_length=1, max_length=64
    )
    """Beginnings of the paths that are let through; others end at the entrance.

    /csp is the Management Portal and what else is there. "/" lets everything through, and with it
    /api/monitor, which asks for no login.
    """

    controllers: tuple[Peer, ...] = Field(default=(), validate_default=True)
    """Where requests come from: the pods of the Gateway's or Ingress's controller, or networks.

    The NetworkPolicies let these in to the web server. On GKE with a class gke-l7-... Google's own
    networks are let in beside them.
    """

    @field_validator("gateway")
    @classmethod
    def _is_one_gateway(cls, gateway: GatewaySettings, info: ValidationInfo) -> GatewaySettings:
        if info.data.get("hostname") is None or "via" not in info.data:
            return _unused(gateway, "gateway", info)
        if info.data["via"] == "ingress":
            if gateway.model_fields_set:
                raise ValueError(
                    "via is ingress, and an entrance is one or the other; drop gateway, or set "
                    "via to gateway"
                )
            return gateway
        gateway.check()
        return gateway

    @field_validator("ingress")
    @classmethod
    def _is_one_ingress(cls, ingress: IngressSettings, info: ValidationInfo) -> IngressSettings:
        if info.data.get("hostname") is None or "via" not in info.data:
            return _unused(ingress, "ingress", info)
        if info.data["via"] == "gateway" and ingress.model_fields_set:
            raise ValueError(
                "via is gateway, and an entrance is one or the other; drop ingress, or set via to "
                "ingress"
            )
        if info.data["via"] == "ingress" and ingress.class_name is None:
            raise ValueError(
                "className is missing: without one, whichever controller is the cluster's default "
                "takes the Ingress, or none; set it to one of `kubectl get ingressclass`"
            )
        return ingress

    @field_validator("certificate")
    @classmethod
    def _can_be_had(
        cls, certificate: CertificateSettings, info: ValidationInfo
    ) -> CertificateSettings:
        hostname, gateway = info.data.get("hostname"), info.data.get("gateway")
        if hostname is None or "via" not in info.data:
            return _unused(certificate, "certificate", info)
        if gateway is None:
            return certificate
        given = info.data["via"] == "gateway" and gateway.name is not None
        certificate.check(hostname, given_gateway=given)
        return certificate

    @field_validator("controllers")
    @classmethod
    def _are_of_an_entrance(cls, peers: tuple[Peer, ...], info: ValidationInfo) -> tuple[Peer, ...]:
        return _unused(peers, "controllers", info) if info.data.get("hostname") is None else peers

    def requests_from(self) -> tuple[Peer, ...]:
        """Who brings requests to the web server; empty where there is no entrance."""
        if self.hostname is None:
            return ()
        of_google = GKE_PROXIES if self.is_of_gke() else ()
        return (*self.controllers, *(Peer.model_validate({"cidr": cidr}) for cidr in of_google))

    def is_of_gke(self) -> bool:
        """Whether Google's own Gateway controller makes the load balancer."""
        return (self.gateway.class_name or "").startswith(GKE_CLASSES)

    def comes_from_proxies(self) -> bool:
        """Whether a load balancer of Google's comes from a subnet of the network (regional)."""
        name = self.gateway.class_name or ""
        return self.is_of_gke() and "global-external" not in name and "gxlb" not in name

    def needs_the_internet(self) -> bool:
        """Whether Let's Encrypt has to reach the Gateway."""
        chosen = self.certificate.lets_encrypt
        return self.via == "gateway" and chosen is not None and chosen.challenge == "http01"

    def needs_cert_manager(self) -> bool:
        """Whether cert-manager has to get the certificate."""
        return self.hostname is not None and self.certificate.source in ("letsEncrypt", "issuer")

    def has_tls(self) -> bool:
        """Whether clients come by https."""
        return self.certificate.source != "none"

    def opens_monitor(self) -> bool:
        """Whether /api/monitor is reached through the entrance. IRIS's names have no case."""
        return any("/api/monitor".startswith(path.lower().rstrip("/")) for path in self.paths)


def _unused(group: Group, key: str, info: ValidationInfo) -> Group:
    set_here = getattr(group, "model_fields_set", group)
    if set_here and "hostname" in info.data:
        raise ValueError(f"there is no entrance without a name; set hostname, or drop {key}")
    return group
