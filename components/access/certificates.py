"""Issuers and Certificates of cert-manager, as plain data: no resource is made here."""

from collections.abc import Sequence
from typing import Any

from components.access.certificate_settings import LetsEncryptSettings
from components.access.routes import NAME, TLS_SECRET
from components.access.settings import AccessSettings

SERVERS = {
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "production": "https://acme-v02.api.letsencrypt.org/directory",
}
"""Let's Encrypt's directories (letsencrypt.org/docs/staging-environment)."""


def issuer_reference(settings: AccessSettings) -> dict[str, str]:
    """The issuer that the entrance's Certificate names."""
    certificate = settings.certificate
    if certificate.issuer:
        return {"kind": certificate.issuer.kind, "name": certificate.issuer.name}
    assert certificate.lets_encrypt
    # With the environment in its name: a Certificate is issued anew when it names another issuer,
    # and not when that issuer turns to another server.
    name = f"iris-letsencrypt-{certificate.lets_encrypt.environment}"
    return {"kind": issuer_kind(certificate.lets_encrypt), "name": name}


def issuer_kind(chosen: LetsEncryptSettings) -> str:
    """cert-manager lends the identity of its own pod to ClusterIssuers alone (ambient)."""
    return "ClusterIssuer" if chosen.challenge == "dns01" else "Issuer"


def issuer(settings: AccessSettings) -> dict[str, Any]:
    """Spec of the issuer for Let's Encrypt."""
    chosen = settings.certificate.lets_encrypt
    assert chosen
    return {
        "acme": {
            "email": chosen.email,
            "server": SERVERS[chosen.environment],
            "privateKeySecretRef": {"name": f"iris-letsencrypt-{chosen.environment}-account"},
            "solvers": [_http01(settings) if chosen.challenge == "http01" else _dns01(chosen)],
        }
    }


def _http01(settings: AccessSettings) -> dict[str, Any]:
    if settings.via == "ingress":
        by_ingress = {"ingressClassName": settings.ingress.class_name, "serviceType": "ClusterIP"}
        return {"http01": {"ingress": by_ingress}}
    parent = {"kind": "Gateway", "name": NAME, "sectionName": "http"}
    return {
        "http01": {"gatewayHTTPRoute": {"parentRefs": [parent], "serviceType": "ClusterIP"}},
    }


def _dns01(chosen: LetsEncryptSettings) -> dict[str, Any]:
    provider: dict[str, Any] = {}
    if zone := chosen.route53:
        provider["route53"] = _without_none(
            {"region": zone.region, "hostedZoneID": zone.hosted_zone_id, "role": zone.role}
        )
    if zone := chosen.azure_dns:
        provider["azureDNS"] = {
            "subscriptionID": zone.subscription_id,
            "resourceGroupName": zone.resource_group,
            "hostedZoneName": zone.zone,
            "managedIdentity": {"clientID": zone.client_id},
        }
    if zone := chosen.cloud_dns:
        provider["cloudDNS"] = _without_none({"project": zone.project, "hostedZoneName": zone.zone})
    return {"dns01": provider}


def _without_none(entries: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if value is not None}


def certificate(
    *,
    secret: str = TLS_SECRET,
    names: Sequence[str],
    issuer: dict[str, str],
) -> dict[str, Any]:
    """Spec of a Certificate for servers.

    Its Secret stays when it is deleted (cert-manager, enableCertificateOwnerRef), so that the next
    one of the same name takes it up and asks nobody for another.
    """
    return {
        "secretName": secret,
        "dnsNames": list(names),
        "issuerRef": {"group": "cert-manager.io", **issuer},
        "usages": ["digital signature", "key encipherment", "server auth"],
        # The default since v1.18, said here because an older cert-manager may be there already.
        "privateKey": {"algorithm": "RSA", "size": 2048, "rotationPolicy": "Always"},
        "revisionHistoryLimit": 3,
    }
