#!/usr/bin/env bash
# Gives a machine with Ubuntu what Longhorn needs: iSCSI, and nobody else who takes its devices.
set -euo pipefail

sudo apt-get update --quiet
sudo apt-get install --yes --quiet open-iscsi nfs-common cryptsetup dmsetup
# Kernels of hosted runners come without it, and with another package for it every few months.
if ! sudo modprobe iscsi_tcp; then
  sudo apt-get install --yes --quiet "linux-modules-extra-$(uname -r)" \
    || sudo apt-get install --yes --quiet linux-modules-extra-azure
  sudo modprobe iscsi_tcp
fi
sudo systemctl enable --now iscsid
if systemctl is-active --quiet multipathd; then
  sudo systemctl disable --now multipathd.socket multipathd.service
fi
if [[ ${RUNNER_ENVIRONMENT:-} == github-hosted ]]; then
  # Some 30 GB that nothing here uses.
  sudo rm -rf /usr/share/dotnet /usr/local/lib/android /opt/ghc /opt/hostedtoolcache/CodeQL
fi
df -h /
