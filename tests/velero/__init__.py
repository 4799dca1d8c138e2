"""Velero's own handling of backup hooks, as a program that is built once and kept in the cache.

The module comes from the Go module proxy, checked against go.sum; nothing of it is kept here.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from lab.toolchain import cache_folder, golang
from lab.toolchain.build import build

HERE = Path(__file__).parent
PACKAGE = "github.com/vmware-tanzu/velero/ha-iris/tests/velero"


def run_hooks(
    schedule: str,
    pods: Sequence[Mapping[str, Any]],
    *,
    phases: Sequence[str] = ("pre", "post"),
    mounts: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """What Velero runs in these pods before and after their backup, in order, and how it took it.

    Args:
        schedule: YAML of a Schedule; a field that Velero does not know is an error.
        pods: as the API server has them.
        phases: of the backup of all pods, one after the other.
        mounts: folders of this machine by the path that a container has them under.
        environment: of the commands, which run on this machine.

    Raises:
        ValueError: Velero cannot read this Schedule.
    """
    asked = {"schedule": schedule, "pods": pods, "phases": phases, "mounts": mounts or {}}
    done = subprocess.run(
        [_program()],
        input=json.dumps(asked),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


@cache
def _program() -> Path:
    """Built where no earlier test did it: 80 s on two cores with nothing in Go's cache."""
    sources = [*sorted(HERE.glob("*.go")), HERE / "go.mod", HERE / "go.sum"]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in sources))
    folder = cache_folder() / "velero" / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "velero"
    with FileLock(folder / "lock"):
        if not program.exists():
            go = golang.find(HERE.parent, cache_folder(), print)
            build(go.executable, HERE, {PACKAGE: program}, "-s -w", (), lambda _: None)
    return program
