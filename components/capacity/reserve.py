"""What machine, kubelet and cloud keep of a node from the pods of others."""

from collections.abc import Iterable

from components.capacity.node import Machine, Share

MACHINE_PERCENT = 7.5
"""Share of a machine's memory that firmware, kernel and hypervisor take, at most: the default of
vm-memory-overhead-percent, by which Karpenter foresees nodes on AWS and Azure."""

EVICTION_GIB = 100 / 1024
"""Memory that the kubelets of all three clouds keep free: memory.available < 100Mi."""

# No cloud documents what its DaemonSets and DNS request together: estimates of this program.
EKS_PODS = Share("EKS's own pods", 0.3, 0.5)
AKS_PODS = Share("AKS's own pods", 0.5, 0.5)
GKE_PODS = Share("GKE's own pods", 0.7, 0.5)
OTHER_PODS = Share("the cluster's own pods", 0.3, 0.5)


def eks_reserved(machine: Machine, *, max_pods: int) -> tuple[Share, ...]:
    """What EKS's AL2023 keeps from pods (awslabs/amazon-eks-ami, nodeadm, kubelet/config.go)."""
    kube_gib = (255 + 11 * max_pods) / 1024
    return _reserved(machine, _tiers(machine.cpus, _CPUS), kube_gib)


def aks_reserved(machine: Machine, *, max_pods: int) -> tuple[Share, ...]:
    """What AKS 1.29 and later keep from pods ("Node resource reservations", AKS)."""
    cpus = _tiers(machine.cpus, [(1, 0.06), (1, 0.04), (2, 0.02), (float("inf"), 0.01)])
    kube_gib = (20 * max_pods + 50) * 1e6 / 2**30
    return _reserved(machine, cpus, min(kube_gib, machine.memory_gib / 4))


def gke_reserved(machine: Machine) -> tuple[Share, ...]:
    """What GKE keeps from pods ("Plan GKE Standard node sizes")."""
    memory = [(4, 0.25), (4, 0.2), (8, 0.1), (112, 0.06), (float("inf"), 0.02)]
    kube_gib = _tiers(machine.memory_gib, memory)
    return _reserved(machine, _tiers(machine.cpus, _CPUS), kube_gib)


_CPUS = [(1, 0.06), (1, 0.01), (2, 0.005), (float("inf"), 0.0025)]
"""Of the first processor 6 %, of the second 1 %, of the next two 0.5 %, of the others 0.25 %."""


def _tiers(amount: float, tiers: Iterable[tuple[float, float]]) -> float:
    """Sum of a share for each slice of an amount, as taxes are."""
    total = 0.0
    for width, share in tiers:
        total += min(amount, width) * share
        amount -= min(amount, width)
    return total


def _reserved(machine: Machine, kube_cpus: float, kube_gib: float) -> tuple[Share, ...]:
    return (
        Share("the machine itself", 0, machine.memory_gib * MACHINE_PERCENT / 100),
        Share("Kubernetes", kube_cpus, kube_gib + EVICTION_GIB),
    )
