"""The hooks that docs/backup.md gives to Velero: what they run, and what Velero makes of it."""

import re
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.unit.backup_cluster import PlayedIris

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "components" / "iris" / "scripts"


@pytest.fixture
def iris(tmp_path):
    return PlayedIris(tmp_path / "iris")


def hook(when: str):
    """The one hook of the page's Schedule, as Velero would exec it."""
    page = (ROOT / "docs" / "backup.md").read_text()
    (text,) = re.findall(r"```yaml\n(apiVersion: velero.io/v1\n.*?)```", page, re.DOTALL)
    (resource,) = yaml.safe_load(text)["spec"]["template"]["hooks"]["resources"]
    (one,) = resource[when]
    return one["exec"]


def run(iris: PlayedIris, when: str, *, limit: str | None = None) -> tuple[int, str]:
    command = [word.replace("/etc/ha-iris/scripts", str(SCRIPTS)) for word in hook(when)["command"]]
    if limit:
        command[-1] = limit
    done = subprocess.run(
        command, env=iris.environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout


def test_a_freeze_that_worked_ends_with_what_velero_takes_for_success(iris):
    assert run(iris, "pre")[0] == 0
    assert iris.frozen
    assert run(iris, "post")[0] == 0
    assert not iris.frozen
    assert iris.did("frozen") == iris.did("thawed") == 1


def test_a_freeze_that_failed_fails_the_hook_and_leaves_no_freeze(iris):
    iris.fails("refuses-freeze")

    code, printed = run(iris, "pre")

    assert code == 1
    assert "ExternalFreeze ended with 3" in printed
    assert not iris.frozen
    assert hook("pre")["onError"] == "Fail"


def test_velero_hears_that_iris_resumed_before_its_snapshot_was_done(iris):
    run(iris, "pre")
    (iris.folder / "frozen").unlink()

    code, printed = run(iris, "post")

    assert code == 1
    assert "not frozen any more" in printed


def test_iris_is_thawed_although_velero_never_runs_its_second_hook(iris):
    run(iris, "pre", limit="1")
    (iris.folder / "frozen").write_text("99999999999")  # and IRIS does not resume by itself

    begin = time.monotonic()
    while iris.frozen:
        assert time.monotonic() - begin < 25
        time.sleep(0.05)

    assert iris.did("thawed") == 1
