"""The program of the jobs here, and how their pods carry it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGE = "ha_iris_backup"
"""What Python calls it there."""

MOUNT = "/opt/ha-iris"
"""Folder of the container that holds the package."""

NOBODY = 65532
"""Whom the jobs run as."""

FOLDER = Path(__file__).parent
FREEZE = FOLDER.parent / "iris" / "scripts" / "freeze.sh"


def program_files() -> dict[str, str]:
    """The files of the program by name, without settings."""
    files = [*FOLDER.joinpath("program").glob("*.py"), *FOLDER.joinpath("program").glob("*.sh")]
    return {file.name: file.read_text() for file in [*files, FREEZE]}


def program(settings: Mapping[str, Any]) -> dict[str, str]:
    """The files of the job's program by name, its settings among them."""
    return {
        **program_files(),
        "settings.json": json.dumps(dict(settings), indent=2, sort_keys=True),
    }
