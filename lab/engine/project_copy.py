"""The lab's working copy of a Pulumi project: the committed files are read and never written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import yaml

from lab import LabError
from lab.home import write

MADE_UP_SECRET = "made-up-For-a-Preview-1"
"""Stands in a preview for a secret whose key is somebody else's."""


def copy_project(
    project: Path,
    work: Path,
    stack: str,
    settings: Mapping[str, Any],
    *,
    preview: bool,
    plugins: Path | None = None,
) -> list[str]:
    """Lay out the working folder for one run.

    Args:
        project: folder of Pulumi.yaml and the stack files.
        work: the lab's folder; the salt that Pulumi noted in its stack file is kept.
        stack: name of the stack.
        settings: laid over the stack file's configuration, by key as typed there.
        preview: stand in for values that are encrypted with a key the lab does not have.
        plugins: folder of stand-ins for provider plugins, which need not be there.

    Returns:
        Configuration keys that hold a made-up secret.

    Raises:
        LabError: no such stack, a stack file that is not one, or encrypted values and no preview.
    """
    config = merge(read_config(project, stack), settings)
    name = f"Pulumi.{stack}.yaml"
    encrypted = [key for key, value in config.items() if _holds_encrypted(value)]
    if encrypted and not preview:
        raise LabError(
            f"{name}: {', '.join(encrypted)}",
            "encrypted with a key that the lab does not have",
            "run `pulumi up` against your own backend, or leave the value out for the lab",
        )
    # The salt belongs to the lab's passphrase: with another one the state could not be read.
    salt = _read(work / name).get("encryptionsalt") if (work / name).exists() else None
    copy = {"encryptionsalt": salt} if salt else {}
    copy["config"] = {key: _without_encrypted(value) for key, value in config.items()}
    document = _read(project / "Pulumi.yaml")
    if stand_ins := sorted(plugins.glob("pulumi-resource-*") if plugins else []):
        # Named here they are used without a warning for each; those on PATH are warned of.
        document["plugins"] = {
            "providers": [
                {"name": file.name.removeprefix("pulumi-resource-"), "path": str(plugins)}
                for file in stand_ins
            ]
        }
    write(work / "Pulumi.yaml", yaml.safe_dump(document, sort_keys=False))
    # A chart that a stack file names by a relative path is looked for from here.
    for path in (("ha-iris:longhorn", "chart"), ("ha-iris:iris", "operator", "chart")):
        chart = str(_at(config, path) or "")
        top = PurePath(chart).parts[0] if "/" in chart else ".."
        if top not in ("/", "..") and (project / top).is_dir() and not (work / top).is_symlink():
            (work / top).symlink_to((project / top).resolve())
    write(work / name, yaml.safe_dump(copy, sort_keys=False))
    return encrypted


def stacks_of(project: Path) -> list[str]:
    """The stacks that a project has a stack file for, by name."""
    return sorted(file.name.split(".")[1] for file in project.glob("Pulumi.*.yaml"))


def read_config(project: Path, stack: str) -> dict[str, Any]:
    """The configuration in a stack file, by key as typed.

    Raises:
        LabError: there is no such stack, or the file is not a stack file.
    """
    file = project / f"Pulumi.{stack}.yaml"
    if not file.exists():
        known = ", ".join(stacks_of(project))
        raise LabError(f"stack {stack}", f"there is no {file.name}", f"use one of {known}")
    return _read(file).get("config") or {}


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one group of settings over another: groups are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = merge(below, value)
        merged[key] = value
    return merged


def _is_encrypted(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secure"}


def _holds_encrypted(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _is_encrypted(value) or any(map(_holds_encrypted, value.values()))
    return isinstance(value, list) and any(map(_holds_encrypted, value))


def _without_encrypted(value: Any) -> Any:
    if _is_encrypted(value):
        return MADE_UP_SECRET
    if isinstance(value, Mapping):
        return {key: _without_encrypted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_encrypted(inner) for inner in value]
    return value


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        raise LabError(
            file.name, f"not YAML ({' '.join(str(error).split())})", "mend the file"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        raise LabError(file.name, "no stack file", "write `config:` and the settings under it")
    return content


def _at(config: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        config = config.get(name) if isinstance(config, Mapping) else None
    return config
