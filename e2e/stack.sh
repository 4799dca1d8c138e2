#!/usr/bin/env bash
# The project's own `pulumi up` against the cluster of ~/.kube/k3s.yaml:
#
#   stack.sh up NAME                what e2e/NAME.yaml describes
#   stack.sh unchanged NAME         a second one, which must change nothing
#   stack.sh destroy-refused NAME   a destroy, which protected data must refuse
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

what=${1:-} name=${2:?a name, as in e2e/NAME.yaml}
# A state on a machine that is thrown away, with a password that protects nothing.
export PULUMI_CONFIG_PASSPHRASE=${PULUMI_CONFIG_PASSPHRASE:-end-to-end}
export PULUMI_BACKEND_URL=${PULUMI_BACKEND_URL:-file://$HOME}
export KUBECONFIG=${KUBECONFIG:-$HOME/.kube/k3s.yaml}

up() {
  cp "e2e/$name.yaml" "Pulumi.$name.yaml"
  pulumi stack select --create "$name"
  pulumi up --stack "$name" --yes --diff
}

unchanged() {
  pulumi preview --stack "$name" --diff --expect-no-changes
  pulumi up --stack "$name" --yes --expect-no-changes
}

destroy_refused() {
  local said before
  before=$(kubectl -n iris get pods -l app.kubernetes.io/name=iris -o jsonpath='{.items[*].metadata.uid}')
  if said=$(pulumi destroy --stack "$name" --yes 2>&1); then
    echo 'stack.sh: protected data was destroyed' >&2
    exit 1
  fi
  if ! grep -qi protect <<<"$said"; then
    printf '%s\nstack.sh: the destroy failed, and for another reason than protection\n' "$said" >&2
    exit 1
  fi
  if [[ -z $before || $before != "$(kubectl -n iris get pods -l app.kubernetes.io/name=iris \
    -o jsonpath='{.items[*].metadata.uid}')" ]]; then
    echo 'stack.sh: the destroy was refused, and IRIS is not the same any more' >&2
    exit 1
  fi
  echo 'the destroy was refused, and IRIS runs on'
}

case $what in
  up) up ;;
  unchanged) unchanged ;;
  destroy-refused) destroy_refused ;;
  *) echo 'stack.sh: up, unchanged or destroy-refused, and a name' >&2; exit 2 ;;
esac
