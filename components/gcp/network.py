"""A VPC whose nodes have no public address and reach the Internet through Cloud NAT."""

from ipaddress import IPv4Network

import pulumi
from pulumi_gcp import compute
from pydantic import Field, ValidationInfo, field_validator

from components.settings import Cidr, OwnRange, Settings

PODS_RANGE = "pods"
SERVICES_RANGE = "services"


class ExistingGcpNetworkSettings(Settings):
    """A subnetwork that somebody else made, with a way out to the Internet."""

    network: str = Field(pattern=r"^projects/[^/]+/global/networks/[^/]+$")
    """The VPC, as projects/PROJECT/global/networks/NAME; of the host project in a shared VPC."""

    subnetwork: str = Field(pattern=r"^projects/[^/]+/regions/[^/]+/subnetworks/[^/]+$")
    """The subnetwork of the nodes, as projects/PROJECT/regions/REGION/subnetworks/NAME.

    It needs Private Google Access and a Cloud NAT or another way to the image registries.
    """

    pods_range: str = PODS_RANGE
    """Name of the subnetwork's secondary range for pods."""

    services_range: str = SERVICES_RANGE
    """Name of the subnetwork's secondary range for services."""


class GcpNetworkSettings(Settings):
    """Addresses of the VPC, or a subnetwork that exists."""

    existing: ExistingGcpNetworkSettings | None = None
    """Use a subnetwork that exists. Nothing of it is changed, and nodesRange, podsRange,
    servicesRange, natAddresses and flowLogs are not used."""

    nodes_range: OwnRange = IPv4Network("10.40.0.0/22")
    """Primary range of the subnetwork: nodes, and addresses of internal load balancers."""

    pods_range: Cidr = Field(default=IPv4Network("10.44.0.0/16"), validate_default=True)
    """Secondary range for pods. GKE gives each node a /24 of it, so a /16 is enough for 256."""

    services_range: Cidr = Field(default=IPv4Network("10.45.0.0/20"), validate_default=True)
    """Secondary range for services."""

    control_plane_range: Cidr = Field(default=IPv4Network("172.16.0.0/28"), validate_default=True)
    """Range of the control plane's private endpoint, a /28 (GKE, creating private clusters)."""

    webhook_firewall: bool = True
    """Let the control plane reach Longhorn's webhooks on the nodes.

    Without it an API server that cannot reach them refuses every change of a Longhorn object.
    Turn it off only in a shared VPC whose host project has such a rule already.
    """

    nat_addresses: int = Field(default=1, ge=0, le=16)
    """Public addresses reserved for what leaves the nodes, so that firewalls elsewhere can name
    them; 0: as many as Google likes, which it changes. One is enough for a thousand nodes.
    """

    flow_logs: bool = False
    """Record the subnetwork's flows in Cloud Logging, which charges for them."""

    def pod_blocks(self) -> int:
        """Nodes that podsRange has addresses for, of which GKE gives each 256."""
        return 2 ** (24 - self.pods_range.prefixlen)

    @field_validator("nodes_range", "services_range")
    @classmethod
    def _has_room(cls, mine: IPv4Network) -> IPv4Network:
        if mine.prefixlen > 27:
            raise ValueError(
                "GKE takes a /27 or larger for services, and as many new nodes come before the old "
                "ones go; make it a /27 or larger"
            )
        return mine

    @field_validator("pods_range")
    @classmethod
    def _has_room_for_the_nodes(cls, pods: IPv4Network) -> IPv4Network:
        if pods.prefixlen > 20:
            raise ValueError(
                "GKE gives each node 256 addresses for pods, and an upgrade needs more nodes than "
                "usual; make it a /20 or larger"
            )
        return pods

    @field_validator("control_plane_range")
    @classmethod
    def _is_a_28(cls, control_plane: IPv4Network) -> IPv4Network:
        if control_plane.prefixlen != 28:
            raise ValueError("GKE takes exactly sixteen addresses; make it a /28")
        return control_plane

    @field_validator("pods_range", "services_range", "control_plane_range")
    @classmethod
    def _overlaps_no_other(cls, mine: IPv4Network, info: ValidationInfo) -> IPv4Network:
        for name, other in info.data.items():
            if isinstance(other, IPv4Network) and mine.overlaps(other):
                raise ValueError(
                    f"it overlaps {cls.model_fields[name].alias} {other}; "
                    "give each range addresses of its own"
                )
        return mine


