"""A program as a pod's volume lays it out, on this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def lay_out(volume: Mapping[str, Any], texts: Mapping[str, str], folder: Path) -> None:
    """Write a ConfigMap's texts where a volume of that ConfigMap has them."""
    for item in volume["configMap"]["items"]:
        file = folder / item["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts[item["key"]])
