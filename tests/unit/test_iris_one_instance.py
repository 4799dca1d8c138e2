"""Two IRIS on one volume destroy it: the second waits, on the same node too."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from components.iris.pod import SCRIPTS
from tests.unit.iris_parts import DEPLOYMENT

FOLDER = Path(__file__).parents[2] / "components" / "iris" / "scripts"


class Container:
    """Processes that begin with what iris-main runs before IRIS, and end all at once."""

    def __init__(self, data: Path, log: Path, path: str = os.environ["PATH"]) -> None:
        self.data = data
        self.log = log
        environment = {"ISC_DATA_DIRECTORY": str(data), "PATH": path}
        with log.open("w") as told:
            self.before = subprocess.Popen(
                ["/bin/bash", FOLDER / "one_instance.sh"], env=environment, stderr=told
            )

    def starts_iris(self, *, within: float) -> bool:
        """Whether it comes as far as IRIS itself in so many seconds."""
        try:
            return self.before.wait(within) == 0
        except subprocess.TimeoutExpired:
            return False

    def says(self, words: str) -> bool:
        """Whether it says this within ten seconds."""
        until = time.monotonic() + 10
        while words not in self.log.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        return words in self.log.read_text()

    def end(self) -> None:
        """What a runtime does to every process of a container."""
        for folder in Path("/proc").iterdir():
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"ISC_DATA_DIRECTORY={self.data}".encode() in environment:
                os.kill(int(folder.name), signal.SIGKILL)
        self.before.wait(10)


@pytest.fixture
def container(tmp_path):
    """``container("pod", volume)`` begins in a pod of that name on this node."""
    started: list[Container] = []

    def begin(name: str, volume: str = "volume", **settings) -> Container:
        # The same file by another path, as each pod has its own mount of the volume.
        (tmp_path / volume).mkdir(exist_ok=True)
        mount = tmp_path / name
        mount.symlink_to(tmp_path / volume, target_is_directory=True)
        started.append(Container(mount / "iris", tmp_path / f"{name}.log", **settings))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def test_a_second_pod_on_the_node_waits_until_the_first_has_ended(container):
    first = container("first")
    assert first.starts_iris(within=10)

    second = container("second")

    assert second.says("another pod on this node has the volume")
    assert not second.starts_iris(within=1.5)
    first.end()
    assert second.starts_iris(within=10)


def test_a_container_that_was_killed_does_not_keep_the_next_one_waiting(container):
    first = container("first")
    assert first.starts_iris(within=10)
    first.end()

    again = container("again")

    assert again.starts_iris(within=10)
    assert again.log.read_text() == ""


def test_databases_on_other_volumes_do_not_wait_for_each_other(container):
    assert container("one", "volume").starts_iris(within=10)
    assert container("other", "another-volume").starts_iris(within=10)


def test_an_image_without_flock_starts_and_says_what_is_missing(container, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("sleep", "setsid"):
        (programs / program).symlink_to(shutil.which(program) or "")

    lone = container("lone", path=str(programs))

    assert lone.starts_iris(within=10)
    assert lone.says("this image has no flock")


def test_nothing_touches_the_volume_before_it_is_known_to_be_free():
    words = SCRIPTS["before_start.sh"].splitlines()
    programs = [line for line in words if line.startswith('"$here/')]

    assert programs[0] == '"$here/one_instance.sh"'


def test_the_heir_of_a_deleted_pod_goes_where_that_was_if_there_is_room(iris):
    template = iris().one(DEPLOYMENT).inputs["spec"]["template"]
    [wish] = template["spec"]["affinity"]["podAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]

    assert wish["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    labels = wish["podAffinityTerm"]["labelSelector"]["matchLabels"]
    assert labels.items() <= template["metadata"]["labels"].items()
