"""Why a Deployment is not ready, as real controllers say it and the lab's provider passes it on."""

from __future__ import annotations

import pytest
import yaml

from lab.cluster.control_plane import ControlPlane
from lab.plugins.kubernetes.cluster import Cluster
from lab.plugins.kubernetes.readiness import missing
from tests.lab.cluster import get
from tests.lab.waiting import eventually

DATABASE = """
apiVersion: v1
kind: Namespace
metadata: {name: NAME, labels: {pod-security.kubernetes.io/enforce: LEVEL}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: pods, namespace: NAME}
spec: {hard: {pods: PODS}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NAME}
spec:
  storageClassName: nobody
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nobody}
provisioner: nobody.example
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: iris, namespace: NAME}
spec:
  selector: {matchLabels: {app: iris}}
  template:
    metadata: {labels: {app: iris}}
    spec:
      containers:
      - {name: iris, image: iris, resources: {requests: {memory: MEMORY}}}
      volumes: [VOLUME]
"""
CLAIM = "{name: data, persistentVolumeClaim: {claimName: data}}"
USUAL = {"LEVEL": "privileged", "PODS": '"5"', "MEMORY": "1Gi", "VOLUME": ""}

REASONS = {
    "no node is large enough": ({"MEMORY": "999Gi"}, "0/3 nodes are available: "),
    "its claim has no volume": (
        {"VOLUME": CLAIM},
        "PersistentVolumeClaim data is Pending: Waiting for a volume to be created",
    ),
    "a quota allows no pod": ({"PODS": '"0"'}, "exceeded quota: pods"),
    "pod security refuses its pods": ({"LEVEL": "restricted"}, "violates PodSecurity"),
}


@pytest.mark.parametrize("cause", REASONS)
def test_a_deployment_that_is_not_ready_says_why(control_plane: ControlPlane, cause: str):
    given, expected = REASONS[cause]
    manifest = DATABASE.replace("NAME", name := f"reason-{list(REASONS).index(cause)}")
    for key, value in (USUAL | given).items():
        manifest = manifest.replace(key, value)
    control_plane.kubectl("apply", "-f", "-", stdin=manifest)
    cluster = Cluster(yaml.safe_load(control_plane.home.kubeconfig.read_text()), None)

    def told() -> str:
        return "\n".join(missing(get(control_plane, "-n", name, "deployment", "iris"), cluster))

    eventually(lambda: expected in told(), seconds=20)
