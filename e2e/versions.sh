# What the end-to-end tests download, besides what requirements.txt and the chart pin.
# shellcheck shell=bash disable=SC2034 # others read them
K3S_VERSION=v1.35.1+k3s1      # newer: https://github.com/k3s-io/k3s/releases
SNAPSHOTTER_VERSION=v8.6.0    # newer: https://github.com/kubernetes-csi/external-snapshotter/releases
UBUNTU_RELEASE=noble          # images: https://cloud-images.ubuntu.com/
