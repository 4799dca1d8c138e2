"""Gateway, HTTPRoutes and Ingress of the web entrance, as plain data: no resource is made here."""

from collections.abc import Mapping
from typing import Any

from components.access.settings import AccessSettings

NAME = "iris-web"
"""Of the Gateway, the routes and the Ingress that this program makes."""
TLS_SECRET = "iris-web-tls"
"""Secret that cert-manager writes the certificate into."""


def gateway(settings: AccessSettings, *, load_balancer: Mapping[str, str]) -> dict[str, Any]:
    """Spec of a Gateway of our own (gateway.networking.k8s.io/v1).

    Args:
        settings: choices of the stack.
        load_balancer: annotations with which the cluster's cloud makes the asked-for address.
    """
    chosen = settings.gateway
    listeners: list[dict[str, Any]] = [_listener(settings, "http", 80, "HTTP")]
    if settings.has_tls():
        secret = {"kind": "Secret", "name": tls_secret(settings)}
        tls = {"mode": "Terminate", "certificateRefs": [secret]}
        listeners.append({**_listener(settings, "https", 443, "HTTPS"), "tls": tls})
    spec: dict[str, Any] = {"gatewayClassName": chosen.class_name, "listeners": listeners}
    annotations = {
        **({} if chosen.is_internal() is None or settings.is_of_gke() else load_balancer),
        **chosen.infrastructure_annotations,
    }
    if annotations:
        spec["infrastructure"] = {"annotations": annotations}
    return spec


def _listener(settings: AccessSettings, name: str, port: int, protocol: str) -> dict[str, Any]:
    return {
        "name": name,
        "port": port,
        "protocol": protocol,
        "hostname": settings.hostname,
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }


def routes(settings: AccessSettings, *, service: str, port: int) -> dict[str, dict[str, Any]]:
    """Specs of HTTPRoutes by name: one to IRIS, and one from http to https."""
    matches = [{"path": {"type": "PathPrefix", "value": path}} for path in settings.paths]
    to_iris = {
        "matches": matches,
        "backendRefs": [{"name": service, "port": port}],
    }
    to_https = {
        "filters": [
            {
                "type": "RequestRedirect",
                "requestRedirect": {"scheme": "https", "statusCode": 301},
            }
        ]
    }
    own, tls = settings.gateway.name is None, settings.has_tls()
    http = "http" if own else settings.gateway.http_section
    # A Gateway of our own has listeners of these names; those of another the stack file names.
    main = ("https" if tls else "http") if own else settings.gateway.https_section
    specs = {NAME: {**_attached(settings, main), "rules": [to_iris]}}
    if tls and http:
        specs[f"{NAME}-redirect"] = {**_attached(settings, http), "rules": [to_https]}
    return specs


def _attached(settings: AccessSettings, section: str) -> dict[str, Any]:
    return {"parentRefs": [_parent(settings, section)], "hostnames": [settings.hostname]}


def _parent(settings: AccessSettings, section: str) -> dict[str, Any]:
    chosen = settings.gateway
    parent: dict[str, Any] = {"name": chosen.name or NAME, "sectionName": section}
    if chosen.namespace:
        parent["namespace"] = chosen.namespace
    return parent


def ingress(settings: AccessSettings, *, service: str, port: int) -> dict[str, Any]:
    """Spec of the Ingress (networking.k8s.io/v1)."""
    backend = {"service": {"name": service, "port": {"number": port}}}
    spec: dict[str, Any] = {
        "ingressClassName": settings.ingress.class_name,
        "rules": [
            {
                "host": settings.hostname,
                "http": {
                    "paths": [
                        {"path": path, "pathType": "Prefix", "backend": backend}
                        for path in settings.paths
                    ]
                },
            }
        ],
    }
    if settings.has_tls():
        spec["tls"] = [{"hosts": [settings.hostname], "secretName": tls_secret(settings)}]
    return spec


def tls_secret(settings: AccessSettings) -> str:
    """Name of the Secret with the certificate, in IRIS's namespace."""
    return settings.certificate.secret_name or TLS_SECRET


def health_check(service: str) -> dict[str, Any]:
    """Spec of GKE's HealthCheckPolicy: whether the port is open.

    By itself Google's load balancer asks for "/" and wants 200, which IRIS does not answer.
    """
    check = {"type": "TCP", "tcpHealthCheck": {"portSpecification": "USE_SERVING_PORT"}}
    target = {"group": "", "kind": "Service", "name": service}
    return {"default": {"config": check}, "targetRef": target}
