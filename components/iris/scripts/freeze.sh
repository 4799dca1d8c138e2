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
#   freeze.sh thaw       Thaws, if it is frozen: for a person at night. Ends with 1 where it is frozen
#     still, or where nobody can tell.
#   freeze.sh stopping   The same before IRIS is stopped, and only if a backup holds it.
#   freeze.sh alone LIMIT    Marks and freezes for somebody else's snapshot, and comes back.
#   freeze.sh end        Thaws after that; ends with 1 if IRIS was not frozen any more.
#   freeze.sh watch PATIENCE   What hold leaves beside itself, for when it is killed itself.
#
# Backup.General's methods end `iris session` with 5 for yes and 3 for no. What gave no answer counts
# as frozen wherever a thaw is at stake, and as not frozen wherever a snapshot is.
set -u
trap '' PIPE HUP

beat=${TMPDIR:-/tmp}/ha-iris-freeze
how=${1:-}
said=
frozen=

# Seconds since the machine started: no change of the clock shortens or stretches them.
now() {
  local seconds
  read -r seconds _ </proc/uptime
  echo "${seconds%.*}"
}

ask() {
  said=$(timeout "${2:-15}" iris session IRIS -U '%SYS' "##Class(Backup.General).$1" </dev/null 2>&1)
}

# Leaves in `frozen` whether the write daemon is suspended: yes, no, down (IRIS is, so nothing is
# frozen) or unknown.
look() {
  local report code status
  ask 'IsWDSuspendedExt()'
  case $? in
    5) frozen=yes && return ;;
    3) frozen=no && return ;;
  esac
  # Where no session can be had, as when users are blocked, irisstat looks into the shared memory.
  report=$(timeout 15 iris stat IRIS 2>/dev/null)
  code=$?
  # Its table of processes has the write daemon: what does not name it has not seen the memory.
  case $code,$report in
    *WDSUSPD*) frozen=yes && return ;;
    0,*WRTDMN*) frozen=no && return ;;
  esac
  IFS=^ read -r _ _ _ status _ < <(timeout -s KILL 10 iris qlist IRIS 2>/dev/null)
  if [[ ${status:-} == down* ]]; then frozen=down; else frozen=unknown; fi
}

# Whether it is as one of the words says, at this moment.
is() {
  look
  [[ " $* " == *" $frozen "* ]]
}

why() {
  if [[ $frozen == yes ]]; then
    echo 'IRIS is frozen and does not thaw'
  else
    echo 'nobody can tell whether IRIS is frozen: neither a session nor iris stat answers'
  fi
}

thaw() {
  local attempt
  for ((attempt = 1; attempt <= ${1:-3}; attempt++)); do
    ask 'ExternalThaw()'
    is no down && return 0
    # "Resumes the write daemon" where no new session can be started.
    timeout 15 iris stat IRIS -W >/dev/null 2>&1
    is no down && return 0
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
  if is yes unknown; then
    local before=$frozen
    thaw || { printf '%s\n' "refused $(why)" stuck; return 1; }
    [[ $before == unknown ]] || echo 'leftover'
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
        check) if is yes; then echo 'held'; else echo 'lapsed'; fi ;;
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
  if is yes unknown; then
    if [[ $frozen == yes ]]; then echo 'IRIS is frozen already'; else why; fi
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
  is yes || held=1
  thaw || { why; return 1; }
  rm -f "$beat"
  ((held == 0)) || echo 'IRIS was not frozen any more: what was cut is worth no more than without a freeze'
  return $held
}

case $how in
  alone) alone "$2" ;;
  end) end ;;
  hold) hold "$2" "$3" ;;
  watch) watch "$2" ;;
  # Once: what a hung IRIS takes of the time for its stop is not there for the stop.
  stopping) ! [[ -e $beat ]] || thaw 1 ;;
  thaw)
    if is no; then
      echo 'IRIS is not frozen'
    elif before=$frozen && thaw; then
      rm -f "$beat"
      case $before,$frozen in
        *,down) echo 'IRIS is down and not frozen' ;;
        yes,*) echo 'IRIS was frozen and is thawed' ;;
        *) echo 'nobody could tell whether IRIS was frozen; it is not frozen now' ;;
      esac
    else
      why
      exit 1
    fi
    ;;
  *)
    echo "no such word: $how"
    exit 2
    ;;
esac
