#!/bin/bash
# The isolation guard: ends IRIS on a node that is cut off before the storage there goes on alone.
#
#   guard.sh gate     before each start of IRIS (before_start.sh): waits while nobody answers
#   guard.sh watch    runs beside IRIS, begun by the gate and, should it die, by the probe
#   guard.sh alive    liveness probe of the container
#
# Longhorn's engine lets a write hang for engine-replica-timeout and then acknowledges it on the copies
# that are left, on a node that is cut off its own. So the watch writes a block to the volume each
# second. When a write hangs for GUARD_SECONDS and at least half of the checks since it was sent reached
# nobody, IRIS is killed here and now; the probe, which fails from then on, is the second way.
# docs/isolation.md tells why, and what stays open.
#
# All times are seconds since the machine started (/proc/uptime): no change of the clock counts.
# Whatever is remembered is in memory ($GUARD_FOLDER): a disk that hangs must not hang the guard.
# No rights, no names to look up once IRIS runs, nothing but bash, coreutils and getent.
set -u

seconds=${GUARD_SECONDS:-15}  # how long a write may hang, and a node may reach nobody
every=${GUARD_EVERY:-1}       # a write and a check, seconds
timeout=${GUARD_TIMEOUT:-2}   # for one answer, seconds
peers=${GUARD_PEERS:-}        # name:port of Longhorn's managers; without it there is no guard
folder=${GUARD_FOLDER:-/run/ha-iris}
volume=${GUARD_VOLUME:-/data}
grace=${GUARD_GRACE:-30}      # for a clean stop where `iris qlist` finds no running instance, seconds
qlist=${GUARD_QLIST:-15}      # seconds between two of these questions; six without an answer count

# shellcheck source-path=SCRIPTDIR source=who_answers.sh
. "${0%/*}/who_answers.sh"

outstanding() { # whether a write waits; since when, in SINCE
  local writer='' stat=''
  SINCE=
  [[ -r $folder/writing ]] && read -r SINCE writer <"$folder/writing"
  [[ -n $writer ]] && { read -r stat <"/proc/$writer/stat"; } 2>/dev/null
  [[ $stat == *'(dd) '[!Z]* ]]
}

write() { # in place, past the page cache, so that it is answered by the engine and nothing grows
  dd if=/dev/zero of="$volume/.ha-iris-guard" bs=4096 count=1 conv=notrunc oflag=direct,dsync \
    2>/dev/null &
  printf '%s %s\n' "$NOW" $! >"$folder/writing"
}

fence() { # why
  local killed='what runs here is not killed: these processes are not those of a container alone'
  printf '%s\n' "$1" >"$folder/fenced"
  # Nothing but builtins up to here: on such a node a new process may not come to life.
  if ((contained)); then
    kill -s KILL -- -1 # all but the first process and this one
    kill -s TERM 1     # which ignores a KILL from inside
    killed='IRIS is killed'
  fi
  printf 'guard: %s; %s\n' "$1" "$killed" 2>/dev/null
  exit 0
}

# The tolerant rule: six times in a row no running instance, and IRIS is told to stop. The probe
# fails when its grace is over. Only while the kubelet probes: not before IRIS has started, and not
# while it stops because the pod goes.
misses=0
instance=
contained=0
ask_instance() {
  local said='' probed=0
  [[ -s $folder/probed ]] && read -r probed <"$folder/probed"
  if ((NOW - probed > 6000)); then
    misses=0
    return
  fi
  [[ -r $folder/instance ]] && read -r said <"$folder/instance"
  if [[ -n $instance ]]; then
    if [[ $said == running* ]]; then misses=0; else misses=$((misses + 1)); fi
  fi
  if ((misses >= 6)) && [[ ! -e $folder/stopping ]]; then
    printf '%s\n' "$NOW" >"$folder/stopping"
    ((contained)) && kill -s TERM 1
  fi
  [[ -n $instance && -d /proc/$instance ]] && return
  : >"$folder/instance"
  (
    IFS=^ read -r _ _ _ status _ < <(timeout -s KILL 10 iris qlist IRIS)
    printf '%s\n' "${status:-}" >"$folder/instance"
  ) 2>/dev/null &
  instance=$!
}

ask_aside() { # so that a write is never late for an answer that does not come
  (
    ask
    silence=$?
    now
    printf '%s %s\n' "$NOW" "$silence" >"$folder/answer"
    # While the API server answers, the others are asked only to be known.
    ((silence == 0)) && ! knows peers && ask_peers && two_answer
  ) 2>/dev/null &
  asker=$!
}

