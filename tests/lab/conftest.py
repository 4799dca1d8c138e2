"""A lab for each file of tests, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.control_plane import ControlPlane
from lab.home import LabHome
from lab.toolchain import Toolchain, ensure

LIMIT_SECONDS = 300
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
