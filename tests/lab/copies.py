"""The project as somebody else would get it."""

import shutil
import subprocess
from pathlib import Path

from lab import REPOSITORY


def copy_working_tree(folder: Path) -> Path:
    """Copy what git has or would take into a folder; gives the folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():  # git still lists one that was just removed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder
