"""The pod that runs IRIS, as plain data: no Pulumi resource is made here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.iris.cpf.data import OTHER_JOURNALS, SYSTEM_DIRECTORY, VOLUME
from components.iris.guard.pod import guarded
from components.iris.settings import IrisSettings
from components.iris.tls import TLS_MOUNT, tls_volume
from components.iris.volumes import volumes as of_instance

LABELS = {"app.kubernetes.io/name": "iris", "app.kubernetes.io/part-of": "ha-iris"}

IRISOWNER = 51773
"""User and group that run everything in InterSystems' images without root."""

SUPERSERVER_PORT = 1972
WEB_PORT = 52773

# A folder inside the volume: IRIS refuses a data directory that holds anything but its own
# files, and a fresh ext4 volume holds lost+found.
DATA_DIRECTORY = SYSTEM_DIRECTORY
# Outside the volume: a copy of the volume must not carry the configuration of its origin.
CONFIG_MOUNT = "/etc/ha-iris/cpf"
LICENSE_MOUNT = "/etc/ha-iris/license"
SCRIPTS_MOUNT = "/etc/ha-iris/scripts"

SCRIPTS = {file.name: file.read_text() for file in Path(__file__).with_name("scripts").glob("*.sh")}
"""Programs that run in the pod, by name."""

# Field 4 is the instance's status. Field 9, its health, stays on warn or alert for half an hour
# after a crash and during a freeze for a backup: a probe that read it would kill the very
# database that has just recovered. Readiness tells a hung one from these: scripts/ready.sh.
IS_RUNNING = ["/bin/sh", "-c", "iris qlist IRIS | cut -d^ -f4 | grep -q ^running"]


def pod_spec(
    settings: IrisSettings,
    *,
    architecture: str,
    claims: Mapping[str, Any],
    peers: str | None,
    merge_secret: Any,
    scripts: Any,
    service_account: Any,
    priority_class: Any,
    license_secret: Any = None,
) -> dict[str, Any]:
    """Spec of the database pod. Of the others all are names and may be Outputs, but peers.

    Args:
        settings: choices of the stack.
        architecture: of the nodes.
        claims: by volume; one that is missing is found by the template of a StatefulSet.
        peers: name and port of the nodes that hold copies, for the guard; None: no guard.
        merge_secret: with the CPF merge file.
        scripts: ConfigMap of the scripts.
        service_account: of the pod.
        priority_class: of the pod.
        license_secret: with the licence key; None: there is none.
    """
    resources = {"cpu": f"{settings.cpu:g}", "memory": f"{settings.memory_gib}Gi"}
    args = [
        # iris-main wants CAP_SETUID and CAP_SETGID only to become irisowner, who we are already.
        "--check-caps",
        "false",
        # The agent arbitrates between mirror members; there is no mirror.
        "--ISCAgent",
        "false",
        "--before",
        f"{SCRIPTS_MOUNT}/before_start.sh",
        "--after",
        f"{SCRIPTS_MOUNT}/merge_errors.sh",
    ]
    volumes: list[dict[str, Any]] = [
        *(
            {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
            for volume, claim in claims.items()
        ),
        {"name": "cpf", "secret": {"secretName": merge_secret, "defaultMode": 0o440}},
        {"name": "scripts", "configMap": {"name": scripts, "defaultMode": 0o555}},
    ]
    mounts = [
        *({"name": volume.name, "mountPath": volume.mount} for volume in of_instance(settings)),
        {"name": "cpf", "mountPath": CONFIG_MOUNT, "readOnly": True},
        {"name": "scripts", "mountPath": SCRIPTS_MOUNT, "readOnly": True},
    ]
    ports = [{"name": "superserver", "containerPort": SUPERSERVER_PORT}]
    if settings.offers_portal():
        ports.append({"name": "webserver", "containerPort": WEB_PORT})
    if license_secret is not None:
        volumes.append(
            {"name": "license", "secret": {"secretName": license_secret, "defaultMode": 0o440}}
        )
        mounts.append({"name": "license", "mountPath": LICENSE_MOUNT, "readOnly": True})
        args += ["--key", f"{LICENSE_MOUNT}/iris.key"]

    if settings.tls.is_on():
        volumes.append(tls_volume(settings.tls))
        mounts.append(TLS_MOUNT)

    spec = {
        "hostname": settings.hostname,
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": priority_class,
        "terminationGracePeriodSeconds": settings.termination_grace_period_seconds,
        "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": architecture},
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{condition}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": settings.toleration_seconds,
            }
            for condition in ("not-ready", "unreachable")
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": IRISOWNER,
            "runAsGroup": IRISOWNER,
            "fsGroup": IRISOWNER,
            # Otherwise every start walks over the whole volume.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "iris",
                "image": settings.image,
                "imagePullPolicy": "IfNotPresent",
                **({"command": [*settings.entrypoint]} if settings.entrypoint else {}),
                "args": args,
                "env": [
                    {"name": "ISC_DATA_DIRECTORY", "value": DATA_DIRECTORY},
                    {"name": "ISC_CPF_MERGE_FILE", "value": f"{CONFIG_MOUNT}/merge.cpf"},
                    {"name": "TZ", "value": settings.time_zone},
                    *(
                        [{"name": "OTHER_JOURNALS", "value": OTHER_JOURNALS}]
                        if settings.journals.volume_gib
                        else []
                    ),
                ],
                "ports": ports,
                # Requests equal to limits: the last pod to be evicted or killed for memory.
                "resources": {"requests": resources, "limits": resources},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                # A frozen instance could not be stopped cleanly.
                "lifecycle": {
                    "preStop": {"exec": {"command": [f"{SCRIPTS_MOUNT}/freeze.sh", "stopping"]}}
                },
                # A start after a crash recovers from the write image journal and the journals;
                # a kill in the middle only makes it begin again.
                "startupProbe": {
                    "exec": {"command": IS_RUNNING},
                    "periodSeconds": 5,
                    "timeoutSeconds": 10,
                    "failureThreshold": -(-settings.startup_seconds // 5),
                },
                "readinessProbe": {
                    "exec": {
                        "command": [
                            f"{SCRIPTS_MOUNT}/ready.sh",
                            str(settings.hung_seconds),
                            str(SUPERSERVER_PORT),
                        ]
                    },
                    "periodSeconds": 5,
                    "timeoutSeconds": 10,
                    "failureThreshold": 2,
                },
                "livenessProbe": {
                    "exec": {"command": IS_RUNNING},
                    "periodSeconds": 15,
                    "timeoutSeconds": 10,
                    "failureThreshold": 6,
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }
    return guarded(spec, settings, peers=peers, data_mount=VOLUME, scripts=SCRIPTS_MOUNT)
