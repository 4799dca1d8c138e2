"""A Service of the database: who may connect, and what clients call it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as k8s
from pydantic import Field, ValidationInfo, field_validator

from components.cluster import Cluster
from components.load_balancer import LoadBalancerAddress, replaced_with_its_kind
from components.settings import AnnotationKey, Cidr, Hostname, Settings, open_to_all

EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/hostname"
"""Annotation from which ExternalDNS, where a cluster has it, makes the record."""


class IrisServiceSettings(Settings):
    """How clients reach the superserver (1972), or the web server (52773)."""

    type: Literal["ClusterIP", "LoadBalancer"] = "ClusterIP"
    """ClusterIP keeps the database inside the cluster; LoadBalancer gives it an address."""

    source_ranges: tuple[Cidr, ...] = Field(default=(), validate_default=True)
    """Networks that may connect through the LoadBalancer."""

    external_traffic_policy: Literal["Cluster", "Local"] = Field(
        default="Cluster", validate_default=True
    )
    """Whether the LoadBalancer sends clients to any node, or only to one that runs the pod.

    Cluster: IRIS, and the NetworkPolicies before it, may see a node's address in place of the
    client's, and so let in who comes. Local: both see the client's, and the NetworkPolicies let in
    sourceRanges alone; after a failover clients also wait until the load balancer has found the
    other node.
    """

    address: LoadBalancerAddress = Field(default="internal", validate_default=True)
    """Address of the LoadBalancer on EKS, AKS and GKE.

    internal: one of the nodes' network. public: one of the Internet. A change replaces the
    LoadBalancer, and clients reach it under another address.
    """

    hostname: Hostname | None = Field(default=None, validate_default=True)
    """Name of the LoadBalancer in your DNS. Outputs tell it, and ExternalDNS makes the record."""

    annotations: dict[AnnotationKey, str] = Field(default={})
    """More annotations of the Service. They win over those that the program sets for the cloud."""

    @field_validator("source_ranges")
    @classmethod
    def _named_for_a_load_balancer(
        cls, ranges: tuple[Cidr, ...], info: ValidationInfo
    ) -> tuple[Cidr, ...]:
        kind = info.data.get("type")
        if kind == "LoadBalancer" and not ranges:
            raise ValueError(
                "a LoadBalancer without source ranges offers the database to everybody; "
                "list the networks of its clients"
            )
        if open_to_all(ranges):
            raise ValueError(
                "this offers the database to the whole Internet; list the networks of its clients"
            )
        if kind == "ClusterIP" and ranges:
            raise ValueError(
                "only a LoadBalancer can tell clients apart; set type to LoadBalancer, "
                "or drop sourceRanges"
            )
        return ranges

    @field_validator("external_traffic_policy", "address", "hostname")
    @classmethod
    def _is_of_a_load_balancer(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value not in ("Cluster", "internal", None) and info.data.get("type") == "ClusterIP":
            key = {"Local": "externalTrafficPolicy", "public": "address"}.get(value, "hostname")
            raise ValueError(
                "a ClusterIP is reached inside the cluster only; set type to LoadBalancer, "
                f"or drop {key}"
            )
        return value

    def hides_clients(self) -> bool:
        """Whether connections from outside may arrive under the address of a node."""
        return self.type == "LoadBalancer" and self.external_traffic_policy == "Cluster"


@dataclass(frozen=True)
class Entrance:
    """A Service, and how a client comes to it."""

    service: str
    """Its name."""

    address: pulumi.Output[str]
    """Name or address: one inside the cluster, unless it is a LoadBalancer."""

    inside_only: bool
    """Whether a client outside the cluster needs ``kubectl port-forward``."""

    def host(self) -> pulumi.Output[str]:
        """What a client calls it, after port-forward where that is needed."""
        return pulumi.Output.from_input("localhost") if self.inside_only else self.address


def entrance(
    name: str,
    settings: IrisServiceSettings,
    *,
    service: str,
    namespace: str,
    here: pulumi.Input[str],
    labels: Mapping[str, str],
    ports: Mapping[str, int],
    cluster: Cluster,
    same_pod_for_a_client: bool = False,
    named_ports: bool = True,
    opts: pulumi.ResourceOptions,
) -> Entrance:
    """Make a Service.

    Args:
        name: of the Pulumi resource.
        settings: choices of the stack.
        service: name of the Service in Kubernetes.
        namespace: its namespace.
        here: the same, from the resource, so that it exists by then.
        labels: of the Service, and of the pods behind it.
        ports: number by name; the pods call their ports by the same names.
        cluster: where it is.
        same_pod_for_a_client: whether a client's connections go to one pod, as long as it lives.
        named_ports: whether the pods call their ports by these names.
        opts: options of the resource.
    """
    public = settings.type == "LoadBalancer"
    spec: Any = {
        "type": settings.type,
        "selector": labels,
        "ports": [
            {"name": port_name, "port": port, "targetPort": port_name if named_ports else port}
            for port_name, port in ports.items()
        ],
    }
    if public:
        spec["externalTrafficPolicy"] = settings.external_traffic_policy
        spec["loadBalancerSourceRanges"] = [str(r) for r in settings.source_ranges]
    if same_pod_for_a_client:
        spec["sessionAffinity"] = "ClientIP"
    for_the_cloud = cluster.load_balancer_annotations[settings.address] if public else {}
    for_dns = {EXTERNAL_DNS: settings.hostname} if settings.hostname else {}
    made = k8s.core.v1.Service(
        name,
        metadata={
            "name": service,
            "namespace": here,
            "labels": labels,
            "annotations": {**for_the_cloud, **for_dns, **settings.annotations},
        },
        spec=spec,
        opts=pulumi.ResourceOptions.merge(
            opts, replaced_with_its_kind(cluster.load_balancer_annotations)
        ),
    )
    return Entrance(
        service=service,
        address=pulumi.Output.from_input(settings.hostname)
        if settings.hostname
        else made.status.apply(_ingress_address)
        if public
        else pulumi.Output.from_input(f"{service}.{namespace}.svc.cluster.local"),
        inside_only=not public,
    )


def _ingress_address(status: k8s.core.v1.outputs.ServiceStatus | None) -> str:
    ingress = status.load_balancer.ingress if status and status.load_balancer else None
    if not ingress:
        return "pending"
    return ingress[0].hostname or ingress[0].ip or "pending"
