#!/usr/bin/env bash
# Three virtual machines on one host, as different from each other as three servers: kernels, iSCSI
# daemons and disks of their own.
#
#   machines.sh host            QEMU, a bridge with NAT, and a door to the database (HAProxy)
#   machines.sh render          what cloud-init is told, one folder for each machine
#   machines.sh create          the machines, from a cloud image of Ubuntu that is checked
#   machines.sh install         what Longhorn needs on each, and k3s with three servers
#   machines.sh off|on|id NAME  pull the plug of one, put it back, print the id of its process
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR source=versions.sh
. ./versions.sh

folder=${E2E_MACHINES:-$HOME/machines}
names=(one two three)
network=10.77.0
bridge=ha-iris0
memory=${E2E_MEMORY:-4608} # MiB each; a hosted runner has 16 GiB
disk=${E2E_DISK:-24G}

number() { # of a machine, from 1
  local index
  for index in "${!names[@]}"; do
    [[ ${names[index]} != "$1" ]] || { echo $((index + 1)); return; }
  done
  echo "machines.sh: $1 is none of ${names[*]}" >&2
  exit 2
}
address() { echo "$network.1$(number "$1")"; }
remote() {
  ssh -i "$folder/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR -o ConnectTimeout=5 "ubuntu@$(address "$1")" "${@:2}"
}

host() {
  sudo apt-get update --quiet
  sudo apt-get install --yes --quiet qemu-system-x86 qemu-utils cloud-image-utils haproxy
  sudo chmod 666 /dev/kvm # the runner's user is not in the group kvm
  sudo ip link add "$bridge" type bridge
  sudo ip address add "$network.1/24" dev "$bridge"
  sudo ip link set "$bridge" up
  sudo sysctl --quiet net.ipv4.ip_forward=1
  sudo iptables -t nat -A POSTROUTING -s "$network.0/24" ! -d "$network.0/24" -j MASQUERADE
  sudo iptables -I FORWARD -i "$bridge" -j ACCEPT
  sudo iptables -I FORWARD -o "$bridge" -j ACCEPT
  # A client needs one address that no machine's death takes away.
  sudo cp haproxy.cfg /etc/haproxy/haproxy.cfg
  sudo systemctl restart haproxy
}

render() {
  local name
  mkdir -p "$folder"
  [[ -e $folder/key ]] || ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
  for name in "${names[@]}"; do
    mkdir -p "$folder/$name"
    cat >"$folder/$name/user-data" <<END
#cloud-config
hostname: $name
ssh_authorized_keys:
  - $(cat "$folder/key.pub")
END
    printf 'instance-id: %s\nlocal-hostname: %s\n' "$name" "$name" >"$folder/$name/meta-data"
    cat >"$folder/$name/network-config" <<END
version: 2
ethernets:
  first:
    match: {macaddress: "52:54:00:77:00:0$(number "$name")"}
    addresses: [$(address "$name")/24]
    routes: [{to: default, via: $network.1}]
    nameservers: {addresses: [1.1.1.1, 8.8.8.8]}
END
  done
}

create() {
  local name image=$UBUNTU_RELEASE-server-cloudimg-amd64.img
  local source="https://cloud-images.ubuntu.com/$UBUNTU_RELEASE/current"
  render
  (
    cd "$folder"
    curl --fail --silent --show-error --location --retry 5 --remote-name "$source/$image"
    curl --fail --silent --show-error --location --retry 5 --remote-name "$source/SHA256SUMS"
    grep " \*\?$image\$" SHA256SUMS | sha256sum --check --strict
  )
  for name in "${names[@]}"; do
    qemu-img create -q -f qcow2 -F qcow2 -b "$folder/$image" "$folder/$name/disk.qcow2" "$disk"
    cloud-localds --network-config="$folder/$name/network-config" "$folder/$name/seed.img" \
      "$folder/$name/user-data" "$folder/$name/meta-data"
    on "$name"
  done
  for name in "${names[@]}"; do
    until remote "$name" cloud-init status --wait >/dev/null 2>&1; do sleep 3; done
  done
}

install_k3s() {
  local name token flags
  token=$(openssl rand -hex 24)
  for name in "${names[@]}"; do
    remote "$name" mkdir -p e2e
    tar -c versions.sh prepare_host.sh k3s.sh | remote "$name" tar -x -C e2e
    remote "$name" e2e/prepare_host.sh
    flags=(--node-ip "$(address "$name")" --disable traefik --write-kubeconfig-mode 600)
    if [[ $name == "${names[0]}" ]]; then
      flags+=(--cluster-init --tls-san "$network.1")
    else
      flags+=(--server "https://$(address "${names[0]}"):6443")
    fi
    remote "$name" env "K3S_TOKEN=$token" e2e/k3s.sh server "${flags[@]}"
  done
  mkdir -p ~/.kube
  # By the host, which goes to a server that lives.
  remote "${names[0]}" sudo cat /etc/rancher/k3s/k3s.yaml \
    | sed "s/127\.0\.0\.1/$network.1/" >~/.kube/k3s.yaml
  ./k3s.sh ready "${#names[@]}"
}

on() {
  local name=$1
  sudo ip tuntap add "ha-iris$(number "$name")" mode tap user "$(id -un)" 2>/dev/null || true
  sudo ip link set "ha-iris$(number "$name")" master "$bridge" up
  # cache=none: what a machine was told to be on its disk is not in this host's memory alone.
  qemu-system-x86_64 -name "$name" -machine q35,accel=kvm -cpu host -smp 1 -m "$memory" \
    -drive "file=$folder/$name/disk.qcow2,if=virtio,cache=none" \
    -drive "file=$folder/$name/seed.img,if=virtio,format=raw,readonly=on" \
    -netdev "tap,id=net,ifname=ha-iris$(number "$name"),script=no,downscript=no" \
    -device "virtio-net-pci,netdev=net,mac=52:54:00:77:00:0$(number "$name")" \
    -display none -serial "file:$folder/$name/console.log" \
    -pidfile "$folder/$name/pid" -daemonize
}

off() { # as a plug is pulled: nothing in the machine hears of it
  local pid
  pid=$(cat "$folder/$1/pid")
  kill -KILL "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  rm -f "$folder/$1/pid"
}

case ${1:-} in
  host | render | create) "$1" ;;
  install) install_k3s ;;
  off | on) number "${2:-}" >/dev/null; "$1" "$2" ;;
  id) number "${2:-}" >/dev/null; cat "$folder/$2/pid" ;;
  *) echo 'machines.sh: host, render, create, install, off NAME, on NAME or id NAME' >&2; exit 2 ;;
esac
