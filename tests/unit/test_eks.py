"""IRIS on EKS: what the program makes of the committed stack file."""

import runpy

from tests.unit.conftest import ROOT


def test_the_committed_stack_builds_the_whole_path(deploy, stack_config):
    engine = deploy(
        lambda: runpy.run_path(str(ROOT / "__main__.py")), stack="eks", config=stack_config("eks")
    )

    kinds = {resource.type for resource in engine.resources if not resource.request.custom}
    assert kinds == {
        "ha-iris:network:AwsNetwork",
        "ha-iris:cluster:EksCluster",
        "ha-iris:cluster:EksAdmins",
        "ha-iris:cluster:EksNodeGroups",
        "ha-iris:storage:S3BackupStore",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
    }
