"""The embedded lab: a real Kubernetes control plane on this machine, with simulated nodes.

What is real: etcd, the API server, the controller manager, the scheduler, Helm and the Pulumi CLI.
What is simulated: the nodes (kwok), the kubelets and Longhorn's CSI driver. No container runs.
"""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
"""The clone that this lab belongs to."""


class LabError(Exception):
    """Something the user can put right, said in one line: key, reason and cure.

    Whoever shows it to a user prints the message alone, without a traceback.
    """

    def __init__(self, key: str, reason: str, cure: str) -> None:
        super().__init__(f"{key}: {reason}; {cure}")
        self.key = key
        self.reason = reason
        self.cure = cure
