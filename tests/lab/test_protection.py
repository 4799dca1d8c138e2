"""Protected data survives mistakes, on the real engine against a real API server."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.engine import EngineError, Operation
from tests.lab.copies import copy_working_tree
from tests.lab.stack import Stack, changes


@pytest.fixture
def protected(stack: Stack) -> Stack:
    """A stack whose data is protected, up and running."""
    stack.groups = {"protectData": True}
    stack.run("up")
    return stack


MISTAKES: dict[str, tuple[Operation, dict[str, Any]]] = {
    "destroy": ("destroy", {}),
    "another namespace": ("up", {"iris": {"namespace": "renamed"}}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_protected_data_survives(protected, mistake, capfd):
    operation, groups = MISTAKES[mistake]
    uid = protected.claim_uid()
    protected.groups = {"protectData": True, **groups}

    with pytest.raises(EngineError):
        protected.run(operation)

    told = capfd.readouterr()
    assert "protect" in told.out + told.err
    assert protected.claim_uid() == uid
    claim = protected.get("persistentvolumeclaim", "iris-data", "-n", "iris")
    assert claim["status"]["phase"] == "Bound"
    protected.groups = {"protectData": True}
    assert protected.run("up")
    assert protected.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1


def program_with_another_name_for(component: str, folder: Path) -> Path:
    """A copy of the program in which a component has another name, and so all of its children."""
    copy_working_tree(folder)
    texts = {file: file.read_text() for file in (folder / "stacks").glob("*.py")}
    for file, text in texts.items():
        file.write_text(re.sub(rf'(\(\s*)"{component}",', r'\1"renamed",', text))
    assert any(file.read_text() != text for file, text in texts.items())
    return folder


def test_another_storage_class_for_protected_data_is_refused(protected, tmp_path, capfd):
    uid = protected.claim_uid()
    protected.project = copy_working_tree(tmp_path / "program")
    file = protected.project / "Pulumi.dev.yaml"
    stack = yaml.safe_load(file.read_text())
    del stack["config"]["ha-iris:longhorn"]
    file.write_text(yaml.safe_dump(stack))
    protected.groups = {"protectData": True, "iris": {"storageClass": "standard"}}

    with pytest.raises(EngineError):
        protected.run("up")

    told = capfd.readouterr()
    assert "protect" in told.out + told.err
    assert protected.claim_uid() == uid


@pytest.mark.parametrize("component", ["iris", "longhorn"])
def test_a_refactoring_that_renames_what_holds_data_is_refused(
    protected, component, tmp_path, capfd
):
    before = protected.engine.resources
    protected.project = program_with_another_name_for(component, tmp_path / "program")

    with pytest.raises(EngineError):
        protected.run("preview")

    told = capfd.readouterr()
    assert "protect" in told.out + told.err
    assert protected.engine.resources == before


def test_a_refactoring_that_renames_the_cluster_leaves_what_is_in_it_alone(protected, tmp_path):
    protected.project = program_with_another_name_for("cluster", tmp_path / "program")

    planned = changes(protected.run("preview"))

    assert planned.keys() == {"cluster", "cluster-provider", "renamed", "renamed-provider"}


def test_another_storage_class_of_the_same_name_leaves_the_volume_alone(protected):
    uid = protected.claim_uid()
    protected.groups = {"protectData": True, "longhorn": {"replicas": 2}}

    done = changes(protected.run("up"))

    assert "iris-data" not in done
    assert protected.claim_uid() == uid
    parameters = protected.get("storageclass", "longhorn-iris")["parameters"]
    assert parameters["numberOfReplicas"] == "2"


def test_a_volume_outlives_a_claim_deleted_by_hand(no_stack):
    protected = no_stack
    protected.groups = {"protectData": True}
    protected.run("up")
    volume = protected.get("persistentvolumeclaim", "iris-data", "-n", "iris")["spec"]["volumeName"]

    protected.kubectl("delete", "namespace", "iris")

    assert protected.get("persistentvolume", volume)["status"]["phase"] == "Released"
    protected.run("refresh")
