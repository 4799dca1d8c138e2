"""What differs between two sets of inputs, and what of it replaces an object.

The table is that of pulumi-kubernetes: ``forceNew`` in provider/pkg/provider/diff.go, as it stands
at commit cafe8c4a, read and compared by hand on 2026-11-21. Its kinds of API versions that no
served cluster has any more (apps/v1beta1, policy/v1beta1, ...) are left out. What is not in it is
sent to the API server as an update, which may refuse it; that is the official provider's way too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]

ANY = "*"
"""Stands for every item of a list."""

IDENTITY: list[Path] = [("metadata", "name"), ("metadata", "namespace")]

_CONTAINER = (
    *("args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports"),
    *("readinessProbe", "resources", "securityContext", "stdin", "stdinOnce"),
    *("terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices"),
    *("volumeMounts", "workingDir"),
)
_POD = (
    *("affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks"),
    *("hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets"),
    *("nodeName", "nodeSelector", "overhead", "preemptionPolicy", "priority", "priorityClassName"),
    *("readinessGates", "restartPolicy", "runtimeClassName", "schedulerName", "securityContext"),
    *("serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain"),
    *("terminationGracePeriodSeconds", "volumes"),
)
_VOLUME_SOURCES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc"),
    *("flexVolume", "flocker", "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local"),
    *("nfs", "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos"),
    "vsphereVolume",
)


def _spec(*fields: str) -> list[Path]:
    return [("spec", field) for field in fields]


FORCE_NEW: dict[tuple[str, str], list[Path]] = {
    ("apps/v1", "DaemonSet"): _spec("selector"),
    ("apps/v1", "Deployment"): _spec("selector"),
    ("apps/v1", "StatefulSet"): _spec(
        *("podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName"),
        "volumeClaimTemplates",
    ),
    ("batch/v1", "Job"): _spec("completions", "parallelism", "selector", "template"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): [("roleRef",)],
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): [("roleRef",)],
    ("storage.k8s.io/v1", "StorageClass"): [("parameters",), ("provisioner",)],
    ("v1", "ConfigMap"): [("binaryData",), ("data",)],
    ("v1", "PersistentVolume"): _spec(*_VOLUME_SOURCES),
    ("v1", "PersistentVolumeClaim"): _spec(
        "accessModes", "selector", "storageClassName", "volumeName"
    ),
    ("v1", "Pod"): [
        *_spec(*_POD),
        *(
            ("spec", containers, ANY, field)
            for containers in ("containers", "initContainers")
            for field in _CONTAINER
        ),
    ],
    ("v1", "ResourceQuota"): _spec("scopes"),
    ("v1", "Secret"): [("type",), ("stringData",), ("data",)],
    ("v1", "Service"): _spec("clusterIP"),
}
"""Fields whose change replaces an object, by API version and kind, beside its name."""


def changed(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every place where two values differ, with ``add``, ``delete`` or ``update``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key not in new:
                yield (*path, key), "delete"
            elif key not in old:
                yield (*path, key), "add"
            else:
                yield from changed(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from changed(before, after, (*path, index))
    elif old != new:
        yield path, "update"


def replaces(thing: Mapping[str, Any], path: Path, *, in_place: bool = False) -> bool:
    """Whether a change at this place of an object needs another object.

    ``in_place``: the object is a Secret whose contents may change, as the provider's setting
    enableSecretMutable allows for one that is not immutable.
    """
    table = FORCE_NEW.get((thing.get("apiVersion", ""), thing.get("kind", "")), [])
    frozen = IDENTITY + ([("type",)] if in_place else table)
    return any(_within(path, field) for field in frozen)


def _within(path: Path, field: Path) -> bool:
    return len(path) >= len(field) and all(
        want in (ANY, part) for part, want in zip(path, field, strict=False)
    )


def as_text(path: Path) -> str:
    """A place as the engine writes it: ``spec.ports[0].port``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text
