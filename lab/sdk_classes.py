"""Loads the SDK classes that a program is going to use, while nothing else needs the processor.

The cloud SDKs load a module when the first class in it is touched; for EC2, AKS or Compute Engine
that is most of a second, which a program otherwise spends after the engine has called it.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

SDKS = {
    "aws": "pulumi_aws",
    "azure": "pulumi_azure_native",
    "gcp": "pulumi_gcp",
    "existing": "pulumi_kubernetes",
}
"""The SDK of each cloud; every stack uses the ones of Kubernetes and random."""
COMMON = ("pulumi_kubernetes", "pulumi_random")


def load(project: Path, cloud: str) -> None:
    """Touch every SDK class that the program's source names, as in ``aws.ec2.Vpc``.

    A name that is read wrongly costs nothing and one that is missed costs its own load time.
    """
    wanted = {SDKS.get(cloud), *COMMON}
    for source in [*project.glob("components/**/*.py"), *project.glob("stacks/*.py")]:
        text = source.read_text()
        for package, alias in re.findall(r"^import (pulumi_\w+)(?: as (\w+))?$", text, re.M):
            if package not in wanted:
                continue
            sdk = importlib.import_module(package)
            for module, name in re.findall(rf"\b{alias or package}\.(\w+)\.(\w+)", text):
                getattr(getattr(sdk, module, None), name, None)
