#!/bin/sh
# Keeps multipathd of the node away from Longhorn's devices. Runs in a privileged pod with the
# node's root at /host. AKS offers no other way to change a node that AKS supports.
set -eu

conf=/host/etc/multipath/conf.d/longhorn.conf
want='blacklist {
    devnode "^sd[a-z0-9]+"
}'

if [ ! -x /host/sbin/multipathd ] && [ ! -x /host/usr/sbin/multipathd ]; then
    echo "node-prep: this node has no multipathd; nothing to do"
elif [ -f "$conf" ] && [ "$(cat "$conf")" = "$want" ]; then
    echo "node-prep: multipathd leaves sd devices alone already"
else
    mkdir -p "${conf%/*}"
    printf '%s\n' "$want" >"$conf.new"
    mv "$conf.new" "$conf"
    # Without a running multipathd the file waits for its next start.
    if chroot /host systemctl is-active --quiet multipathd; then
        chroot /host multipathd reconfigure
    fi
    echo "node-prep: multipathd leaves sd devices alone from now on"
fi
