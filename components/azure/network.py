"""A virtual network whose nodes have no public address and leave through a load balancer."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal

import pulumi
from pulumi_azure_native import network, resources
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.settings import Cidr, OwnRange, Settings

SUBNET_ID = (
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network"
    r"/virtualNetworks/[^/]+/subnets/[^/]+$"
)


PUBLIC_IP_ID = (
    r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network"
    r"/publicIPAddresses/[^/]+$"
)

PublicIpId = Annotated[str, StringConstraints(pattern=PUBLIC_IP_ID)]
"""Resource ID of a public address."""

OutboundType = Literal["loadBalancer", "userDefinedRouting", "userAssignedNATGateway"]
"""How nodes and pods reach the Internet (AKS, outbound types)."""


class ExistingAzureNetworkSettings(Settings):
    """A subnet that somebody else made, in the region of the cluster."""

    subnet_id: str = Field(pattern=SUBNET_ID)
    """Resource ID of the subnet for the nodes.

    It needs room for twice the nodes, no delegation and, for the backup store, the service
    endpoint Microsoft.Storage.
    """


class AzureNetworkSettings(Settings):
    """Addresses of the virtual network, or a subnet that exists."""

    existing: ExistingAzureNetworkSettings | None = None
    """Use a subnet that exists. Nothing of it is changed; set nodesRange to the range it has."""

    outbound_type: OutboundType = "loadBalancer"
    """How nodes and pods reach the Internet. To be chosen before the first `pulumi up`.

    loadBalancer: the cluster's own. userDefinedRouting: the route table of a subnet that exists,
    such as one to a firewall. userAssignedNATGateway: the NAT gateway of such a subnet.
    """

    outbound_ips: tuple[PublicIpId, ...] = Field(default=(), max_length=16, validate_default=True)
    """Public addresses (resource IDs, Standard, zone-redundant) to leave by; none: one of AKS's.

    They outlive the cluster, so that what they are known to needs no change with the next one.
    """

    nodes_range: OwnRange = IPv4Network("10.30.0.0/22")
    """Range of the virtual network and its one subnet: nodes and internal load balancers."""

    pods_range: Cidr = Field(default=IPv4Network("10.244.0.0/16"), validate_default=True)
    """Overlay range for pods, seen by nothing outside the cluster. Each node takes a /24 of it."""

    services_range: Cidr = Field(default=IPv4Network("172.21.0.0/16"), validate_default=True)
    """Range for services, seen by nothing outside the cluster."""

    @field_validator("outbound_type")
    @classmethod
    def _has_been_prepared(cls, outbound_type: str, info: ValidationInfo) -> str:
        if outbound_type != "loadBalancer" and info.data.get("existing", "") is None:
            raise ValueError(
                "the program makes neither a route nor a NAT gateway; name the subnet that has "
                "one in existing.subnetId, or set outboundType to loadBalancer"
            )
        return outbound_type

    @field_validator("outbound_ips")
    @classmethod
    def _are_of_the_load_balancer(
        cls, addresses: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        outbound_type = info.data.get("outbound_type", "loadBalancer")
        if addresses and outbound_type != "loadBalancer":
            raise ValueError(
                f"with {outbound_type} nodes leave by the subnet's own way; drop outboundIps, or "
                "set outboundType to loadBalancer"
            )
        return addresses

    @field_validator("nodes_range")
    @classmethod
    def _has_room_for_a_rotation(cls, nodes: IPv4Network) -> IPv4Network:
        if nodes.prefixlen > 27:
            raise ValueError(
                "Azure keeps five addresses of a subnet, and nodes are replaced by as many new "
                "ones before the old ones go; make it a /27 or larger"
            )
        return nodes

    @field_validator("pods_range")
    @classmethod
    def _has_room_for_the_pods(cls, pods: IPv4Network, info: ValidationInfo) -> IPv4Network:
        if pods.prefixlen > 20:
            raise ValueError(
                "each node takes 256 addresses, and a rotation needs twice the nodes; make it a "
                "/20 or larger"
            )
        return _apart(pods, info, "nodes_range")

    @field_validator("services_range")
    @classmethod
    def _has_room_for_dns(cls, services: IPv4Network, info: ValidationInfo) -> IPv4Network:
        if not 12 <= services.prefixlen <= 24:
            raise ValueError(
                "AKS takes service ranges smaller than a /11, and this many services need a /24; "
                "make it a /12 to a /24"
            )
        return _apart(services, info, "nodes_range", "pods_range")

    def dns_service_ip(self) -> str:
        """Address of CoreDNS: the tenth of the service range, as AKS itself would choose."""
        return str(self.services_range[10])


def _apart(range_: IPv4Network, info: ValidationInfo, *others: str) -> IPv4Network:
    for other in others:
        taken = info.data.get(other)
        if taken is not None and range_.overlaps(taken):
            name = other.replace("_r", "R")
            raise ValueError(f"it overlaps {name} ({taken}); give each a range of its own")
    return range_


class AzureNetwork(pulumi.ComponentResource):
    """A virtual network with one subnet for the nodes, or the subnet that a stack brings along."""

    vnet_id: pulumi.Output[str]
    """The virtual network."""

    subnet_id: pulumi.Output[str]
    """Subnet of the nodes."""

    pods_range: str
    """Overlay range for pods, as in 10.244.0.0/16."""

    services_range: str
    """Range for services."""

    outbound_type: OutboundType
    """How nodes and pods reach the Internet."""

    outbound_ips: tuple[str, ...]
    """Public addresses that the load balancer takes for it; none: one that AKS makes."""

    dns_service_ip: str
    """Address of CoreDNS within the service range."""

    def __init__(
        self,
        name: str,
        settings: AzureNetworkSettings,
        *,
        cluster_name: str,
        location: str,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:network:AzureNetwork", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.outbound_type = settings.outbound_type
        self.outbound_ips = settings.outbound_ips
        self.pods_range = str(settings.pods_range)
        self.services_range = str(settings.services_range)
        self.dns_service_ip = settings.dns_service_ip()

        if settings.existing:
            self.subnet_id = pulumi.Output.from_input(settings.existing.subnet_id)
            vnet_id = settings.existing.subnet_id.partition("/subnets/")[0]
            self.vnet_id = pulumi.Output.from_input(vnet_id)
        else:
            group = resources.ResourceGroup(
                f"{name}-group",
                resource_group_name=f"{cluster_name}-network",
                location=location,
                tags=tags,
                opts=child,
            )
            vnet = network.VirtualNetwork(
                f"{name}-vnet",
                virtual_network_name=f"{cluster_name}-vnet",
                resource_group_name=group.name,
                location=location,
                address_space=network.AddressSpaceArgs(
                    address_prefixes=[str(settings.nodes_range)]
                ),
                tags=tags,
                opts=child,
            )
            self.vnet_id = vnet.id
            self.subnet_id = network.Subnet(
                f"{name}-nodes",
                subnet_name="nodes",
                resource_group_name=group.name,
                virtual_network_name=vnet.name,
                address_prefix=str(settings.nodes_range),
                # Without it a node that no load balancer serves yet would get an address of
                # Azure's choice to leave by, which no firewall elsewhere can be told.
                default_outbound_access=False,
                # Backups reach the storage account over Azure's own network, and the account
                # knows the subnet they come from.
                service_endpoints=[
                    network.ServiceEndpointPropertiesFormatArgs(service="Microsoft.Storage")
                ],
                opts=child,
            ).id
        self.register_outputs({"subnetId": self.subnet_id})
