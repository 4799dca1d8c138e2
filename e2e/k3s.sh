#!/usr/bin/env bash
# Installs the pinned k3s on this machine: k3s.sh server [FLAG]...; then `k3s.sh ready NODES` waits for
# so many nodes, leaves a kubeconfig in ~/.kube/k3s.yaml and adds the snapshot controller.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=versions.sh
. ./versions.sh

install_k3s() {
  local folder release="https://github.com/k3s-io/k3s/releases/download/${K3S_VERSION/+/%2B}"
  folder=$(mktemp -d)
  curl --fail --silent --show-error --location --retry 5 --output "$folder/k3s" "$release/k3s"
  curl --fail --silent --show-error --location --retry 5 --output "$folder/sums" \
    "$release/sha256sum-amd64.txt"
  curl --fail --silent --show-error --location --retry 5 --output "$folder/install.sh" \
    "https://raw.githubusercontent.com/k3s-io/k3s/${K3S_VERSION/+/%2B}/install.sh"
  (cd "$folder" && grep ' k3s$' sums | sha256sum --check --strict)
  sudo install -m 755 "$folder/k3s" /usr/local/bin/k3s
  sudo env INSTALL_K3S_SKIP_DOWNLOAD=true K3S_TOKEN="${K3S_TOKEN:-}" sh "$folder/install.sh" "$@"
}

ready() {
  local nodes=$1 snapshotter="https://github.com/kubernetes-csi/external-snapshotter"
  mkdir -p ~/.kube
  if [[ -r /etc/rancher/k3s/k3s.yaml || ! -e ~/.kube/k3s.yaml ]]; then
    sudo tail --lines=+1 /etc/rancher/k3s/k3s.yaml | tee ~/.kube/k3s.yaml >/dev/null
  fi
  chmod 600 ~/.kube/k3s.yaml
  export KUBECONFIG=~/.kube/k3s.yaml
  local deadline=$((SECONDS + 600))
  until (($(kubectl get nodes --no-headers 2>/dev/null | grep -cw Ready) >= nodes)); do
    ((SECONDS < deadline)) || { echo "k3s: fewer than $nodes nodes are ready after 600 s" >&2; exit 1; }
    sleep 3
  done
  kubectl apply -k "$snapshotter/client/config/crd?ref=$SNAPSHOTTER_VERSION"
  kubectl apply -k "$snapshotter/deploy/kubernetes/snapshot-controller?ref=$SNAPSHOTTER_VERSION"
  kubectl -n kube-system rollout status deployment/snapshot-controller --timeout=5m
}

case ${1:-} in
  server) install_k3s "$@" ;;
  ready) ready "$2" ;;
  *) echo 'k3s.sh: server [FLAG]... or ready NODES' >&2; exit 2 ;;
esac
