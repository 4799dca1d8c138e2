"""What the examples for a laptop would create, on the real engine."""

import shutil

import pytest

from lab import REPOSITORY
from lab.engine.project_copy import stacks_of
from lab.toolchain import Toolchain
from tests.lab.copies import copy_working_tree
from tests.lab.test_preview import Clone


@pytest.fixture(scope="module")
def clone(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy of the working tree, with the examples where a person would copy them."""
    folder = copy_working_tree(tmp_path_factory.mktemp("clone"))
    for file in (folder / "examples").glob("Pulumi.*.yaml"):
        shutil.copy(file, folder)
    return Clone(folder)


@pytest.mark.parametrize("example", stacks_of(REPOSITORY / "examples"))
def test_an_example_plans_every_resource_as_new(clone, example):
    entry = clone.planned(example)

    assert entry["errors"] == []
    assert set(entry["changes"]) == {"create"}
    names = [n for types in entry["components"].values() for named in types.values() for n in named]
    assert {"iris-deployment", "iris-data", "iris-service"} <= set(names)
    assert ("longhorn-release" in names) == (example not in ("kind", "microk8s"))
