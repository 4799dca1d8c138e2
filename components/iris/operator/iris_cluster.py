"""The IrisCluster, as plain data: no Pulumi resource is made here.

It has only fields that InterSystems or its users have published. Where each of them was found
stands in lab/charts/iris-operator/irisclusters.yaml, a schema that the tests hold it against.
"""

from typing import Any

from components.iris.operator.settings import COMPUTE_GIB, OperatorSettings
from components.iris.pod import IRISOWNER, SCRIPTS_MOUNT
from components.iris.settings import IrisSettings

SCRIPTS = {"name": "scripts", "mountPath": SCRIPTS_MOUNT, "readOnly": True}

DATA = "/irissys/data"
"""Where the operator mounts the volume of the databases."""


def runs_gateways(settings: IrisSettings) -> bool:
    """Whether there are web gateways, and the operator runs them."""
    operator = settings.operator
    return operator is not None and operator.web_gateway and settings.has_web_gateway()


def expected_pods(settings: IrisSettings, operator: OperatorSettings) -> dict[str, int]:
    """How many pods each part of the topology has."""
    parts = {
        "data": operator.data_nodes(),
        "arbiter": int(operator.mirrored),
        "compute": operator.compute.replicas,
        "webgateway": settings.web_gateway.replicas if runs_gateways(settings) else 0,
    }
    return {part: count for part, count in parts.items() if count}


def iris_cluster(
    settings: IrisSettings,
    operator: OperatorSettings,
    *,
    architecture: str,
    storage_class: str,
    config_source: Any,
    scripts: Any,
    priority_class: Any,
    pull_secrets: list[Any],
    license_secret: Any = None,
    gateway_login: Any = None,
) -> dict[str, Any]:
    """Spec of the IrisCluster. From config_source on all are names and may be Outputs."""
    spec: dict[str, Any] = {
        "configSource": {"name": config_source},
        "storageClassName": storage_class,
        "updateStrategy": {"type": operator.update_strategy},
        # The operator's own Service stays inside; the one for clients is the program's, which
        # tells apart who may connect and knows its address.
        "serviceTemplate": {"spec": {"type": "ClusterIP"}},
        "volumes": [{"name": "scripts", "configMap": {"name": scripts, "defaultMode": 0o555}}],
        "topology": {"data": _data(settings, operator, architecture, storage_class)},
    }
    if license_secret is not None:
        spec["licenseKeySecret"] = {"name": license_secret}
    if pull_secrets:
        spec["imagePullSecrets"] = [{"name": secret} for secret in pull_secrets]
    if operator.tls:
        spec["tls"] = {use: {"secret": {"secretName": at}} for use, at in operator.tls.items()}
    topology = spec["topology"]
    topology["data"]["podTemplate"]["spec"]["priorityClassName"] = priority_class
    if operator.compute.replicas:
        topology["compute"] = _compute(settings, operator, architecture, storage_class)
        topology["compute"]["podTemplate"]["spec"]["priorityClassName"] = priority_class
    if operator.mirrored:
        topology["arbiter"] = {
            "image": operator.arbiter_image,
            "podTemplate": _pod(settings, operator, architecture, cpu=0.1, memory="256Mi"),
        }
    if gateway_login is not None:
        topology["webgateway"] = _web_gateway(settings, gateway_login)
    return spec


def _data(
    settings: IrisSettings, operator: OperatorSettings, architecture: str, storage_class: str
) -> dict[str, Any]:
    storage = operator.storage
    journals = storage.journal_class or storage_class
    data: dict[str, Any] = {
        "image": settings.image,
        "podTemplate": _iris_pod(settings, operator, architecture),
        "volumeMounts": [SCRIPTS],
        "storageDB": _volume(settings.storage_gib, storage_class),
        "storageWIJ": _volume(storage.wij_gib, storage_class),
        "storageJournal1": _volume(storage.journal1_gib, journals),
        "storageJournal2": _volume(storage.journal2_gib, journals),
    }
    if settings.release:
        data["compatibilityVersion"] = settings.release
    if operator.mirrored:
        data["mirrored"] = True
        if operator.mirror_map:
            data["mirrorMap"] = ",".join(operator.mirror_map)
    if operator.shards:
        data["shards"] = operator.shards
    if operator.preferred_zones:
        data["preferredZones"] = [*operator.preferred_zones]
    return data


def _compute(
    settings: IrisSettings, operator: OperatorSettings, architecture: str, storage_class: str
) -> dict[str, Any]:
    wanted = operator.compute
    compute: dict[str, Any] = {
        "image": wanted.image or settings.image,
        "replicas": wanted.replicas,
        "podTemplate": _iris_pod(settings, operator, architecture),
        "volumeMounts": [SCRIPTS],
        "storageDB": _volume(COMPUTE_GIB, storage_class),
    }
    if settings.release and not wanted.image:
        compute["compatibilityVersion"] = settings.release
    if wanted.preferred_zones:
        compute["preferredZones"] = [*wanted.preferred_zones]
    return compute


def _web_gateway(settings: IrisSettings, login: Any) -> dict[str, Any]:
    gateway = settings.web_gateway
    return {
        "image": gateway.image,
        # The only type that runs without root, as the namespace's pod security wants.
        "type": "apache-lockeddown",
        "replicas": gateway.replicas,
        "applicationPaths": ["/csp", "/api", "/oauth2", "/isc", "/ui"],
        "loginSecret": {"name": login},
    }


def _iris_pod(
    settings: IrisSettings, operator: OperatorSettings, architecture: str
) -> dict[str, Any]:
    template = _pod(
        settings, operator, architecture, cpu=settings.cpu, memory=f"{settings.memory_gib}Gi"
    )
    template["spec"]["args"] = [
        # iris-main wants CAP_SETUID and CAP_SETGID only to become irisowner, who we are already,
        # and pod security "restricted" lets no container have them.
        *("--check-caps", "false"),
        *("--before", f"{SCRIPTS_MOUNT}/before_start.sh"),
        *("--after", f"{SCRIPTS_MOUNT}/merge_errors.sh"),
    ]
    template["spec"]["env"] = [{"name": "TZ", "value": settings.time_zone}]
    # A frozen instance could not be stopped cleanly.
    stopping = {"exec": {"command": [f"{SCRIPTS_MOUNT}/freeze.sh", "stopping"]}}
    template["spec"]["lifecycle"] = {"preStop": stopping}
    return template


def _pod(
    settings: IrisSettings,
    operator: OperatorSettings,
    architecture: str,
    *,
    cpu: float,
    memory: str,
) -> dict[str, Any]:
    resources = {"cpu": f"{cpu:g}", "memory": memory}
    own = [
        {
            "key": taint.key,
            "operator": "Equal" if taint.value else "Exists",
            **({"value": taint.value} if taint.value else {}),
            **({"effect": taint.effect} if taint.effect else {}),
        }
        for taint in operator.tolerations
    ]
    return {
        "spec": {
            "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": architecture},
            "tolerations": [
                {
                    "key": f"node.kubernetes.io/{condition}",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": settings.toleration_seconds,
                }
                for condition in ("not-ready", "unreachable")
            ]
            + own,
            "resources": {"requests": resources, "limits": resources},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": IRISOWNER,
                "runAsGroup": IRISOWNER,
                "fsGroup": IRISOWNER,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
    }


def _volume(gib: int, storage_class: str) -> dict[str, Any]:
    return {
        "resources": {"requests": {"storage": f"{gib}Gi"}},
        "storageClassName": storage_class,
    }
