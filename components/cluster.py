"""What every cluster gives to the rest of the program, whoever made it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import pulumi
import pulumi_kubernetes as k8s
from pydantic import AfterValidator

from components.capacity.disk import CopiesDisk
from components.capacity.node import NodeCapacity
from components.load_balancer import LoadBalancerAnnotations
from components.settings import Settings

Architecture = Literal["amd64", "arm64"]
"""Processor of a node, as its label kubernetes.io/arch says it."""


def _one_in_each_zone(nodes: int) -> int:
    if nodes < 3:
        raise ValueError(
            "Longhorn keeps three copies in three zones, each on a node of its own; "
            "set it to 3 or more"
        )
    if nodes % 3:
        raise ValueError(
            "the three zones have equally many nodes; "
            f"set it to {nodes - nodes % 3} or {nodes - nodes % 3 + 3}"
        )
    return nodes


NodesInThreeZones = Annotated[int, AfterValidator(_one_in_each_zone)]
"""Nodes in all, of which each of three zones has as many as the others, and at least one."""


class ClusterSettings(Settings, ABC):
    """What the rest of a stack file is checked against, whoever makes the cluster."""

    nodes: int
    """Nodes that can carry Longhorn replicas."""

    @abstractmethod
    def node_architecture(self) -> Architecture:
        """Processor of the nodes that these settings ask for."""

    @abstractmethod
    def node_capacity(self) -> NodeCapacity | None:
        """What a node that may run the database has; None where nothing tells."""

    @abstractmethod
    def copies_disk(self) -> CopiesDisk | None:
        """The disk of each node that Longhorn's copies are on; None where nothing tells."""


class Cluster(Protocol):
    """A Kubernetes cluster that Longhorn and IRIS can be deployed into.

    Implemented by ``ExistingCluster``, ``EksCluster``, ``AksCluster`` and ``GkeCluster``.
    """

    name: str
    """The cluster's name, known at preview. Used as the provider's ``cluster_identifier``."""

    provider: k8s.Provider
    """Reaches this cluster and no other."""

    kubeconfig: pulumi.Output[str]
    """The whole kubeconfig as YAML or JSON text, secret."""

    kubectl: str
    """How a person calls kubectl for this cluster, after ``save_kubeconfig``."""

    save_kubeconfig: str | None
    """Shell command that writes the kubeconfig which ``kubectl`` names; None if it exists."""

    node_count: int
    """Nodes that carry Longhorn replicas."""

    zone_count: int
    """Zones that these nodes are spread over."""

    architecture: Architecture
    """Processor of the nodes."""

    dedicated_disk: bool
    """Whether Longhorn's data path is a disk of its own on each node."""

    volume_snapshots: bool
    """Whether the snapshot.storage.k8s.io resources exist in the cluster."""

    load_balancer_annotations: LoadBalancerAnnotations
    """What a Service of type LoadBalancer carries here, by the address that it asks for."""

    workloads_after: Sequence[pulumi.Input[pulumi.Resource]]
    """What must exist before anything runs in the cluster, and must outlive it on destroy."""
