#!/bin/bash
# Keeps IRIS frozen for as long as the backup job asks for it, and thaws it as soon as nobody does.
# The job runs this in IRIS's container, through kubectl's exec:
#
#   freeze.sh hold LIMIT PATIENCE   Marks, freezes, and obeys the words that come in, a line each:
#       renew   the job lives; at the latest every PATIENCE seconds
#       check   says held or lapsed: whether the write daemon is suspended at this moment
#       thaw    ends the freeze, and this program
#     The end of the input, or PATIENCE seconds without a line, thaw too. LIMIT is the number of
#     seconds after which IRIS resumes by itself, whatever became of everybody else.
#   freeze.sh thaw       Thaws, if it is frozen: for a person at night.
#   freeze.sh stopping   The same before IRIS is stopped, and only if a backup holds it.
#   freeze.sh alone LIMIT    Marks and freezes for somebody else's snapshot, and comes back.
#   freeze.sh end        Thaws after that; ends with 1 if IRIS was not frozen any more.
#   freeze.sh watch PATIENCE   What hold leaves beside itself, for when it is killed itself.
#
# Backup.General's methods end `iris session` with 5 for yes and 3 for no.
set -u
trap '' PIPE HUP

beat=${TMPDIR:-/tmp}/ha-iris-freeze
how=${1:-}
said=

# Seconds since the machine started: no change of the clock shortens or stretches them.
now() {
  local seconds
  read -r seconds _ </proc/uptime
  echo "${seconds%.*}"
}

ask() {
  said=$(timeout "${2:-15}" iris session IRIS -U '%SYS' "##Class(Backup.General).$1" </dev/null 2>&1)
}

# Where no session can be had, as when users are blocked, irisstat looks into the shared memory.
suspended() {
  ask 'IsWDSuspendedExt()'
  case $? in
    5) return 0 ;;
    3) return 1 ;;
    *) timeout 15 iris stat IRIS 2>/dev/null | grep -q WDSUSPD ;;
  esac
}

thaw() {
  local attempt
  for attempt in 1 2 3; do
    ask 'ExternalThaw()'
    suspended || return 0
    # "Resumes the write daemon" where no new session can be started.
    timeout 15 iris stat IRIS -W >/dev/null 2>&1
    suspended || return 0
    sleep "$attempt"
  done
  return 1
}

mark() {
  # In a transaction, so that SynchCommit has it on the volume before the freeze. The answer is
  # put together, so that no echo of the command looks like one.
  timeout 15 iris session IRIS -U '%SYS' 2>&1 <<'END' | grep -o 'marked [0-9]* [0-9TZ:-]*'
TSTART
set n=$increment(^%ZHaIris("marker"))
set at=$translate($zdatetime($ztimestamp,3,1)," ","T")_"Z"
set ^%ZHaIris("marker",n)=at
TCOMMIT
write !,"mar"_"ked ",n," ",at,!
halt
END
}

# What thaws when nobody is left who would: it shares nothing with this process.
leave_watch() {
  now >"$beat"
  if [[ -n ${BASH_EXECUTION_STRING:-} ]]; then
    setsid bash -c "$BASH_EXECUTION_STRING" freeze watch "$1" </dev/null >/dev/null 2>&1 &
  else
    setsid bash "$0" watch "$1" </dev/null >/dev/null 2>&1 &
  fi
}

freeze() {
  # Users would be blocked after the seventh argument's seconds; the tenth, LIMIT, comes before it.
  ask "ExternalFreeze(,\"ha-iris\",,,,,600,,,$1)" "$1"
}

watch() {
  local read last
  last=$(now)
  while [[ -e $beat ]]; do
    sleep 1
    # It is empty for ever where its writer was killed in the middle: the last one counts.
    read -r read 2>/dev/null <"$beat" && last=$read
    (($(now) - last > $1)) || continue
    thaw && rm -f "$beat"
  done
}

hold() {
  local limit=$1 patience=$2 word
  if suspended; then
    thaw || { printf '%s\n' 'refused IRIS is frozen already and does not thaw' stuck; return 1; }
    echo 'leftover'
  fi
  mark || { printf '%s\n' 'refused IRIS takes no marker: nobody can log in or write' thawed; return 1; }
  leave_watch "$((patience + 5))"
  freeze "$limit"
  local code=$?
  if ((code == 5)); then
    echo 'frozen'
    while read -r -t "$patience" word; do
      now >"$beat"
      case $word in
        check) if suspended; then echo 'held'; else echo 'lapsed'; fi ;;
        thaw) break ;;
      esac
    done
  else
    echo "refused ExternalFreeze ended with $code: $(tr '\n' ' ' <<<"$said")"
  fi
  # After a refusal too: one that was only too slow may still come.
  if thaw; then
    rm -f "$beat"
    echo 'thawed'
  else
    echo 'stuck'
  fi
  ((code == 5))
}

alone() {
  local limit=$1 code
  if suspended; then
    echo 'IRIS is frozen already'
    return 1
  fi
  mark || { echo 'IRIS takes no marker: nobody can log in or write'; return 1; }
  leave_watch "$limit"
  freeze "$limit"
  code=$?
  ((code == 5)) && return
  echo "ExternalFreeze ended with $code: $(tr '\n' ' ' <<<"$said")"
  thaw && rm -f "$beat"
  return 1
}

end() {
  local held=0
  suspended || held=1
  thaw || { echo 'IRIS is frozen and does not thaw'; return 1; }
  rm -f "$beat"
  ((held == 0)) || echo 'IRIS was not frozen any more: what was cut is worth no more than without a freeze'
  return $held
}

case $how in
  alone) alone "$2" ;;
  end) end ;;
  hold) hold "$2" "$3" ;;
  watch) watch "$2" ;;
  stopping) ! [[ -e $beat ]] || thaw ;;
  thaw)
    if ! suspended; then
      echo 'IRIS is not frozen'
    elif thaw; then
      rm -f "$beat"
      echo 'IRIS was frozen and is thawed'
    else
      echo 'IRIS is frozen and does not thaw'
      exit 1
    fi
    ;;
  *)
    echo "no such word: $how"
    exit 2
    ;;
esac
