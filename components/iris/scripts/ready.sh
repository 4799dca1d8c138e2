#!/bin/bash
# Whether clients can use this instance: readiness of the database pod. Two numbers: the seconds
# that IRIS may report itself hung, and the port of the superserver.
#
# `iris qlist` gives the status in field 4 and the health in field 9. Health is warn or alert for
# half an hour after every crash, and clients work meanwhile: neither counts. Hung is what a full
# volume, or one that has become read-only, looks like, and a freeze for a backup as well: so it
# counts once it has lasted longer than any freeze.
set -u

patience=$1
port=$2
since=${TMPDIR:-/tmp}/ha-iris-hung-since

IFS=^ read -r -a fields < <(iris qlist IRIS)
status=${fields[3]:-unknown}
health=${fields[8]:-unknown}

if [[ $status != running* ]]; then
  echo "IRIS is $status"
  exit 1
fi
if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  echo "nothing answers on port $port"
  exit 1
fi
if [[ ${health,,} != hung* ]]; then
  rm -f "$since"
  exit 0
fi

# Seconds since the machine started: no change of the clock shortens or stretches them.
read -r now _ </proc/uptime
now=${now%.*}
[[ -s $since ]] || echo "$now" >"$since"
read -r first <"$since"
if ((now - first >= patience)); then
  echo "IRIS has been hung for $((now - first)) s"
  exit 1
fi
