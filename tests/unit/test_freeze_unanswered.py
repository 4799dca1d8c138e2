"""An IRIS that does not answer counts as frozen wherever a thaw is at stake: freeze.sh itself."""

import subprocess
import threading

import pytest

from tests.unit.backup_cluster import PlayedIris
from tests.unit.backup_job import played_backup

PROGRAM = "components/iris/scripts/freeze.sh"
NOBODY_CAN_TELL = "nobody can tell whether IRIS is frozen"


@pytest.fixture
def iris(tmp_path):
    return hurried(PlayedIris(tmp_path / "iris"))


def hurried(iris: PlayedIris) -> PlayedIris:
    """The same, without the pauses between two attempts to thaw."""
    programs = iris.folder / "bin"
    programs.mkdir()
    (programs / "sleep").write_text("#!/bin/sh\n")
    (programs / "sleep").chmod(0o755)
    iris.environment["PATH"] = f"{programs}:{iris.environment['PATH']}"
    return iris


def freeze(iris: PlayedIris, *words: str, told: str = "") -> tuple[int, str]:
    done = subprocess.run(
        ["bash", PROGRAM, *words],
        env=iris.environment,
        input=told,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def silent(iris: PlayedIris, stat: str = "no-stat") -> None:
    iris.fails("no-session")
    iris.fails(stat)


@pytest.mark.parametrize("stat", ["no-stat", "empty-stat"])
@pytest.mark.parametrize("frozen", [True, False])
def test_a_person_is_not_told_that_an_iris_without_an_answer_runs(iris, stat, frozen):
    if frozen:
        iris.fails("frozen", "99999999999")
    silent(iris, stat)

    code, said = freeze(iris, "thaw")

    assert (code, said.partition(":")[0]) == (1, NOBODY_CAN_TELL)
    assert iris.frozen is frozen


def test_where_no_session_can_be_had_irisstat_tells_of_an_iris_that_runs(iris):
    iris.fails("no-session")

    assert freeze(iris, "thaw") == (0, "IRIS is not frozen\n")


def test_an_iris_that_is_down_is_not_frozen(iris):
    iris.fails("down")

    assert freeze(iris, "thaw") == (0, "IRIS is down and not frozen\n")


def test_an_iris_that_answers_again_is_thawed(iris):
    iris.fails("frozen", "99999999999")

    assert freeze(iris, "thaw") == (0, "IRIS was frozen and is thawed\n")
    assert not iris.frozen


def test_a_freeze_of_which_the_end_is_not_known_stays_watched(iris):
    with subprocess.Popen(
        ["bash", PROGRAM, "hold", "600", "30"],
        env=iris.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as hold:
        assert hold.stdin
        assert hold.stdout
        assert [hold.stdout.readline().split()[0] for _ in range(2)] == ["marked", "frozen"]
        silent(iris)
        hold.stdin.write("check\nthaw\n")
        hold.stdin.flush()
        said = [hold.stdout.readline(), hold.stdout.readline()]
        watched = iris.folder / "tmp" / "ha-iris-freeze"

        assert said == ["lapsed\n", "stuck\n"]
        assert watched.exists()
        assert iris.frozen

        # What is left beside it goes on asking, and thaws as soon as IRIS answers.
        watched.write_text("0\n")
        iris.mended("no-session")
        thawed_and_unwatched(iris)


def thawed_and_unwatched(iris: PlayedIris) -> None:
    for _ in range(500):
        if not iris.frozen and not (iris.folder / "tmp" / "ha-iris-freeze").exists():
            return
        threading.Event().wait(0.02)
    raise AssertionError("IRIS is frozen, or watched for ever")


def test_nothing_is_frozen_where_nobody_can_tell_whether_it_is_already(iris):
    silent(iris)

    assert freeze(iris, "hold", "30", "5")[1].startswith(f"refused {NOBODY_CAN_TELL}")
    assert freeze(iris, "alone", "30") == (1, freeze(iris, "thaw")[1])
    assert iris.moments() == []


def test_velero_is_not_told_of_a_good_backup_where_nobody_can_tell(iris):
    assert freeze(iris, "alone", "30")[0] == 0
    silent(iris)

    code, said = freeze(iris, "end")

    assert (code, said.partition(":")[0]) == (1, NOBODY_CAN_TELL)
    iris.mended("no-session")
    assert freeze(iris, "thaw")[0] == 0


def test_the_job_asks_until_iris_says_that_it_is_thawed(tmp_path):
    with played_backup(tmp_path) as backup:
        hurried(backup.iris)

        def again():
            backup.cluster.at("GET /api/v1/namespaces/iris/pods/iris-7d4/exec", answer)

        def answer():
            backup.iris.mended("no-session")
            backup.iris.mended("no-stat")

        backup.cluster.at("word thaw", lambda: (silent(backup.iris), again()))
        code, printed = backup.run()

        assert code == 0, printed
        assert "asked again to thaw: IRIS was frozen and is thawed" in printed
        assert not backup.iris.frozen
