"""What InterSystems' Kubernetes Operator does next, as far as it is public.

A stand-in: the real one is no public program. Known are what it makes and what it calls that (its
log and the objects in https://github.com/intersystems-community/iko-01-basic-iris-cluster and
https://github.com/IRISMeister/iris-k8s-vs2021), that it brings its kind when it starts, and that
without useIrisFsGroup a container of root's prepares each volume (Ariel Glikman, "When to consider
useIrisFsGroup", community.intersystems.com). That it keeps an IrisCluster with a finalizer, and
gives its containers what pod security "restricted" asks for, is assumed and seen nowhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.cluster.world import Request, World, name_of

Object = dict[str, Any]

DEFINITION = Path(__file__).parents[1] / "charts" / "iris-operator" / "irisclusters.yaml"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "intersystems.com"
FINALIZER = "lab.ha-iris/iris-operator"
WANTED = "lab.ha-iris/wanted"
"""Annotation with the digest of what a StatefulSet was made or changed to."""
IRISOWNER = 51773
VOLUMES = {
    "storageDB": ("iris-data", "/irissys/data"),
    "storageWIJ": ("iris-wij", "/irissys/wij"),
    "storageJournal1": ("iris-journal1", "/irissys/journal1"),
    "storageJournal2": ("iris-journal2", "/irissys/journal2"),
}
"""Claim template and place of each volume of a node."""


def operate(world: World) -> Iterator[Request]:
    """All that the operator does next; nothing while no pod of it is ready."""
    operator = next((pod for pod in world["pods"] if _is_operator(pod)), None)
    if operator is None:
        return
    if not any(name_of(item) == _definition()["metadata"]["name"] for item in world["definitions"]):
        yield Request("POST", DEFINITIONS, _definition(), "the kind IrisCluster")
    for cluster in world["iris clusters"]:
        if cluster["metadata"].get("deletionTimestamp"):
            yield from _let_go(cluster, world)
        else:
            yield from _run(cluster, world, by_fs_group=_uses_fs_group(operator))


def _is_operator(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return (
        (pod["metadata"].get("labels") or {}).get("app") == "iris-operator"
        and not pod["metadata"].get("deletionTimestamp")
        and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    )


def _uses_fs_group(operator: Object) -> bool:
    env = operator["spec"]["containers"][0].get("env") or []
    return any(one == {"name": "ISC_USE_IRIS_FSGROUP", "value": "true"} for one in env)


def _let_go(cluster: Object, world: World) -> Iterator[Request]:
    """Delete what was made, and only then take the finalizer off. The claims stay."""
    left = [*_made(cluster, world, "statefulsets"), *_made(cluster, world, "services")]
    for item in left:
        if not item["metadata"].get("deletionTimestamp"):
            yield Request("DELETE", _path(item), None, f"delete {name_of(item)}")
    others = [one for one in cluster["metadata"].get("finalizers") or [] if one != FINALIZER]
    if not left and len(others) < len(cluster["metadata"].get("finalizers") or []):
        body = {"metadata": {"finalizers": others}}
        yield Request("PATCH", _path(cluster), body, f"let {name_of(cluster)} go")


def _run(cluster: Object, world: World, *, by_fs_group: bool) -> Iterator[Request]:
    finalizers = cluster["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        body = {"metadata": {"finalizers": [*finalizers, FINALIZER]}}
        yield Request("PATCH", _path(cluster), body, f"keep {name_of(cluster)}")
    there = {(one["kind"], name_of(one)): one for one in _all_made(cluster, world)}
    for wanted in _objects(cluster, by_fs_group=by_fs_group):
        live = there.get((wanted["kind"], name_of(wanted)))
        if live is None:
            folder = _path(wanted).rpartition("/")[0]
            yield Request("POST", folder, wanted, f"make {wanted['kind']} {name_of(wanted)}")
        elif live["metadata"]["annotations"][WANTED] != wanted["metadata"]["annotations"][WANTED]:
            # A StatefulSet keeps the claims that it was made with.
            kept = ("serviceName", "selector", "volumeClaimTemplates")
            spec = {key: value for key, value in wanted["spec"].items() if key not in kept}
            body = {"metadata": {"annotations": wanted["metadata"]["annotations"]}, "spec": spec}
            yield Request("PATCH", _path(live), body, f"change {name_of(wanted)}")
    yield from _roles(cluster, world)
    ready = all(
        one.get("status", {}).get("readyReplicas", 0) == one["spec"]["replicas"]
        for one in _made(cluster, world, "statefulsets")
    )
    phase = "Running" if ready and there else "Creating"
    if cluster.get("status", {}).get("phase") != phase:
        yield Request("PATCH", _path(cluster), {"status": {"phase": phase}}, f"it is {phase}")


def _roles(cluster: Object, world: World) -> Iterator[Request]:
    """Which member of a mirror is its primary: here always the first."""
    if not cluster["spec"]["topology"]["data"].get("mirrored"):
        return
    for pod in world["pods"]:
        labels = pod["metadata"].get("labels") or {}
        if (
            _labels(cluster, "data").items() <= labels.items()
            and f"{GROUP}/mirrorRole" not in labels
        ):
            role = "primary" if name_of(pod).endswith("-0") else "backup"
            place = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{name_of(pod)}"
            body = {"metadata": {"labels": {f"{GROUP}/mirrorRole": role}}}
            yield Request("PATCH", place, body, f"{name_of(pod)} is {role}")


def _objects(cluster: Object, *, by_fs_group: bool) -> Iterator[Object]:
    topology = cluster["spec"]["topology"]
    name = name_of(cluster)
    ports = [{"name": f"port-{port}", "port": port} for port in (1972, 52773)]
    yield _service(cluster, f"{name}-svc", {"clusterIP": "None", "selector": _labels(cluster)})
    yield _service(cluster, name, {"selector": _labels(cluster, "data"), "ports": ports})
    data = topology["data"]
    shards = data.get("shards") or 1
    if data.get("mirrored"):
        members = len((data.get("mirrorMap") or "primary,backup").split(","))
        parts = [(f"{name}-data-{shard}", "data", members) for shard in range(shards)]
    else:
        parts = [(f"{name}-data", "data", shards)]
    parts += [
        (f"{name}-{part}", part, topology[part].get("replicas", 1))
        for part in ("compute", "arbiter", "webgateway")
        if part in topology
    ]
    for called, part, replicas in parts:
        yield _stateful_set(cluster, called, part, replicas, by_fs_group=by_fs_group)


def _service(cluster: Object, name: str, spec: Object) -> Object:
    return _digested(cluster, "v1", "Service", name, spec)


def _stateful_set(
    cluster: Object, name: str, part: str, replicas: int, *, by_fs_group: bool
) -> Object:
    node = cluster["spec"]["topology"][part]
    template = (node.get("podTemplate") or {}).get("spec") or {}
    volumes = {key: place for key, place in VOLUMES.items() if key in node}
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    mounts = [{"name": claim, "mountPath": path} for claim, path in volumes.values()]
    container = {
        "name": "iris" if part in ("data", "compute") else part,
        "image": node["image"],
        "securityContext": restricted,
        "volumeMounts": [*mounts, *node.get("volumeMounts", [])],
        **{
            key: template[key]
            for key in ("args", "env", "lifecycle", "resources")
            if key in template
        },
    }
    own = ("nodeSelector", "tolerations", "priorityClassName", "affinity")
    as_irisowner = {"runAsUser": IRISOWNER, "runAsGroup": IRISOWNER, "runAsNonRoot": True}
    as_irisowner["seccompProfile"] = {"type": "RuntimeDefault"}
    pod = {
        **{key: template[key] for key in own if key in template},
        "securityContext": template.get("securityContext") or as_irisowner,
        "imagePullSecrets": cluster["spec"].get("imagePullSecrets", []),
        "containers": [container],
        "volumes": cluster["spec"].get("volumes", []) if node.get("volumeMounts") else [],
    }
    if volumes and not by_fs_group:
        chown = ["chown", "-R", "irisowner:irisowner", *(path for _, path in volumes.values())]
        root = {"name": "chown", "image": node["image"], "command": chown, "volumeMounts": mounts}
        pod["initContainers"] = [{**root, "securityContext": {"runAsUser": 0, **restricted}}]
    labels = _labels(cluster, part)
    spec = {
        "serviceName": f"{name_of(cluster)}-svc",
        "replicas": replicas,
        "updateStrategy": cluster["spec"].get("updateStrategy") or {"type": "RollingUpdate"},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": claim, "labels": labels},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": node[key].get("storageClassName")
                    or cluster["spec"].get("storageClassName"),
                    "resources": node[key]["resources"],
                },
            }
            for key, (claim, _) in volumes.items()
        ],
    }
    return _digested(cluster, "apps/v1", "StatefulSet", name, spec)


def _digested(cluster: Object, api_version: str, kind: str, name: str, spec: Object) -> Object:
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
    metadata = {
        "name": name,
        "namespace": cluster["metadata"]["namespace"],
        "labels": _labels(cluster),
        "annotations": {WANTED: digest},
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _labels(cluster: Object, part: str | None = None) -> dict[str, str]:
    labels = {f"{GROUP}/kind": "IrisCluster", f"{GROUP}/name": name_of(cluster)}
    return {**labels, f"{GROUP}/component": part} if part else labels


def _made(cluster: Object, world: World, kind: str) -> list[Object]:
    kinds = {"statefulsets": ("apps/v1", "StatefulSet"), "services": ("v1", "Service")}
    api_version, name = kinds[kind]
    return [
        # The items of a list come without it.
        {**item, "apiVersion": api_version, "kind": name}
        for item in world[kind]
        if item["metadata"]["namespace"] == cluster["metadata"]["namespace"]
        and WANTED in (item["metadata"].get("annotations") or {})
    ]


def _all_made(cluster: Object, world: World) -> list[Object]:
    return [*_made(cluster, world, "statefulsets"), *_made(cluster, world, "services")]


def _path(item: Object) -> str:
    folders = {
        "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
        "Service": "/api/v1/namespaces/{}/services",
    }
    cluster = f"/apis/{GROUP}/v1alpha1/namespaces/{{}}/irisclusters"
    folder = folders.get(item.get("kind", ""), cluster).format(item["metadata"]["namespace"])
    return f"{folder}/{name_of(item)}"


@cache
def _definition() -> Object:
    return yaml.safe_load(DEFINITION.read_text())
