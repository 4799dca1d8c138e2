#!/bin/bash
# Whether clients can use this instance: readiness of the database pod. Two numbers: the seconds
# that IRIS may report itself hung, and the port of the superserver.
#
# `iris qlist` gives the status in field 4 and the health in field 9. Health is warn or alert for
# half an hour after every crash, and clients work meanwhile: neither counts. Hung is what a full
# volume, or one that has become read-only, looks like, and a freeze for a backup as well: so it
# counts once it has lasted longer than any freeze.
#
# It also tells what IRIS refused of its merge file, in the one way that a pod without rights has: the
# kubelet makes an Event of what a failed probe prints. So one round in five minutes fails while a
# refusal stands. The pod stays ready, as it takes two rounds in a row to change that.
set -u

patience=$1
port=$2
since=${TMPDIR:-/tmp}/ha-iris-hung-since
asked=${TMPDIR:-/tmp}/ha-iris-merge-asked
ask_every=300

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
# Seconds since the machine started: no change of the clock shortens or stretches them.
read -r now _ </proc/uptime
now=${now%.*}
if [[ ${health,,} != hung* ]]; then
  rm -f "$since"
  last=
  [[ -s $asked ]] && read -r last <"$asked"
  if [[ -z $last ]] || ((now - last >= ask_every)); then
    echo "$now" >"$asked"
    said=$("${0%/*}/merge_errors.sh" --strict)
    # That the log cannot be read is no refusal. An Event holds 1024 characters.
    if [[ $said == *'IRIS refused something'* ]]; then
      echo "${said:0:900}"
      exit 1
    fi
  fi
  exit 0
fi
[[ -s $since ]] || echo "$now" >"$since"
read -r first <"$since"
if ((now - first >= patience)); then
  echo "IRIS has been hung for $((now - first)) s"
  exit 1
fi
