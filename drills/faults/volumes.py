"""A fault of the volumes' file systems: they are full for a while."""

from __future__ import annotations

import contextlib
import shlex
import time
import uuid
from collections.abc import Iterator
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Refused
from drills.faults import Case, execute
from drills.subject import Subject
from drills.undo import undo

FULL_SECONDS = 120
FILL_SECONDS = 300
"""How long filling may take. Space is reserved, not written, where the file system can do that."""
LATEST_SECONDS = FILL_SECONDS + FULL_SECONDS + 60
"""After this the container itself removes the files, if it has not ended meanwhile."""
FILLER = "ha-iris-drill-filler"
"""How the names of the files begin."""
CURE = (
    f"remove the files {FILLER}-* from the volumes: `python -m drills clean --stack STACK`, or "
    "kubectl exec in the pod"
)

FILL = """
trap '' PIPE HUP
setsid sh -c 'sleep {latest}; rm -f {files}' </dev/null >/dev/null 2>&1 &
for folder in {folders}; do
  set -- $(df -Pk "$folder" | tail -n 1)
  [ "$4" -gt 16384 ] && fallocate -l "$(($4 - 16384))K" "$folder/{filler}"
  cat /dev/zero >>"$folder/{filler}"
  set -- $(df -Pk "$folder" | tail -n 1)
  [ "$4" -lt 1024 ] || {{ echo "$4 KiB are free in $folder"; exit 1; }}
done
"""
"""Takes what is left of each folder's file system; ends with 0 when nothing is left in any."""
EMPTY = """
for file in {files}; do
  [ -e "$file" ] || continue
  echo "$file"
  rm -f "$file" || exit 1
done
"""
"""Says what it removes."""


@contextlib.contextmanager
def volume_full(case: Case) -> Iterator[float]:
    """Files take what is left of the volumes, for a time; gives the moment at which it is over."""
    folders = folders_of(case.api.get(case.pod))
    if not folders:
        raise DrillError(case.place.pod, "has no volume that it writes to", "see its claims")
    # A name of its own, so that what the container removes late is no later drill's.
    filler = f"{FILLER}-{uuid.uuid4().hex[:8]}"
    script = FILL.format(
        folders=shlex.join(folders),
        files=shlex.join(f"{folder}/{filler}" for folder in folders),
        filler=filler,
        latest=LATEST_SECONDS,
    )
    try:
        told = execute(case, script, seconds=FILL_SECONDS)
        if told.code != 0:
            raise DrillError(
                f"the volumes of {case.place.pod}",
                f"are not full: {told.output.strip() or 'the connection broke'}",
                "see what is free in them, and whether IRIS may write there",
            )
        time.sleep(FULL_SECONDS)
    finally:
        undo({f"files that fill {shlex.join(folders)}": lambda: empty(case.subject)}, CURE)
    yield time.time()


def folders_of(pod: dict[str, Any]) -> list[str]:
    """Where IRIS's container has the volumes of claims that it may write to."""
    claimed = {
        volume["name"]
        for volume in pod["spec"].get("volumes", [])
        if "persistentVolumeClaim" in volume
    }
    return [
        mount["mountPath"]
        for container in pod["spec"].get("containers", [])
        if container["name"] == "iris"
        for mount in container.get("volumeMounts", [])
        if mount["name"] in claimed and not mount.get("readOnly")
    ]


def mend(subject: Subject) -> list[str]:
    """Remove what a killed drill has left in the volumes; says whether it has."""
    found: list[bool] = []
    undo({"files that fill volumes": lambda: found.append(empty(subject))}, CURE)
    return ["removed the files that filled volumes"] if any(found) else []


def empty(subject: Subject) -> bool:
    """Remove the files, in whichever pod has the volumes now; says whether there were any.

    Raises:
        DrillError: no pod of the database could be asked, or the files stay.
    """
    reasons = []
    for pod in subject.api.items(f"{subject.path}/pods", labelSelector=subject.pods):
        name = pod["metadata"]["name"]
        if not (folders := folders_of(pod)):
            continue
        files = " ".join(f"{shlex.quote(folder)}/{FILLER}-*" for folder in folders)
        script = EMPTY.format(files=files)
        try:
            told = subject.api.execute(subject.namespace, name, "iris", ("/bin/sh", "-c", script))
        except (Refused, *UNREACHABLE) as error:
            reasons.append(f"{name}: {error}")
        else:
            if told.code == 0:
                return FILLER in told.output
            reasons.append(f"{name}: {told.output.strip() or 'its connection broke'}")
    raise DrillError("the database's volumes", "; ".join(reasons) or "no pod has them", CURE)
