"""IRIS on GKE: what the program makes of the committed stack file."""

import runpy

from tests.unit.conftest import ROOT


def test_the_committed_stack_builds_the_whole_path(deploy, stack_config):
    engine = deploy(
        lambda: runpy.run_path(str(ROOT / "__main__.py")), stack="gke", config=stack_config("gke")
    )

    kinds = {resource.type for resource in engine.resources if not resource.request.custom}
    assert kinds == {
        "ha-iris:network:GcpNetwork",
        "ha-iris:cluster:GkeCluster",
        "ha-iris:cluster:GkeNodeAccount",
        "ha-iris:cluster:GkeNodePools",
        "ha-iris:storage:GcsBackupStore",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
    }
