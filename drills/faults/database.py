"""Faults of the database itself: its processes and its pod."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drills import DrillError
from drills.evidence import await_gone, await_restarted
from drills.faults import Case, delete, execute
from drills.faults.marked import scaled_away

STOP_SECONDS = 600
GONE_WITH_THE_CONTAINER = (None, 137)
"""How a script ends whose container has ended: its connection breaks, or it is killed as well."""

# What a zombie or a thread of the kernel was told is empty.
KILL = """
alive() {
  for process in /proc/[0-9]*; do
    grep -q . "$process/cmdline" 2>/dev/null && echo "${process#/proc/}"
  done
}
before=$(alive)
kill -9 -1
sleep 1
left=
for process in $before; do
  case $process in 1|$$) continue ;; esac
  grep -q . "/proc/$process/cmdline" 2>/dev/null && left="$left $process"
done
[ -z "$left" ] || { echo "processes that were not killed:$left"; exit 1; }
"""
"""Ends with 0 when none but the first process and this script is left of those before."""

# The methods end a session with 5 for yes and 3 for no ("Backup.General").
FREEZE = """
trap '' PIPE HUP
timeout 30 iris session IRIS -U %SYS '##Class(Backup.General).ExternalFreeze()' </dev/null
code=$?
if [ "$code" != 5 ]; then
  timeout 15 iris session IRIS -U %SYS '##Class(Backup.General).ExternalThaw()' </dev/null
  echo "ExternalFreeze ended with $code, and a freeze ends with 5"
  exit 1
fi
sleep 5
"""


@contextlib.contextmanager
def clean_stop(case: Case) -> Iterator[None]:
    """Scale to none and back, as a planned stop does."""
    with scaled_away(case.api, [case.subject.workload]):
        await_gone(case.api, case.pod, case.place.uid, STOP_SECONDS)
    yield


@contextlib.contextmanager
def iris_killed(case: Case) -> Iterator[None]:
    """SIGKILL to every process of the container but the first."""
    _kill(case, KILL)
    yield


@contextlib.contextmanager
def frozen_and_killed(case: Case) -> Iterator[None]:
    """The same in the middle of a freeze for a backup."""
    _kill(case, FREEZE + KILL)
    yield


@contextlib.contextmanager
def pod_deleted(case: Case) -> Iterator[None]:
    """kubectl delete pod."""
    delete(case)
    yield


def _kill(case: Case, script: str) -> None:
    before = case.api.get(case.pod)
    told = execute(case, script)
    if told.code in GONE_WITH_THE_CONTAINER:
        await_restarted(case.api, case.pod, before)
    elif told.code:
        raise DrillError(
            f"IRIS in {case.place.pod}",
            f"was not killed: {told.output.strip()}",
            "see who runs it, and whether it can be frozen",
        )
