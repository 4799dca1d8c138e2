"""A volume for journals that a running database gets, in the lab: no byte is written there."""

import pytest

from lab.engine import EngineError
from tests.lab.stack import Stack, changes

ON = {"journals": {"volumeGib": 20}}


def mounted(stack: Stack) -> list[str]:
    """Claims of the database's pod."""
    pod = stack.get("deployment", "iris", "-n", "iris")["spec"]["template"]["spec"]
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    ]


def failing(stack: Stack, operation, capfd) -> str:
    """What an operation says that fails."""
    capfd.readouterr()
    with pytest.raises(EngineError):
        stack.run(operation)
    told = capfd.readouterr()
    return told.out + told.err


def test_journals_get_a_volume_beside_a_database_that_runs_and_keep_it(stack, capfd):
    stack.groups = {"protectData": True}
    stack.run("up")
    data = stack.claim_uid()
    stack.groups = {"protectData": True, "iris": ON}

    capfd.readouterr()
    changed = changes(stack.run("up"))

    assert "on the same disks as the databases" in (told := capfd.readouterr().out)
    assert "The old ones stay where they are, mounted as before" in told
    assert changed["iris-journals"] == "create"
    assert changed["iris-deployment"] == "update"
    assert "iris-data" not in changed
    assert mounted(stack) == ["iris-data", "iris-journals"]
    assert stack.claim_uid() == data
    journals = ("persistentvolumeclaim", "iris-journals", "-n", "iris")
    assert stack.get(*journals)["status"]["phase"] == "Bound"
    uid = stack.get(*journals)["metadata"]["uid"]
    assert changes(stack.run("up")) == {}

    # Neither a line that is dropped nor a destroy takes it away.
    stack.groups = {"protectData": True}
    assert "with journals.inUse false" in failing(stack, "up", capfd)
    stack.groups = {"protectData": True, "iris": ON}
    assert "protect" in failing(stack, "destroy", capfd)
    assert mounted(stack) == ["iris-data", "iris-journals"]
    assert stack.get(*journals)["metadata"]["uid"] == uid
