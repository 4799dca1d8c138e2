#!/bin/bash
# Gives a new EKS node (Amazon Linux 2023) what Longhorn needs: an iSCSI initiator, kernel modules
# and a disk of its own. cloud-init runs it once, before nodeadm makes the machine a node.
# Every byte here is part of the launch template: a change replaces all nodes, one by one.
set -Eeuo pipefail

data_path=/var/lib/longhorn
label=longhorn
# sync: a write that Longhorn acknowledges is on the disk. Without it a file system keeps what it
# knows of new blocks for seconds, and all copies lose them when all machines lose power.
mount_options=noatime,sync
prepared=/etc/longhorn-node-prepared

trap 'echo "node-prep: line $LINENO failed: $BASH_COMMAND" >&2' ERR
trap '(($? == 0)) || echo "node-prep: FAILED: this machine does not join the cluster" >&2' EXIT

retry() {
  local try
  for try in 1 2 3 4 5 6 7 8; do
    "$@" && return 0
    echo "node-prep: try $try failed: $*" >&2
    sleep $((try * 3))
  done
  return 1
}

# First of all, so that nothing that goes wrong below lets the machine join, not even a script that
# is killed. nodeadm only waits for this script and never asks how it ended, and the two units
# cannot be masked: their files are in /etc, where a mask would have to be. At every later boot
# kubelet stays down without the disk, instead of filling the system's disk with copies.
for unit in nodeadm-run kubelet; do
  mkdir -p "/etc/systemd/system/$unit.service.d"
  cat >"/etc/systemd/system/$unit.service.d/longhorn.conf" <<EOF
[Unit]
AssertPathExists=$prepared
RequiresMountsFor=$data_path
Wants=iscsid.service
After=iscsid.service
EOF
done
systemctl daemon-reload

retry dnf install -y iscsi-initiator-utils nfs-utils cryptsetup xfsprogs

load() {
  modprobe "$1" && return 0
  local kernel
  kernel=$(rpm -q --queryformat '%{NAME}' -f "/lib/modules/$(uname -r)/vmlinuz")
  retry dnf install -y "$kernel-modules-extra-$(uname -r)"
  modprobe "$1"
}
load iscsi_tcp
load dm_crypt
printf '%s\n' iscsi_tcp dm_crypt >/etc/modules-load.d/longhorn.conf

# A name per machine; a machine that was prepared before keeps the one it is known by.
[[ -e $prepared ]] || echo "InitiatorName=$(/usr/sbin/iscsi-iname)" >/etc/iscsi/initiatorname.iscsi
systemctl enable --now iscsid.service
# At boot it would log in to the volumes of the time before, one after the other, and wait minutes
# for each. Longhorn logs in by itself.
systemctl mask iscsi.service

# The EBS volume that is neither the system's nor partitioned. NVMe names follow the order in
# which volumes answer, so that /dev/xvdb says nothing about them.
find_data_disk() {
  local root_disk name type model
  root_disk=$(lsblk -nro PKNAME "$(findmnt -nro SOURCE /)" | head -n 1)
  [[ -n $root_disk ]] || return 1
  disks=()
  while read -r name type model; do
    [[ $type == disk && $name != "$root_disk" ]] || continue
    [[ $model == *'Elastic\x20Block\x20Store'* ]] || continue
    [[ -z $(lsblk -nro NAME "/dev/$name" | sed 1d) ]] && disks+=("/dev/$name")
  done < <(lsblk -dnro NAME,TYPE,MODEL)
  ((${#disks[@]} > 0))
}
disks=()
for _ in {1..60}; do
  find_data_disk && break
  sleep 2
done
if ((${#disks[@]} != 1)); then
  echo "node-prep: ${#disks[@]} volumes could be Longhorn's, instead of one: ${disks[*]}" >&2
  exit 1
fi
disk=${disks[0]}

# blkid ends with 2 when it finds nothing on the disk; mkfs.xfs looks again, and without -f it
# refuses a disk that holds something it knows.
found=$(blkid -p "$disk") && status=0 || status=$?
if ((status == 2)); then
  mkfs.xfs -L "$label" "$disk"
elif ((status != 0)) || [[ $found != *"LABEL=\"$label\""* || $found != *'TYPE="xfs"'* ]]; then
  echo "node-prep: $disk holds something else and is left alone: ${found:-blkid failed}" >&2
  exit 1
fi
udevadm settle

mkdir -p "$data_path"
# nofail: without its disk the machine boots, so that a person can look at it; kubelet does not.
grep -q "^LABEL=$label " /etc/fstab ||
  echo "LABEL=$label $data_path xfs $mount_options,nofail,x-systemd.device-timeout=30 0 2" \
    >>/etc/fstab
systemctl daemon-reload
mountpoint -q "$data_path" || mount "$data_path"
mountpoint -q "$data_path"

touch "$prepared"
echo "node-prep: ready for Longhorn: $disk on $data_path"
