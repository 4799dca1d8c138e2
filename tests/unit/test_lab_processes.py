"""A lab's processes are found and ended, those that come while we look included."""

import subprocess
import sys
import time

import pytest

from lab.cluster import processes
from lab.home import LabHome

STARTS_OTHERS = """
import subprocess, sys, time
while True:
    subprocess.Popen([sys.argv[2], "60"], executable="/bin/sleep")
    time.sleep(0.005)
"""


@pytest.fixture
def home(tmp_path) -> LabHome:
    return LabHome(tmp_path / "lab")


def test_what_is_started_while_the_lab_is_ended_ends_too(home):
    etcd = f"{home.cluster}/bin/etcd"
    kwokctl = subprocess.Popen(
        ["kwokctl", "-c", STARTS_OTHERS, home.name, etcd], executable=sys.executable
    )
    try:
        deadline = time.monotonic() + 10
        while len(processes.find(home).get("etcd", [])) < 20:
            assert time.monotonic() < deadline

        processes.end_all(home)

        assert processes.find(home) == {}
    finally:
        kwokctl.kill()
        kwokctl.wait()
        processes.end(processes.find(home))
