#!/bin/bash
# Runs before each start of IRIS (before_start.sh): lets one IRIS at a time onto the volume.
# Kubernetes gives a ReadWriteOnce volume to one node, and there to every pod that asks: the one
# that replaces a deleted pod while that still stops, or the second of a Deployment scaled to two.
# Both have the same host name, and process numbers of their own, so IRIS's lock file may not tell
# them apart. The kernel of the node does: this waits until nobody else there has the volume, and
# leaves a process behind that keeps it until the container ends.
set -u

lock=${ISC_DATA_DIRECTORY%/*}/ha-iris.lock
if ! command -v flock >/dev/null; then
  echo 'one-instance: this image has no flock: a second pod on this node is not noticed' >&2
  exit 0
fi
# A volume that takes no writes is for IRIS to complain of.
exec 9>>"$lock" || exit 0
told=
until flock --nonblock 9; do
  [[ $told ]] || echo 'one-instance: another pod on this node has the volume; waiting for its end' >&2
  told=yes
  sleep 1
done
setsid sleep infinity </dev/null >/dev/null 2>&1 &
exit 0