watch() {
  local owner tick last ended silence step asker='' about='' resolved=0 asked_instance
  local level=0 good=0 bad=0 limit patience pause
  limit=$(hundredths "$seconds")
  patience=$(hundredths "$timeout")
  pause=$(hundredths "$every")
  qlist=$(hundredths "$qlist")
  namespace=$(readlink /proc/self/ns/pid)
  # Only what is in a container's own process namespace is ever killed, and never as root.
  contained=$((EUID != 0 && ${#namespace} > 0))
  [[ $namespace == 'pid:[4026531836]' ]] && contained=0 # the machine's own (PROC_PID_INIT_INO)
  printf '%s\n' "$BASHPID" >"$folder/watch"
  : >"$folder/answer"
  now
  last=$NOW asked_instance=$NOW
  while :; do
    now
    tick=$NOW
    read -r owner <"$folder/watch"
    [[ $owner == "$BASHPID" ]] || exit 0 # the probe took this one for dead
    printf '%s\n' "$NOW" >"$folder/beat"
    outstanding || write

    if read -r ended silence <"$folder/answer"; then
      : >"$folder/answer"
      step=$((ended - last)) last=$ended
      if ((silence == 0)); then
        worried=0 good=$((good + 1))
        level=$((level > step ? level - step : 0))
      else
        worried=1
        ((silence == 1)) && bad=$((bad + 1))
        # A longer step is a machine that stood still, as in a live migration.
        ((silence == 1 && step <= 2 * patience + 2 * pause + 100)) && level=$((level + step))
      fi
    fi
    if outstanding; then
      [[ $about == "$SINCE" ]] || about=$SINCE good=0 bad=0
      ((NOW - SINCE > pause)) && worried=1 # asks all at once, which takes half the time
      if ((NOW - SINCE >= limit && bad >= 3 && bad >= good)) && { knows api || knows peers; }; then
        fence "a write hangs for $(((NOW - SINCE) / 100)) s on a node that reaches nobody"
      fi
    fi
    # Writes that end, with an error or on this node's copy alone, tell nothing: then it is time
    # without an answer that counts, and time with answers that makes up for it.
    if ((level >= limit)) && knows api && knows peers; then
      fence "this node has reached nobody for $((level / 100)) s"
    fi

    [[ -n $asker && -d /proc/$asker ]] || ask_aside
    if ((NOW - resolved >= 3000)); then
      resolved=$NOW
      resolve 2>/dev/null &
    fi
    if ((NOW - asked_instance >= qlist)); then
      asked_instance=$NOW
      ask_instance
    fi
    now
    # In trouble twice as often, so that no answer lies about.
    step=$((pause / (worried + 1) - NOW + tick))
    ((step > 0)) && sleep "$((step / 100)).$(printf %02d $((step % 100)))"
  done
}

begin_watch() {
  local log=/dev/null
  { : >>/proc/1/fd/1; } 2>/dev/null && log=/proc/1/fd/1
  now
  printf '%s\n' "$NOW" >"$folder/begun"
  "$0" watch </dev/null >>"$log" 2>/dev/null &
}

gate() {
  local begun must=0 good_since='' known=0 told=0
  # Processes of an earlier container are gone; what is known of the network stays.
  rm -f "$folder"/{beat,begun,watch,writing,instance,stopping,probed}
  { knows api || knows peers; } && known=1
  # After a cut the volume may be somebody else's by now: the kubelet must have time to hear of it.
  [[ -e $folder/fenced ]] && must=$(hundredths "$seconds")
  now
  begun=$NOW
  while :; do
    if ask; then
      now
      ((NOW - (good_since = good_since ? good_since : NOW) >= must)) && break
    else
      now
      good_since=
      ((known)) && must=$(hundredths "$seconds")
      ((told++)) || echo 'guard: neither the API server nor another node answers; IRIS waits'
      if ((!known && NOW - begun >= 6000)); then
        echo 'guard: nobody has ever answered this pod; IRIS starts without a guard (docs/isolation.md)'
        break
      fi
      resolve 2>/dev/null
    fi
    sleep "$every"
  done
  rm -f "$folder/fenced"
  echo "guard: IRIS is killed when a write hangs for $seconds s and nobody answers"
  begin_watch
}

alive() {
  local pid='' beat=0 begun=0 stopping
  if [[ -e $folder/fenced ]]; then
    cat "$folder/fenced"
    exit 1
  fi
  now
  printf '%s\n' "$NOW" >"$folder/probed"
  if [[ -s $folder/stopping ]] && read -r stopping <"$folder/stopping" &&
    ((NOW - stopping >= $(hundredths "$grace"))); then
    echo "iris qlist finds no running instance, and it did not stop within $grace s"
    exit 1
  fi
  [[ -s $folder/watch ]] && read -r pid <"$folder/watch"
  [[ -s $folder/beat ]] && read -r beat <"$folder/beat"
  [[ -s $folder/begun ]] && read -r begun <"$folder/begun"
  if [[ -z $pid || ! -d /proc/$pid ]]; then
    begin_watch
  elif ((NOW - beat > 1000 && NOW - begun > 1000)); then
    begin_watch
  fi
  if ((beat > 0 && NOW - beat >= 9000)); then
    echo "the guard's watch has stood still for $(((NOW - beat) / 100)) s"
    exit 1
  fi
}

[[ -n $peers ]] || exit 0
case ${1:-} in
  gate | watch | alive) "$1" ;;
  *)
    echo 'guard.sh gate|watch|alive' >&2
    exit 2
    ;;
esac
