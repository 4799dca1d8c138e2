"""What the API server itself says to an attachment on a node that is out of reach."""

from collections.abc import Iterator

import pytest
import yaml

from components.longhorn.dead_nodes import UNREACHABLE
from lab import LabError
from lab.cluster.control_plane import ControlPlane
from tests.lab.stack import Stack
from tests.lab.waiting import eventually

LONGHORN = "driver.longhorn.io"


@pytest.fixture
def away(control_plane: ControlPlane) -> Iterator[str]:
    """A node that never was, marked as the node controller marks one that is out of reach."""
    taint = {"key": UNREACHABLE, "effect": "NoExecute"}
    node = {"metadata": {"name": "away"}, "spec": {"taints": [taint], "unschedulable": True}}
    written = yaml.safe_dump({"apiVersion": "v1", "kind": "Node", **node})
    control_plane.kubectl("create", "-f", "-", stdin=written)
    yield "away"
    control_plane.kubectl("delete", "node", "away")


def test_longhorns_volume_is_attached_to_no_node_that_is_out_of_reach(
    stack: Stack, control_plane: ControlPlane, away: str
):
    def attached(node: str, attacher: str = LONGHORN) -> str:
        """What is said to it; empty: yes."""
        source = {"persistentVolumeName": "any"}
        spec = {"attacher": attacher, "nodeName": node, "source": source}
        kind = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment"}
        item = yaml.safe_dump({**kind, "metadata": {"name": "any"}, "spec": spec})
        try:
            control_plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=item)
        except LabError as error:
            return str(error)
        return ""

    # The API server compiles a policy and lists its nodes some time after it has taken it.
    eventually(lambda: "node away is out of reach" in attached(away))
    assert attached("node-a") == ""
    assert attached(away, "another.driver") == ""
