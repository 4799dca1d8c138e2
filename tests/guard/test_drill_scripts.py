"""What drills run in IRIS's container, run for real: beside other processes, and on full disks."""

import subprocess
from pathlib import Path

import pytest

from drills.faults.database import KILL
from drills.faults.volumes import EMPTY, FILL, FILLER
from tests.guard.conftest import missing

# IRIS's user, as which the container runs.
AS_IRIS = "setpriv --reuid 51773 --regid 51773 --clear-groups"


@pytest.fixture(autouse=True)
def _can_be_made() -> None:
    if why := missing():
        pytest.skip(f"no container can be made here: {why}")


def container(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the first process of namespaces that end with it."""
    own = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc")
    return subprocess.run(
        [*own, "bash", "-c", script, "first", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_all_but_the_first_process_is_killed():
    two = "until [ $(pgrep -u 51773 -c sleep) = 2 ]; do sleep .05; done"
    script = f'{AS_IRIS} sleep 60 & {AS_IRIS} setsid sleep 60 & {two}; {AS_IRIS} sh -c "$1"'
    done = container(f"{script}; echo ended with $?; pgrep -c sleep", KILL)
    assert done.stdout.splitlines() == ["ended with 0", "0"]


def test_what_may_not_be_killed_is_told():
    done = container(f'sleep 60 & sleep .2; {AS_IRIS} sh -c "$1"; echo ended with $?', KILL)
    told, ended = done.stdout.splitlines()
    assert told.startswith("processes that were not killed: ")
    assert ended == "ended with 1"


@pytest.mark.parametrize(
    "mount",
    [
        "mount -t tmpfs -o size=40m none /mnt",
        "truncate -s 80m $3 && mkfs.ext4 -q $3 && mount -o loop $3 /mnt",
    ],
)
def test_a_file_system_is_filled_to_the_last_block_and_emptied_again(tmp_path: Path, mount: str):
    name = f"{FILLER}-test"
    fill = FILL.format(folders="/mnt", files=f"/mnt/{name}", filler=name, latest=60)
    empty = EMPTY.format(files=f"/mnt/{FILLER}-*")
    free = "df -Pk /mnt | tail -n 1 | (read -r _ _ _ free _; echo $free)"
    script = f"""
      {mount} && chmod 777 /mnt
      {AS_IRIS} sh -c "$1" 2>/dev/null; echo $?; {free}
      {AS_IRIS} sh -c "$2"; echo $?; {free}
    """
    done = container(script, fill, empty, str(tmp_path / "image"))
    filled, none, removed, emptied, room = done.stdout.splitlines()
    assert (filled, removed, emptied) == ("0", f"/mnt/{name}", "0"), done.stderr
    assert int(none) < 1024 < 10_000 < int(room)


def test_a_file_system_that_cannot_be_filled_is_told():
    fill = FILL.format(folders="/mnt", files="/mnt/f", filler="f", latest=60)
    # A folder of root's: IRIS may not write there.
    script = f'mount -t tmpfs -o size=40m,mode=755 none /mnt; {AS_IRIS} sh -c "$1"; echo $?'
    assert container(script, fill).stdout.splitlines() == ["40960 KiB are free in /mnt", "1"]
