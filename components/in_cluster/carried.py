"""How a pod carries a program of this project: a ConfigMap, laid out as in the repository.

So a module finds another one by the same name here and there, and a traceback in a pod's log names
the file to open.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOUNT = "/opt/ha-iris"
"""Folder of the container that holds a program; it is to be run from there."""

PROGRAM_MOUNT = {"name": "program", "mountPath": MOUNT, "readOnly": True}

NOBODY = 65532
"""Whom the programs run as."""

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
KUBE, EXEC = HERE / "kube.py", HERE / "exec.py"
"""What programs share."""


@dataclass(frozen=True)
class Carried:
    """A program in a folder, and what it needs from elsewhere."""

    folder: Path
    others: tuple[Path, ...]
    settings: str = "settings.json"
    """File from which it reads what a stack chose."""

    @property
    def package(self) -> str:
        """What Python calls it, here and in the pod."""
        return ".".join(self.folder.relative_to(ROOT).parts)

    def data(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Texts of the ConfigMap, by the name of their file."""
        texts = {file.name: file.read_text() for file in self._files()}
        return {**texts, self.settings: json.dumps(dict(settings), indent=2, sort_keys=True)}

    def volume(self, config_map: Any) -> dict[str, Any]:
        """The pod's volume ``program``; the ConfigMap's name may be an Output."""
        places = {file.name: self._place(file) for file in self._files()}
        places[self.settings] = self._place(self.folder / self.settings)
        items = [{"key": name, "path": path} for name, path in sorted(places.items())]
        return {"name": "program", "configMap": {"name": config_map, "items": items}}

    def _files(self) -> list[Path]:
        return [*self.folder.glob("*.py"), *self.folder.glob("*.sh"), *self.others]

    def _place(self, file: Path) -> str:
        # A script of IRIS lies beside the program that sends it there.
        folder = HERE if file.parent == HERE else self.folder
        return str(folder.relative_to(ROOT) / file.name)
