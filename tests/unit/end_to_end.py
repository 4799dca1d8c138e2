"""The shell programs of the end-to-end tests beside stand-ins for the programs that they call."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.conftest import ROOT


@dataclass
class Programs:
    """A copy of ``e2e`` in a folder of its own, and programs of which it is told what they do."""

    root: Path

    def stand_in(self, name: str, body: str) -> None:
        """Put a program before those of the machine; `$NOTES` is where it may note something."""
        file = self.root / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'#!/bin/bash\necho "{name} $*" >>"$NOTES"\n{body}\n')
        file.chmod(0o755)

    def run(
        self, script: str, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the programs to its end."""
        given: Mapping[str, str] = {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "NOTES": str(self.root / "notes"),
            **environment,
        }
        return subprocess.run(
            ["bash", self.root / "e2e" / script, *arguments],
            env=given,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def notes(self) -> list[str]:
        """Every call of a stand-in, with its arguments."""
        file = self.root / "notes"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """The programs, with ``sudo`` that only runs what it is given."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "e2e", tmp_path / "e2e", ignore=ignored)
    found = Programs(tmp_path)
    found.stand_in("sudo", 'exec "$@"')
    return found
