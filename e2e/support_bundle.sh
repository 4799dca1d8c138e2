#!/usr/bin/env bash
# What one wants to see of a cluster in which something went wrong, without any Secret:
# support_bundle.sh FOLDER. It goes on past whatever does not answer.
set -uo pipefail

folder=${1:?a folder}
export KUBECONFIG=${KUBECONFIG:-$HOME/.kube/k3s.yaml}
mkdir -p "$folder"
see() { # FILE COMMAND...
  local file=$folder/$1
  shift
  timeout 60 "$@" >"$file" 2>&1 || echo "(ended with $?)" >>"$file"
}

see nodes.txt kubectl describe nodes
see pods.txt kubectl get pods --all-namespaces --output wide
see events.txt kubectl get events --all-namespaces --sort-by=.lastTimestamp
see volumes.yaml kubectl get pv,pvc,volumeattachments,volumesnapshots,volumesnapshotcontents \
  --all-namespaces --output yaml
see longhorn.yaml kubectl -n longhorn-system get \
  volumes.longhorn.io,engines.longhorn.io,replicas.longhorn.io,nodes.longhorn.io,snapshots.longhorn.io \
  --output yaml
for namespace in iris longhorn-system kube-system; do
  see "$namespace.describe.txt" kubectl -n "$namespace" describe pods
  for pod in $(timeout 60 kubectl -n "$namespace" get pods --output name 2>/dev/null); do
    see "$namespace.${pod#pod/}.log" kubectl -n "$namespace" logs --all-containers --tail=2000 "$pod"
    see "$namespace.${pod#pod/}.before.log" \
      kubectl -n "$namespace" logs --all-containers --previous --tail=2000 "$pod"
  done
done
see messages.log kubectl -n iris exec deployment/iris -- tail -n 2000 /data/iris/mgr/messages.log
see host.log sudo journalctl --no-pager --lines=3000 --unit=k3s --unit=iscsid
echo "written to $folder"
