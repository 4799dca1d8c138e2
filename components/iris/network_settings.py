"""Who may reach IRIS, and whom it may reach, as a stack file says it."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from components.iris.service import IrisServiceSettings
from components.settings import Cidr, KubernetesName, Settings

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server itself gives to each namespace, so that nobody can borrow a name."""

Port = Annotated[int, Field(ge=1, le=65535)]


class Peer(Settings):
    """The other end of a connection: pods of a namespace, or a network outside the cluster."""

    namespace: KubernetesName | None = None
    """Namespace of the pods."""

    pods: dict[str, str] = Field(default={})
    """Labels of the pods; empty: all of that namespace."""

    cidr: Cidr | None = Field(default=None, validate_default=True)
    """Network outside the cluster. Cilium, as on AKS, finds no pod and no node by its address."""

    @field_validator("pods")
    @classmethod
    def _are_of_a_namespace(cls, pods: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if pods and "namespace" in info.data and info.data["namespace"] is None:
            raise ValueError(
                "labels of pods say nothing without a namespace; name it, or drop pods. The pods "
                "of IRIS's own namespace reach it as they are"
            )
        return pods

    @field_validator("cidr")
    @classmethod
    def _is_one_of_both(cls, cidr: Cidr | None, info: ValidationInfo) -> Cidr | None:
        named = {"namespace", "pods"} <= info.data.keys()
        if named and (cidr is None) == (info.data["namespace"] is None):
            raise ValueError(
                "an entry is either pods or a network; give it a namespace or a cidr, and the "
                "other one an entry of its own"
            )
        return cidr

    def selector(self) -> dict[str, Any]:
        """The entry of a NetworkPolicy's ``from`` or ``to``."""
        if self.cidr:
            return {"ipBlock": {"cidr": str(self.cidr)}}
        namespace = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: self.namespace}}}
        return {**namespace, "podSelector": {"matchLabels": self.pods}} if self.pods else namespace


class EgressPeer(Peer):
    """What IRIS may reach."""

    ports: tuple[Port, ...] = ()
    """TCP ports there; empty: all, of every protocol."""


class NetworkPolicySettings(Settings):
    """NetworkPolicies of IRIS's namespace. They need a network plugin that enforces them."""

    enabled: bool = True
    """Keep out who is not named below. Without it every pod of the cluster reaches every port."""

    clients: tuple[Peer, ...] = ()
    """Who may reach the superserver (1972), beside the pods of IRIS's own namespace."""

    web: tuple[Peer, ...] = ()
    """Who may reach the web server: portal, REST, and /api/monitor, which asks for no login."""

    metrics: tuple[Peer, ...] = ()
    """Who reads /api/monitor. A policy knows ports and no paths: these reach what web reaches."""

    egress: tuple[EgressPeer, ...] | None = None
    """What IRIS may reach beside its own namespace and DNS. None: everything, as interfaces need.

    An empty list is nothing else. IRIS itself needs no more: the node pulls its image, the licence
    is a file, and it has no business with the Kubernetes API.
    """

    def told_apart(self, *, superserver: IrisServiceSettings, web: IrisServiceSettings) -> None:
        """Find a list of clients that would keep nobody out.

        Raises:
            ValueError: with reason and cure.
        """
        at_the_web = "service" if web is superserver else "webGateway.service"
        behind = {
            "clients": ("service", superserver),
            "web": (at_the_web, web),
            "metrics": (at_the_web, web),
        }
        for key, (group, service) in behind.items():
            if self.enabled and getattr(self, key) and service.hides_clients():
                raise ValueError(
                    f"{key} would keep nobody out: behind a LoadBalancer with the "
                    "externalTrafficPolicy Cluster clients may arrive under a node's address, so "
                    f"the ports are open to every pod; set {group}.externalTrafficPolicy to "
                    f"Local, or drop {key}"
                )
