"""Whether IRIS took its merge file: the program that says so, and where a person reads it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.iris_parts import container

FOLDER = Path(__file__).parents[2] / "components" / "iris" / "scripts"

# Two lines that IRIS 2021.1 wrote when it could not make a database's folder, as published on
# InterSystems' Japanese developer community (Kubernetes with microk8s).
REFUSED = (
    "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #503: Error executing [Actions] section "
    "in file /iris-mgr/IRIS_conf.d/merge_actions.cpf\n"
    "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #507: Action 'CreateDatabase' failed at "
    "line 2, Method Config.CPF:CreateOneDatabase(), Error=ERROR #5032: Cannot create directory "
    "'/vol-data/db/TEST-DATA/, Error=-13'\n"
)
# From the same page: a line of the same log that has nothing to do with the merge.
LICENCE = (
    "05/17/21-19:21:17:417 (2334) 2 [Generic.Event] License limit exceeded 1 times since instance "
    "start.\n"
)
ELSEWHERE = "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #5032: Cannot create directory\n"


class Instance:
    """The part of an instance that the program sees."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "data" / "mgr" / "messages.log"
        self.log.parent.mkdir(parents=True)
        # In the place of what keeps the volume's lock until the container ends: nothing stays.
        nothing_stays = folder / "bin" / "setsid"
        nothing_stays.parent.mkdir()
        nothing_stays.symlink_to("/bin/true")
        self.environment = {
            "PATH": f"{nothing_stays.parent}:{os.environ['PATH']}",
            "ISC_DATA_DIRECTORY": str(folder / "data"),
            "TMPDIR": str(folder),
        }

    def writes(self, text: str) -> None:
        with self.log.open("a") as log:
            log.write(text)

    def runs(self, *arguments: str, program: str = "merge_errors.sh") -> tuple[int, str, str]:
        done = subprocess.run(
            ["sh", FOLDER / program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def instance(tmp_path):
    return Instance(tmp_path)


TAKEN = "merge-errors: messages.log names nothing of the merge file that was refused since this"


def test_what_iris_refused_at_this_start_is_told_with_its_lines(instance):
    instance.runs("--mark")
    instance.writes(LICENCE + REFUSED)

    code, told, noise = instance.runs()

    assert (code, noise) == (0, "")
    first, *lines, last = told.splitlines(keepends=True)
    assert first == "merge-errors: IRIS refused something of its merge file since this start:\n"
    assert "".join(lines) == REFUSED
    assert "docs/cpf.md" in last


def test_a_start_without_a_refusal_says_so(instance):
    instance.runs("--mark")
    instance.writes(LICENCE + ELSEWHERE)

    assert instance.runs() == (0, f"{TAKEN} start\n", "")
    assert instance.runs("--strict")[0] == 0


def test_what_was_refused_at_an_earlier_start_is_not_told_again(instance):
    instance.writes(REFUSED)
    instance.runs("--mark")
    instance.writes(LICENCE)

    assert instance.runs() == (0, f"{TAKEN} start\n", "")


def test_a_live_merge_that_was_refused_later_is_found_when_somebody_asks(instance):
    instance.runs("--mark")
    instance.writes(LICENCE)
    assert instance.runs("--strict")[0] == 0
    instance.writes(REFUSED)

    code, told, _ = instance.runs("--strict")

    assert code == 1
    assert "ERROR #507: Action 'CreateDatabase' failed" in told


def test_a_log_that_iris_began_anew_is_read_from_its_beginning(instance):
    instance.writes(LICENCE * 50)
    instance.runs("--mark")
    instance.log.write_text(REFUSED)

    code, told, _ = instance.runs("--strict")

    assert code == 1
    assert "since messages.log was begun anew:" in told


def test_without_a_mark_the_whole_log_counts(instance):
    instance.writes(REFUSED)

    code, told, _ = instance.runs("--strict")

    assert code == 1
    assert "since the beginning of messages.log:" in told


def test_a_mark_that_is_no_number_does_no_harm(instance, tmp_path):
    (tmp_path / "ha-iris-messages-size").write_text("what\n")
    instance.writes(REFUSED)

    assert instance.runs("--strict")[0] == 1


def test_no_start_depends_on_the_log(instance):
    code, told, noise = instance.runs()

    assert (code, noise) == (0, "")
    assert "cannot be read; whether IRIS took its merge file is not known" in told
    assert instance.runs("--strict")[0] == 1


def test_before_a_start_the_log_is_marked_and_what_fails_there_stops_nothing(instance, tmp_path):
    instance.writes(REFUSED)

    code, _, _ = instance.runs(program="before_start.sh")

    assert code == 0
    assert (tmp_path / "ha-iris-messages-size").read_text() == f"{len(REFUSED)}\n"
    assert instance.runs("--strict")[0] == 0


def test_the_folder_that_journals_turn_to_is_there_before_iris_starts(instance, tmp_path):
    other = tmp_path / "data" / "journals.other"
    instance.environment["OTHER_JOURNALS"] = str(other)

    assert instance.runs(program="before_start.sh")[0] == 0
    assert other.is_dir()
    assert instance.runs(program="before_start.sh")[0] == 0


def test_without_a_volume_of_journals_no_folder_is_made(instance, tmp_path):
    before = sorted((tmp_path / "data").iterdir())

    assert instance.runs(program="before_start.sh")[0] == 0
    assert sorted((tmp_path / "data").iterdir()) == before


def test_iris_main_asks_after_each_start(iris):
    args = container(iris())["args"]

    assert args[args.index("--after") + 1] == "/etc/ha-iris/scripts/merge_errors.sh"
