#!/usr/bin/env bash
# What is asked of a database that `stack.sh up` has made, one word each:
#
#   checks.sh snapshot   the backup job freezes IRIS, has its volume cut and thaws it
#   checks.sh growth     the volume grows while IRIS runs, up to the file system
#   checks.sh kill       kill -9 to all of IRIS: no commit that it had confirmed is missing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${E2E_STACK:-one}
patience=${E2E_PATIENCE:-600}
export KUBECONFIG=${KUBECONFIG:-$HOME/.kube/k3s.yaml}
iris() { kubectl -n iris exec -i deployment/iris -c iris -- "$@"; }
pod() { kubectl -n iris get pods -l app.kubernetes.io/name=iris -o jsonpath="{.items[0]$1}"; }
fail() { echo "checks.sh: $*" >&2; exit 1; }

# Waits until a command says yes.
await() {
  local what=$1 deadline=$((SECONDS + patience))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || fail "$what: not within $patience s"
    sleep 2
  done
}

snapshot() {
  local job found
  job=end-to-end-$(date +%s)
  kubectl -n iris create job --from=cronjob/iris-backup "$job"
  if ! kubectl -n iris wait --for=condition=complete --timeout="${patience}s" "job/$job"; then
    kubectl -n iris logs "job/$job" >&2 || true
    fail 'the backup job did not complete'
  fi
  kubectl -n iris logs "job/$job"
  found=$(kubectl -n iris get volumesnapshots -l backup.ha-iris/state=consistent -o name)
  [[ $found ]] || fail 'there is no consistent snapshot'
  iris /etc/ha-iris/scripts/freeze.sh thaw | grep -q 'IRIS is not frozen' || fail 'IRIS was left frozen'
  echo "consistent and thawed: $found"
}

growth() {
  local before after from to
  before=$(pod .metadata.uid)
  from=$(kubectl -n iris get pvc iris-data -o jsonpath='{.status.capacity.storage}')
  to=$((${from%Gi} + 2))
  PULUMI_CONFIG_PASSPHRASE=${PULUMI_CONFIG_PASSPHRASE:-end-to-end} \
    pulumi config set --stack "$name" --path ha-iris:iris.storageGib "$to"
  PULUMI_CONFIG_PASSPHRASE=${PULUMI_CONFIG_PASSPHRASE:-end-to-end} \
    pulumi up --stack "$name" --yes
  grown() {
    [[ $(kubectl -n iris get pvc iris-data -o jsonpath='{.status.capacity.storage}') == "${to}Gi" ]]
  }
  await "the claim has $to GiB" grown
  after=$(iris df --block-size=1M --output=size /data | tail -1 | tr -d ' ')
  # A file system keeps a part for itself; it must be larger than the whole old volume all the same.
  ((after > ${from%Gi} * 1024)) || fail "the file system has $after MiB in a volume of $to GiB"
  [[ $(pod .metadata.uid) == "$before" ]] || fail 'IRIS was restarted'
  echo "from $from to ${to}Gi, $after MiB in IRIS, in the same pod"
}

kill_all() {
  local told acknowledged restarts present
  told=$(mktemp)
  restarts=$(pod .status.containerStatuses[0].restartCount)
  # What has been read here, IRIS had confirmed: SynchCommit=1 has it wait for its journal.
  iris iris session IRIS -U USER >"$told" <<'END' &
kill ^HaIrisEndToEnd
for n=1:1 tstart  set ^HaIrisEndToEnd(n)="" tcommit  write "n:",n,!
END
  local writer=$!
  begun() { (($(last "$told") >= 500)); }
  await '500 commits' begun
  iris sh -c 'kill -9 -1' || true
  wait "$writer" || true
  acknowledged=$(last "$told")
  again() {
    (($(pod .status.containerStatuses[0].restartCount) > restarts)) \
      && [[ $(pod .status.containerStatuses[0].ready) == true ]]
  }
  await 'IRIS is ready again' again
  present=$(iris iris session IRIS -U USER <<END | grep -o 'there:[0-9]*' | cut -d: -f2
set c=0
for n=1:1:$acknowledged set c=c+\$data(^HaIrisEndToEnd(n))
write "th"_"ere:",c,!
END
  )
  ((present == acknowledged)) \
    || fail "$((acknowledged - present)) of $acknowledged confirmed commits are missing"
  echo "$acknowledged commits were confirmed before kill -9, and all are there"
}

# The largest number that IRIS has told. One that was cut off in the middle is a smaller one.
last() { grep -o 'n:[0-9]*' "$1" | cut -d: -f2 | sort -n | tail -1 | grep . || echo 0; }

case ${1:-} in
  snapshot) snapshot ;;
  growth) growth ;;
  kill) kill_all ;;
  *) echo 'checks.sh: snapshot, growth or kill' >&2; exit 2 ;;
esac