class GcpNetwork(pulumi.ComponentResource):
    """A VPC with one regional subnetwork, a router and Cloud NAT; or one that exists."""

    network: pulumi.Output[str]
    """The VPC."""

    network_project: pulumi.Output[str]
    """The project that the VPC belongs to: the host project in a shared VPC."""

    subnetwork: pulumi.Output[str]
    """The subnetwork of the nodes."""

    pods_range: str
    """Name of its secondary range for pods."""

    services_range: str
    """Name of its secondary range for services."""

    control_plane_range: str
    """Range of the control plane's private endpoint."""

    webhook_firewall: bool
    """Whether the cluster has to open the way from the control plane to the webhooks."""

    egress_addresses: list[pulumi.Output[str]]
    """Public addresses that nodes leave by, as far as they are known; they stay the same."""

    ready: list[pulumi.Resource]
    """What nodes need before they can pull an image, and as long as they run."""

    def __init__(
        self,
        name: str,
        settings: GcpNetworkSettings,
        *,
        project: str,
        region: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:network:GcpNetwork", name, None, opts)
        self.control_plane_range = str(settings.control_plane_range)
        self.webhook_firewall = settings.webhook_firewall
        if settings.existing:
            self.network = pulumi.Output.from_input(settings.existing.network)
            self.network_project = pulumi.Output.from_input(settings.existing.network.split("/")[1])
            self.subnetwork = pulumi.Output.from_input(settings.existing.subnetwork)
            self.pods_range = settings.existing.pods_range
            self.services_range = settings.existing.services_range
            self.egress_addresses = []
            self.ready = []
        else:
            self._create(name, settings, project=project, region=region)
        self.register_outputs({"network": self.network, "subnetwork": self.subnetwork})

    def _create(
        self, name: str, settings: GcpNetworkSettings, *, project: str, region: str
    ) -> None:
        child = pulumi.ResourceOptions(parent=self)
        network = compute.Network(
            f"{name}-vpc",
            project=project,
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            opts=child,
        )
        subnetwork = compute.Subnetwork(
            f"{name}-nodes",
            project=project,
            region=region,
            network=network.id,
            ip_cidr_range=str(settings.nodes_range),
            # Nodes without public addresses reach Google's registries and Cloud Storage with it.
            private_ip_google_access=True,
            secondary_ip_ranges=[
                compute.SubnetworkSecondaryIpRangeArgs(
                    range_name=PODS_RANGE, ip_cidr_range=str(settings.pods_range)
                ),
                compute.SubnetworkSecondaryIpRangeArgs(
                    range_name=SERVICES_RANGE, ip_cidr_range=str(settings.services_range)
                ),
            ],
            log_config=compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_10_MIN", flow_sampling=0.5
            )
            if settings.flow_logs
            else None,
            opts=child,
        )
        router = compute.Router(
            f"{name}-router", project=project, region=region, network=network.id, opts=child
        )
        addresses = [
            compute.Address(
                f"{name}-nat-{number}",
                project=project,
                region=region,
                address_type="EXTERNAL",
                opts=child,
            )
            for number in range(1, settings.nat_addresses + 1)
        ]
        nat = compute.RouterNat(
            f"{name}-nat",
            project=project,
            region=region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY" if addresses else "AUTO_ONLY",
            nat_ips=[address.self_link for address in addresses] or None,
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            log_config=compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=child,
        )
        self.network = network.id
        self.network_project = pulumi.Output.from_input(project)
        self.subnetwork = subnetwork.id
        self.pods_range = PODS_RANGE
        self.services_range = SERVICES_RANGE
        self.egress_addresses = [address.address for address in addresses]
        self.ready = [nat]
