#!/bin/bash
# Runs before each start of IRIS (before_start.sh). Shared memory belongs to the pod and
# outlives a container that was killed: a new one in the same pod finds what the old one left, and
# IRIS, which takes memory that it can attach to for a running instance, would not start. So what
# is ours and has nobody attached goes. It always ends with 0: whether IRIS starts is for IRIS to say.
set -u

table=${1:-/proc/sysvipc/shm}
if ! [[ -r $table ]]; then
  echo "remove-stale-ipc: $table cannot be read; nothing is removed" >&2
  exit 0
fi

{
  read -r _
  while read -r _ segment _ _ _ _ attached owner _; do
    [[ $owner == "$(id -u)" && $attached == 0 ]] || continue
    if ipcrm -m "$segment"; then
      echo "remove-stale-ipc: removed shared memory $segment, to which nobody was attached"
    else
      echo "remove-stale-ipc: shared memory $segment is left over and could not be removed" >&2
    fi
  done
} <"$table"
exit 0
