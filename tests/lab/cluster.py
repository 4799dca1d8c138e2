"""What tests put into a lab's cluster and ask of it."""

import json

from lab.cluster.control_plane import ControlPlane

WORKLOAD = """
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: driver.longhorn.io}
spec: {attachRequired: true, podInfoOnMount: true}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: NAMESPACE}
provisioner: driver.longhorn.io
reclaimPolicy: POLICY
allowVolumeExpansion: true
volumeBindingMode: BINDING
parameters: {numberOfReplicas: "3"}
---
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NAMESPACE}
spec:
  storageClassName: NAMESPACE
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 10Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: iris, namespace: NAMESPACE}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app.kubernetes.io/name: iris}}
  template:
    metadata: {labels: {app.kubernetes.io/name: iris}}
    spec:
      initContainers: [{name: prepare, image: busybox}]
      containers: [{name: iris, image: iris, volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: iris, namespace: NAMESPACE}
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: iris}
  ports: [{port: 1972}]
"""


def workload(plane: ControlPlane, namespace: str, policy: str, binding: str = "Immediate") -> None:
    """Apply a database's worth of objects, its StorageClass named as its namespace."""
    manifest = WORKLOAD.replace("NAMESPACE", namespace).replace("POLICY", policy)
    plane.kubectl("apply", "-f", "-", stdin=manifest.replace("BINDING", binding))


def get(plane: ControlPlane, *what: str) -> dict:
    """An object of the cluster, or a list of them, as data."""
    return json.loads(plane.kubectl("get", *what, "-o", "json"))
