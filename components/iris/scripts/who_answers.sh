# shellcheck shell=bash
# Read by guard.sh: whether anybody answers this node, and what time it is. It uses the guard's
# $timeout, $peers and $folder.
# shellcheck disable=SC2154

now() { # NOW: hundredths of a second since the machine started
  read -r NOW _ </proc/uptime
  NOW=$((10#${NOW/./}))
}

hundredths() { # of a second, from a number such as 2 or 0.25
  local part=
  [[ $1 == *.* ]] && part=${1#*.}
  part=${part}00
  echo $((10#${1%.*} * 100 + 10#${part:0:2}))
}

reaches() { # host, port
  # shellcheck disable=SC2016  # they are the arguments of that bash
  { timeout -s KILL "$timeout" bash -c ': <>"/dev/tcp/$0/$1"' "$1" "$2"; } 2>/dev/null
}

resolve() { # keep the addresses of the managers; an answer without another node's changes nothing
  local address rest found=()
  while read -r address rest; do
    [[ $rest == STREAM* ]] && found+=("$address")
  done < <(timeout -s KILL 5 getent ahosts "${peers%:*}")
  if ((${#found[@]} > 1)); then
    printf '%s\n' "${found[@]}" >"$folder/peers.$BASHPID" && mv "$folder/peers.$BASHPID" "$folder/peers"
  fi
}

ask_peers() {
  local address
  asked=()
  reaches 127.0.0.1 1 & # refused at once, unless processes are too slow here to tell anything
  control=$!
  [[ -r $folder/peers ]] || return
  while read -r address; do
    reaches "$address" "${peers##*:}" &
    asked+=($!)
  done <"$folder/peers"
}

two_answer() { # of those who are asked
  local one answers=0
  for one in "${asked[@]}"; do
    wait "$one" && answers=$((answers + 1))
  done
  ((answers > 1)) || return 1
  knows peers || : >"$folder/knows-peers"
}

# Whether anybody answers: the API server, or two of Longhorn's managers, as one is on this very node
# and always does. 0: yes, 1: no, 2: that cannot be told, as on a machine without a processor to spare.
# Who never answered is no witness: a NetworkPolicy may forbid to ask.
worried=0
ask() {
  ((worried)) && ask_peers
  if reaches "${KUBERNETES_SERVICE_HOST:-}" "${KUBERNETES_SERVICE_PORT:-443}"; then
    knows api || : >"$folder/knows-api"
    return 0
  fi
  ((worried)) || ask_peers
  two_answer && return 0
  wait "$control"
  (($? < 128)) && return 1
  return 2
}

knows() { [[ -e $folder/knows-$1 ]]; }
