"""The agent's pod."""

from pathlib import Path
from typing import Any

import pulumi

from components.fencing.power import COMMAND_FOLDER
from components.fencing.program.tell import PORT as PORT
from components.fencing.settings import FencingSettings
from components.in_cluster.carried import KUBE, MOUNT, NOBODY, PROGRAM_MOUNT, Carried

LABELS = {"app.kubernetes.io/name": "ha-iris-fencing", "app.kubernetes.io/part-of": "ha-iris"}
PROGRAM = Carried(Path(__file__).with_name("program"), (KUBE,))
TOKEN = "/var/run/secrets/azure"


def pod_spec(
    settings: FencingSettings,
    *,
    program: pulumi.Input[str],
    service_account: pulumi.Input[str],
    command: tuple[pulumi.Input[str], pulumi.Input[str] | None] | None,
    audience: str | None,
) -> dict[str, Any]:
    """Spec of the pod.

    Args:
        settings: choices of the stack.
        program: ConfigMap of the program.
        service_account: as whom it acts.
        command: ConfigMap of a command of one's own, and Secret of its login.
        audience: for whom a token of the pod is, beside the API server.
    """
    mounts: list[Any] = [PROGRAM_MOUNT]
    volumes: list[Any] = [PROGRAM.volume(program)]
    environment: list[Any] = [
        {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    ]
    if command:
        mounts.append({"name": "command", "mountPath": COMMAND_FOLDER, "readOnly": True})
        volumes.append({"name": "command", "configMap": {"name": command[0], "defaultMode": 0o555}})
        if command[1] is not None:
            login = {"secretKeyRef": {"name": command[1], "key": "login"}}
            environment.append({"name": "FENCE_LOGIN", "valueFrom": login})
    if audience:
        token = {"path": "token", "audience": audience, "expirationSeconds": 3600}
        mounts.append({"name": "token", "mountPath": TOKEN, "readOnly": True})
        volumes.append(
            {"name": "token", "projected": {"sources": [{"serviceAccountToken": token}]}}
        )
    probe = {"httpGet": {"path": "/healthz", "port": PORT}, "timeoutSeconds": 5}
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        # Each on a node of its own: neither judges the node that it runs on.
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "labelSelector": {"matchLabels": LABELS},
                        "topologyKey": "kubernetes.io/hostname",
                    }
                ]
            }
        },
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 30,
            }
            for state in ("not-ready", "unreachable")
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "fsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "fencing",
                "image": settings.image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "-B", "-m", PROGRAM.package],
                "workingDir": MOUNT,
                "env": environment,
                "ports": [{"name": "metrics", "containerPort": PORT}],
                "readinessProbe": {**probe, "periodSeconds": 10},
                "livenessProbe": {**probe, "periodSeconds": 20},
                "resources": {
                    "requests": {"cpu": "20m", "memory": "48Mi", "ephemeral-storage": "1Mi"},
                    "limits": {"cpu": "500m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }
