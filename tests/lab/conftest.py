"""A lab for each file of tests, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster.control_plane import ControlPlane
from lab.home import LabHome
from lab.plugins.provide import provide
from lab.toolchain import Toolchain, ensure
from tests.lab.stack import Stack

LIMIT_SECONDS = 600
"""For one test without its fixtures: the first one of a session may build the lab's programs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no test of a lab hang: a wait that has no end of its own ends here."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_SECONDS, func_only=True))


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The lab's programs, built if they are not in the cache."""
    return ensure()


@pytest.fixture(scope="module")
def lab_home(tmp_path_factory: pytest.TempPathFactory) -> LabHome:
    """The folder of these tests' lab."""
    return LabHome(tmp_path_factory.mktemp("home") / "lab")


@pytest.fixture(scope="module")
def control_plane(lab_home: LabHome, toolchain: Toolchain) -> Iterator[ControlPlane]:
    """These tests' cluster, running; its processes end with them."""
    plane = ControlPlane(lab_home, toolchain)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop(delete=True)


@pytest.fixture(scope="module")
def shared_stack(control_plane: ControlPlane, lab_home: LabHome, toolchain: Toolchain) -> Stack:
    """The stack of all these tests; it ends with its cluster."""
    provide(lab_home, toolchain, print)
    return Stack(lab_home, toolchain)


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """The stack as its file describes it, up and running."""
    shared_stack.bring_up()
    return shared_stack


@pytest.fixture
def no_stack(shared_stack: Stack) -> Stack:
    """The stack before its first ``up``."""
    shared_stack.bring_down()
    return shared_stack
