"""Longhorn's driver deployer: what its pod makes once it runs, and what its uninstalling removes.

The real one (longhorn-manager ``deploy-driver``) makes the CSIDriver, the four sidecars and the
plugin from the environment that the chart gives it. So they come after the chart's own objects are
ready, and are in no Helm release. The uninstall job removes them; here their end is that of the
deployer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.cluster import DEPLOYED_ANNOTATION, DRIVER
from lab.cluster.world import KINDS, NAMESPACE, Request, World, name_of

DEPLOYER = "longhorn-driver-deployer"
PLUGIN = "longhorn-csi-plugin"
SIDECARS = ("attacher", "provisioner", "resizer", "snapshotter")
MANAGED = {"longhorn.io/managed-by": "longhorn-manager"}
"""Label of what Longhorn makes by itself; what a person made is left alone."""


def deploy(world: World) -> Iterator[Request]:
    """Bring the driver once the deployer's pod has got that far; take it away with the deployer."""
    found = {
        "drivers": {name_of(item): item for item in world["drivers"]},
        "deployments": {name_of(item): item for item in world["deployments"]},
        "daemonsets": {name_of(item): item for item in world["daemonsets"]},
    }
    deployer = found["deployments"].get(DEPLOYER)
    if deployer is None or deployer["metadata"].get("deletionTimestamp"):
        for kind, items in found.items():
            for name, item in items.items():
                labels = item["metadata"].get("labels") or {}
                gone = item["metadata"].get("deletionTimestamp")
                if MANAGED.items() <= labels.items() and not gone:
                    yield Request("DELETE", f"{KINDS[kind]}/{name}", None, f"remove {name}")
    elif any(_has_deployed(pod) for pod in world["pods"]):
        for kind, item in _objects(deployer):
            if name_of(item) not in found[kind]:
                yield Request("POST", KINDS[kind], item, f"deploy {name_of(item)}")


def _has_deployed(pod: dict[str, Any]) -> bool:
    ours = pod["metadata"]["namespace"] == NAMESPACE
    return ours and DEPLOYED_ANNOTATION in pod["metadata"].get("annotations", {})


def _objects(deployer: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    container = deployer["spec"]["template"]["spec"]["containers"][0]
    given = {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
    labels = {"labels": MANAGED}
    driver = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": DRIVER, **labels},
        "spec": {
            "attachRequired": True,
            "podInfoOnMount": True,
            "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "volumeLifecycleModes": ["Persistent"],
        },
    }
    yield "drivers", driver
    for sidecar in SIDECARS:
        name, variable = f"csi-{sidecar}", f"CSI_{sidecar.upper()}"
        image = given.get(f"{variable}_IMAGE") or f"longhornio/{name}:simulated"
        workload = _workload("Deployment", name, [(name, image)])
        workload["spec"]["replicas"] = int(given.get(f"{variable}_REPLICA_COUNT") or 3)
        yield "deployments", workload
    registrar = given.get("CSI_NODE_DRIVER_REGISTRAR_IMAGE") or "longhornio/registrar:simulated"
    images = [("node-driver-registrar", registrar), (PLUGIN, container["image"])]
    plugin = _workload("DaemonSet", PLUGIN, images)
    folder = given.get("KUBELET_ROOT_DIR") or "/var/lib/kubelet"
    pod = plugin["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "kubelet", "hostPath": {"path": folder}}]
    yield "daemonsets", plugin


def _workload(kind: str, name: str, images: list[tuple[str, str]]) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": container, "image": image} for container, image in images]
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {**MANAGED, **labels}},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": "longhorn-service-account",
                    "containers": containers,
                },
            },
        },
    }
