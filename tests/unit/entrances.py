"""Web entrances that tests ask for, as a stack file says them."""

from typing import Any

HOST = "iris.clinic.org"
ENVOY = [{"namespace": "envoy-gateway-system"}]
LETS_ENCRYPT = {"email": "ops@clinic.org"}
ROUTE53 = {"region": "eu-central-1", "hostedZoneId": "Z0123456789ABC"}
AZURE_DNS = {
    "subscriptionId": "11111111-2222-3333-4444-555555555555",
    "resourceGroup": "dns",
    "zone": "clinic.org",
    "clientId": "66666666-2222-3333-4444-555555555555",
}
CLOUD_DNS = {"project": "clinic-dns", "zone": "clinic-org"}


def entrance(**changed: Any) -> dict[str, Any]:
    """The group ha-iris:access: a Gateway of its own with a certificate of Let's Encrypt."""
    group = {
        "hostname": HOST,
        "gateway": {"className": "envoy"},
        "certificate": {"letsEncrypt": LETS_ENCRYPT},
        "controllers": ENVOY,
    }
    return {key: value for key, value in {**group, **changed}.items() if value is not None}


def by_ingress(**changed: Any) -> dict[str, Any]:
    """The same through an Ingress."""
    ingress = {"via": "ingress", "gateway": None, "ingress": {"className": "traefik"}}
    return entrance(**{**ingress, **changed})


def lets_encrypt(**changed: Any) -> dict[str, Any]:
    """The group certificate, of Let's Encrypt."""
    return {"letsEncrypt": {**LETS_ENCRYPT, **changed}}


def by_dns(provider: str, zone: dict[str, Any]) -> dict[str, Any]:
    """The group certificate, of Let's Encrypt by a record in DNS."""
    return lets_encrypt(challenge="dns01", **{provider: zone})


GIVEN = {"name": "public", "namespace": "infra", "httpSection": "http"}
"""A Gateway that exists."""

ENTRANCES: dict[str, dict[str, Any]] = {
    "a Gateway of its own": entrance(),
    "a Gateway with annotations": entrance(
        gateway={
            "className": "envoy",
            "annotations": {"team": "dba"},
            "infrastructureAnnotations": {"example.com/kind": "internal"},
        }
    ),
    "a Gateway of GKE": entrance(
        gateway={"className": "gke-l7-global-external-managed"}, controllers=None
    ),
    "a Gateway that exists": entrance(gateway=GIVEN, certificate={"source": "gateway"}),
    "a Gateway without TLS": entrance(certificate={"source": "none"}),
    "production": entrance(certificate=lets_encrypt(environment="production")),
    "Route 53": entrance(certificate=by_dns("route53", ROUTE53)),
    "Azure DNS": entrance(certificate=by_dns("azureDns", AZURE_DNS)),
    "Cloud DNS": entrance(certificate=by_dns("cloudDns", CLOUD_DNS)),
    "an issuer that exists": entrance(
        certificate={"source": "issuer", "issuer": {"name": "clinic"}}
    ),
    "a Secret that exists": entrance(certificate={"source": "secret", "secretName": "clinic-tls"}),
    "an Ingress": by_ingress(),
    "an Ingress with a Secret": by_ingress(
        certificate={"source": "secret", "secretName": "clinic-tls"}
    ),
}
"""One of each kind."""
