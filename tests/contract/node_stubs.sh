#!/bin/bash
# Stands in for the commands of a new EKS node that reach its disks, packages or services. Called
# by each command's own name; says every call in /world/calls and keeps the node's state in /world.
set -u
name=${0##*/}
echo "$name $*" >> /world/calls

# Columns of /world/disks, as lsblk calls them.
columns=(NAME TYPE MODEL PKNAME FSTYPE LABEL)

list_disks() {
  local flags="" wanted="NAME" device="" whole=0 raw=0 row fields line column i value
  while (($#)); do
    case $1 in
      -*o) flags+=$1; wanted=$2; shift ;;
      --output) wanted=$2; shift ;;
      --output=*) wanted=${1#*=} ;;
      -*) flags+=$1 ;;
      *) device=${1##*/} ;;
    esac
    shift
  done
  [[ $flags == *d* ]] && whole=1
  [[ $flags == *r* ]] && raw=1
  while IFS='|' read -r -a fields; do
    row=${fields[0]}
    [[ -z $device || $row == "$device" || (${fields[3]:-} == "$device" && $whole == 0) ]] || continue
    [[ $whole == 0 || ${fields[1]} == disk ]] || continue
    line=""
    for column in ${wanted//,/ }; do
      value=""
      for i in "${!columns[@]}"; do
        [[ ${columns[i]} == "${column^^}" ]] && value=${fields[i]:-}
      done
      [[ ${column^^} == NAME && $flags == *p* ]] && value="/dev/$value"
      ((raw)) && value=${value// /\\x20}
      line+="${line:+ }$value"
    done
    echo "$line"
  done < /world/disks
}

case $name in
  dnf | yum) [[ ! -e /world/no-packages ]] ;;
  findmnt) echo /dev/nvme0n1p1 ;;
  lsblk) list_disks "$@" ;;
  blkid)
    [[ ! -e /world/unreadable ]] || exit 4
    [[ ! -e /world/foreign ]] || { echo 'LABEL="other" TYPE="ext4"' && exit 0; }
    [[ -e /world/formatted ]] || exit 2
    echo 'LABEL="longhorn" TYPE="xfs"'
    ;;
  mkfs.xfs) touch /world/formatted ;;
  mountpoint) [[ -e /world/mounted ]] ;;
  mount) touch /world/mounted ;;
  iscsi-iname) echo "iqn.1994-05.com.redhat:$RANDOM$RANDOM" ;;
  rpm) echo kernel6.12 ;;
  uname) echo 6.12.100-1.amzn2023.x86_64 ;;
  logger) cat > /dev/null ;;
  systemctl) [[ $1 != mask ]] || printf '%s\n' "${@:2}" >> /world/masked ;;
  modprobe | udevadm | sleep) ;;
  *) exit 127 ;;
esac
