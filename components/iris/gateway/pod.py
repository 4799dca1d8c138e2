"""The pod that runs the web gateway, as plain data: no Pulumi resource is made here."""

from collections.abc import Mapping
from typing import Any

from components.cluster import Cluster
from components.iris.gateway.settings import WebGatewaySettings
from components.iris.pod import IRISOWNER, WEB_PORT
from components.iris.tls import TLS_MOUNT, tls_volume
from components.iris.tls_settings import TlsSettings

# Outside of where the gateway keeps its own files: the container copies these at its start.
CONFIG_MOUNT = "/etc/ha-iris/web-gateway"

LABELS = {"app.kubernetes.io/name": "iris-web-gateway", "app.kubernetes.io/part-of": "ha-iris"}
"""Not those of the database, whose Service and Deployment would take these pods for theirs."""


def labels_of(database: str) -> dict[str, str]:
    """Labels of the gateways of one database, by its Service."""
    return LABELS if database == "iris" else {**LABELS, "app.kubernetes.io/instance": database}


def pod_spec(
    settings: WebGatewaySettings,
    *,
    labels: Mapping[str, str],
    cluster: Cluster,
    config: Any,
    service_account: Any,
    toleration_seconds: int,
    tls: TlsSettings,
) -> dict[str, Any]:
    """Spec of the gateway's pod. ``config`` and ``service_account`` are names, maybe Outputs."""
    volumes: list[dict[str, Any]] = [
        # The owner may write: a copy that keeps the mode must be one that the gateway can change.
        {"name": "config", "secret": {"secretName": config, "defaultMode": 0o640}}
    ]
    mounts = [{"name": "config", "mountPath": CONFIG_MOUNT, "readOnly": True}]
    if tls.is_on() and tls.ca_in_secret:
        # The authority's certificate alone: the key is IRIS's.
        volumes.append(tls_volume(tls, "ca.crt"))
        mounts.append(TLS_MOUNT)
    resources = {"cpu": f"{settings.cpu:g}", "memory": f"{settings.memory_mib}Mi"}
    # A probe that asked for a page would ask IRIS, as every path is its: a database that fails
    # over would take both gateways out of the Service, or restart them.
    port_is_open = {"tcpSocket": {"port": "webserver"}, "timeoutSeconds": 5}
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": cluster.architecture},
        "topologySpreadConstraints": [
            {
                "topologyKey": key,
                "maxSkew": 1,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": labels},
                # In a rollout the old pods do not count: they go.
                "matchLabelKeys": ["pod-template-hash"],
                # Nor does a node, or a zone, that is drained or dead.
                "nodeTaintsPolicy": "Honor",
            }
            for key, places in (
                ("topology.kubernetes.io/zone", cluster.zone_count),
                ("kubernetes.io/hostname", cluster.node_count),
            )
            if places > 1
        ],
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{condition}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": toleration_seconds,
            }
            for condition in ("not-ready", "unreachable")
        ],
        # In webgateway-lockeddown this user owns and runs everything, Apache on WEB_PORT included
        # (InterSystems, "Running InterSystems Products in Containers").
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": IRISOWNER,
            "runAsGroup": IRISOWNER,
            "fsGroup": IRISOWNER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "web-gateway",
                "image": settings.image,
                "imagePullPolicy": "IfNotPresent",
                "env": [
                    {"name": "ISC_CSP_INI_FILE", "value": f"{CONFIG_MOUNT}/CSP.ini"},
                    {"name": "ISC_CSP_CONF_FILE", "value": f"{CONFIG_MOUNT}/CSP.conf"},
                ],
                "ports": [{"name": "webserver", "containerPort": WEB_PORT}],
                # Its logs lie in the container: one that fills its node is put elsewhere.
                "resources": {
                    "requests": {**resources, "ephemeral-storage": "256Mi"},
                    "limits": {**resources, "ephemeral-storage": "2Gi"},
                },
                # The root file system stays writable: the gateway keeps its configuration and
                # its log beside its programs.
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "startupProbe": {**port_is_open, "periodSeconds": 2, "failureThreshold": 60},
                "readinessProbe": {**port_is_open, "periodSeconds": 5, "failureThreshold": 2},
                "livenessProbe": {**port_is_open, "periodSeconds": 15, "failureThreshold": 4},
                # Requests still come until every node has heard that this pod goes.
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }
