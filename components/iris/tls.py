"""TLS on the superserver: certificate, merge file, mounts. Only certify() makes resources."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.cpf.line import action
from components.iris.tls_settings import CONFIGURATION, TlsSettings

SECRET = "iris-superserver-tls"
AUTHORITY = "iris-superserver-ca"
MOUNT = "/etc/ha-iris/tls"
SUPPORT_LEVEL = {"disabled": 0, "optional": 1, "required": 2}
"""SSLSupportLevel of Security.Servers."""


def tls_actions(settings: TlsSettings, *, port: int) -> list[str]:
    """Lines of ``[Actions]``: the TLS configuration, and the superserver that uses it."""
    if settings.superserver is None:
        return []
    level = SUPPORT_LEVEL[settings.superserver]
    # A superserver is known by port and address, and the default one listens on all: no address.
    if not settings.is_on():
        return [action("ModifyServer", Port=port, BindAddress="", SSLSupportLevel=level)]
    configuration = [
        action(
            kind,
            Name=CONFIGURATION,
            Type=1,
            CertificateFile=f"{MOUNT}/tls.crt",
            PrivateKeyFile=f"{MOUNT}/tls.key",
            VerifyPeer=0,
            TLSMinVersion=16,
            Enabled=1,
        )
        for kind in ("CreateSSLConfig", "ModifySSLConfig")
    ]
    server = action(
        "ModifyServer",
        Port=port,
        BindAddress="",
        SSLConfig=CONFIGURATION,
        SSLSupportLevel=level,
    )
    return [*configuration, server]


def tls_secret(settings: TlsSettings) -> str:
    """Name of the Secret with the certificate."""
    return settings.secret_name or SECRET


def tls_volume(settings: TlsSettings, *keys: str) -> dict[str, Any]:
    """The Secret as a volume, or some of its keys. A renewed one reaches the files by itself."""
    secret: dict[str, Any] = {"secretName": tls_secret(settings), "defaultMode": 0o440}
    if keys:
        secret["items"] = [{"key": key, "path": key} for key in keys]
    return {"name": "tls", "secret": secret}


TLS_MOUNT = {"name": "tls", "mountPath": MOUNT, "readOnly": True}


def certificate_names(
    settings: TlsSettings, *, services: Sequence[str], namespace: str, hostname: str | None
) -> list[str]:
    """Names that clients may call the superserver by; localhost is that of port-forward."""
    if settings.names:
        return list(settings.names)
    within = ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local")
    names = [*(service + suffix for service in services for suffix in within), "localhost"]
    return [*names, hostname] if hostname else names


def certificates(settings: TlsSettings) -> tuple[str, ...]:
    """Names of the Certificates of cert-manager that the superserver needs."""
    if not settings.needs_cert_manager():
        return ()
    return (SECRET,) if settings.issuer else (SECRET, AUTHORITY)


def certify(
    name: str,
    settings: TlsSettings,
    *,
    names: Sequence[str],
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Ask cert-manager for the certificate, of an issuer that exists or of an authority of ours.

    The pod waits for its Secret, and these wait for nothing that waits for the pod.
    """
    if not settings.needs_cert_manager():
        return

    def make(role: str, kind: str, object_name: str, spec: dict[str, Any]) -> None:
        k8s.apiextensions.CustomResource(
            f"{name}-{role}",
            api_version="cert-manager.io/v1",
            kind=kind,
            metadata={"name": object_name, "namespace": namespace, "labels": labels},
            spec=spec,
            opts=opts,
        )

    for_server: dict[str, Any] = {
        "secretName": SECRET,
        "dnsNames": list(names),
        "usages": ["digital signature", "key encipherment", "server auth"],
        "privateKey": {"algorithm": "RSA", "size": 2048, "rotationPolicy": "Always"},
        "revisionHistoryLimit": 3,
    }
    if settings.issuer:
        chosen = {"kind": settings.issuer.kind, "name": settings.issuer.name}
        for_server["issuerRef"] = {"group": "cert-manager.io", **chosen}
        make("certificate", "Certificate", SECRET, for_server)
        return
    for_server["issuerRef"] = _issuer(AUTHORITY)
    for_server["duration"] = f"{settings.days * 24}h0m0s"
    make("self-signed", "Issuer", f"{AUTHORITY}-root", {"selfSigned": {}})
    make("authority-certificate", "Certificate", AUTHORITY, _authority())
    make("authority", "Issuer", AUTHORITY, {"ca": {"secretName": AUTHORITY}})
    make("certificate", "Certificate", SECRET, for_server)


def _authority() -> dict[str, Any]:
    return {
        "isCA": True,
        "commonName": AUTHORITY,
        "secretName": AUTHORITY,
        # Ten years, and the same key all the time: clients trust this certificate.
        "duration": "87600h0m0s",
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
        "issuerRef": _issuer(f"{AUTHORITY}-root"),
    }


def _issuer(name: str) -> dict[str, str]:
    return {"group": "cert-manager.io", "kind": "Issuer", "name": name}
