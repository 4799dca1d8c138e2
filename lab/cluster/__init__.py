"""What the lab's cluster holds before anything is deployed into it: nodes, CRDs, kwok Stages.

The Stages describe what kubelets and Longhorn's CSI driver do to one object at a time;
`lab.cluster.storage` does the part that needs knowledge of several objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
DRIVER = "driver.longhorn.io"
"""Name of Longhorn's CSI driver (Longhorn 1.12.1)."""
POWER_LABEL = "lab.ha-iris/power"
"""Nodes with this label set to `on` are run by kwok; removing the label pulls the plug."""
ATTACH_ANNOTATION = "lab.ha-iris/attach"
"""Set on a VolumeAttachment once nothing speaks against attaching."""
MOUNTED_ANNOTATION = "lab.ha-iris/mounted"
"""Set on a pod once the volumes of all its claims are mounted on its node."""
DEPLOYED_ANNOTATION = "lab.ha-iris/deployed"
"""Set on the pod of Longhorn's driver deployer once it has got as far as making the driver."""


@dataclass(frozen=True)
class Timings:
    """How long the simulated parts take, in seconds. Short, so that `make up` is quick.

    They are no statement about how long Longhorn or IRIS take on real machines.
    """

    driver: float = 2.0
    """From Longhorn's running driver deployer to its CSI driver."""
    attach: float = 1.0
    """From VolumeAttachment to an attached volume (Longhorn engine and replicas start)."""
    detach: float = 0.5
    """From deletion of a VolumeAttachment to a detached volume."""
    database_start: float = 2.0
    """From a started IRIS container to a passed readiness probe."""
    database_stop: float = 1.0
    """From the deletion of an IRIS pod to its clean end."""
    kubelet_status: float = 0.0
    """Between two reports of a kubelet, in which it says what volumes it uses; 0: at once."""

    def milliseconds(self) -> dict[str, int]:
        """Delay of each Stage that has one, by the Stage's name."""
        seconds = {
            "driver-deployed": self.driver,
            "volume-attach": self.attach,
            "volume-detach": self.detach,
            "database-ready": self.database_start,
            "database-stopped": self.database_stop,
        }
        return {name: int(value * 1000) for name, value in seconds.items()}


def objects(kubernetes_version: str, timings: Timings) -> list[dict[str, Any]]:
    """Every object of this folder's YAML, with `timings` and the version of the kubelets put in."""
    found: list[dict[str, Any]] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        text = path.read_text().replace("KUBERNETES_VERSION", kubernetes_version)
        for document in yaml.safe_load_all(text):
            found.extend(document["items"] if document["kind"] == "List" else [document])
    delays = timings.milliseconds()
    for item in found:
        if item["kind"] == "Stage" and item["metadata"]["name"] in delays:
            delay = delays.pop(item["metadata"]["name"])
            item["spec"]["delay"] = {"durationMilliseconds": delay}
    if delays:
        raise LookupError(f"no Stage is called {', '.join(delays)}")
    return found


def commands(environment: Mapping[str, str]) -> dict[str, Any]:
    """What lets ``kubectl exec`` run commands, on this machine, in an environment (kwok 0.8.0)."""
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterExec",
        "metadata": {"name": "this-machine"},
        "spec": {"execs": [{"local": {"envs": variables}}]},
    }
