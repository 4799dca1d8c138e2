#!/bin/sh
# What IRIS refused of its merge file since the last start. IRIS says so in messages.log alone, and
# runs on without it. iris-main calls this with --mark before each start, so that older lines do not
# count, and with nothing after it (--after): what it prints is in the log of the container. It
# ends with 0, as no start may depend on it; with --strict it ends with 1 where something was
# refused or the log cannot be read, for a person or a pipeline that asks.
set -u

log=${ISC_DATA_DIRECTORY:-/data/iris}/mgr/messages.log
mark=${TMPDIR:-/tmp}/ha-iris-messages-size
how=${1:-}

size() {
  if [ -f "$log" ]; then wc -c <"$log" | tr -d ' '; else echo 0; fi
}

if [ "$how" = --mark ]; then
  size >"$mark"
  exit 0
fi

ends() {
  [ "$how" = --strict ] && exit "$1"
  exit 0
}

if ! [ -r "$log" ]; then
  echo "merge-errors: $log cannot be read; whether IRIS took its merge file is not known"
  ends 1
fi

from=0
since='this start'
if [ -r "$mark" ]; then read -r from <"$mark" || from=0; else since='the beginning of messages.log'; fi
case $from in '' | *[!0-9]*) from=0 ;; esac
# IRIS renames a log that has become too big and begins a new one.
if [ "$from" -gt "$(size)" ]; then
  from=0
  since='messages.log was begun anew'
fi

if found=$(tail -c "+$((from + 1))" "$log" | grep -E 'ERROR #50[0-9]:'); then
  echo "merge-errors: IRIS refused something of its merge file since $since:"
  echo "$found"
  echo "merge-errors: it runs on without this; what to do is in docs/cpf.md, Was it applied?"
  ends 1
fi
echo "merge-errors: messages.log names nothing of the merge file that was refused since $since"
ends 0
