#!/bin/sh
# Keeps the node's multipathd away from Longhorn's devices. Runs in a privileged pod that has the
# node's root at $HOST: node pools of AKS and GKE take no script of their own at a node's start.
set -eu

HOST=${HOST:-/host}
folder=$HOST/etc/multipath/conf.d

if [ ! -x "$HOST/usr/sbin/multipathd" ]; then
    echo "node-prep: this node has no multipathd; nothing to do"
    exit 0
fi
mkdir -p "$folder"
cat >"$folder/longhorn.conf" <<'END'
blacklist {
    devnode "^sd[a-z0-9]+"
}
END
if chroot "$HOST" /usr/sbin/multipathd show daemon >/dev/null 2>&1; then
    # Fails, and with it the pod, which tries again, if multipathd does not take it.
    chroot "$HOST" /usr/sbin/multipathd reconfigure
    echo "node-prep: multipathd leaves sd devices alone"
else
    echo "node-prep: multipathd does not run; it will leave sd devices alone when it does"
fi
