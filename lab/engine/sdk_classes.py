"""Loads a program's modules and SDK classes early, while nothing else needs the processor.

The cloud SDKs load a module when something in it is touched first; for EC2, AKS or Compute Engine
that is most of a second, which a program otherwise spends after the engine has called it.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

from lab.engine.program import PROGRAM_PACKAGES

MODULES = {
    "existing": "stacks.existing",
    "aws": "stacks.eks",
    "azure": "stacks.aks",
    "gcp": "stacks.gke",
}
"""The program's module for each cloud, as ``stacks.compose`` chooses it."""


def load(cloud: str) -> None:
    """Import the program's module for a cloud and touch every SDK class that its source names.

    A program without such a module, or one whose import fails, is left alone: what is wrong with it
    is told when it runs.
    """
    try:
        importlib.import_module(MODULES.get(cloud, "stacks"))
    except Exception:
        return
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] in PROGRAM_PACKAGES and module.__file__:
            _touch_classes(module, Path(module.__file__).read_text())


def _touch_classes(module: ModuleType, source: str) -> None:
    """Resolve what the source calls ``ec2.Vpc`` or ``k8s.core.v1.Secret``, as running it would."""
    for alias, value in [*vars(module).items()]:
        if getattr(value, "__name__", "").startswith("pulumi_") and isinstance(value, ModuleType):
            for path in set(re.findall(rf"\b{alias}((?:\.\w+)+)", source)):
                found: object = value
                for part in path[1:].split("."):
                    found = getattr(found, part, None)
