"""A VPC with private nodes in three zones, and ways out that do not fail together."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from itertools import islice

import pulumi
import pulumi_aws as aws

from components.aws.flow_logs import flow_logs
from components.aws.iam import AwsIamSettings
from components.aws.network_settings import AwsNetworkSettings
from components.aws.zones import check_offered, zones_for_eks, zones_of


class AwsNetwork(pulumi.ComponentResource):
    """A VPC whose nodes have no public address; or one that exists."""

    vpc_id: pulumi.Output[str]
    """The VPC."""

    private_subnet_ids: Sequence[pulumi.Output[str]]
    """A subnet in each of three zones, for nodes and pods."""

    egress_addresses: pulumi.Output[list[str]]
    """Public addresses that nodes leave by; none where the network exists and is not ours."""

    services_range: str
    """Range of Kubernetes services."""

    ready: list[pulumi.Resource]
    """What nodes need before they can pull an image, and as long as they run."""

    def __init__(
        self,
        name: str,
        settings: AwsNetworkSettings,
        *,
        region: str,
        cluster_name: str,
        node_type: str,
        iam: AwsIamSettings,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # All of it asks AWS, and refuses before anything is registered.
        if settings.existing:
            zones = zones_of(settings.existing, region=region)
        else:
            zones = zones_for_eks(settings.zones, region=region)
        check_offered(node_type, zones, region=region)
        super().__init__("ha-iris:network:AwsNetwork", name, None, opts)
        self.services_range = str(settings.services_range)
        if settings.existing:
            self.vpc_id = pulumi.Output.from_input(settings.existing.vpc_id)
            self.private_subnet_ids = [
                pulumi.Output.from_input(subnet) for subnet in settings.existing.private_subnet_ids
            ]
            self.egress_addresses = pulumi.Output.from_input([])
            self.ready = []
        else:
            vpc = self._create(name, settings, zones=zones, region=region, tags=tags)
            if settings.flow_logs:
                flow_logs(
                    name,
                    vpc=vpc,
                    cluster_name=cluster_name,
                    iam=iam,
                    tags=tags,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs(
            {"vpcId": self.vpc_id, "privateSubnetIds": list(self.private_subnet_ids)}
        )

    def _create(
        self,
        name: str,
        settings: AwsNetworkSettings,
        *,
        zones: Sequence[str],
        region: str,
        tags: Mapping[str, str],
    ) -> aws.ec2.Vpc:
        child = pulumi.ResourceOptions(parent=self)
        # Zones that were asked for may be changed, and then protection speaks; zones that AWS
        # listed may be listed otherwise tomorrow, and nobody's disks move for that.
        in_zone = pulumi.ResourceOptions(
            parent=self, ignore_changes=None if settings.zones else ["availability_zone"]
        )
        public_ranges, private_ranges = subnet_ranges(settings.vpc_range)

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=str(settings.vpc_range),
            # Both: the private endpoint of the control plane is a name in the VPC.
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=_tags(tags, f"{name}-vpc"),
            opts=child,
        )
        # What forgets to name a security group gets this one, and through it nothing.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=_tags(tags, f"{name}-default-closed"),
            opts=child,
        )
        internet = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=vpc.id, tags=_tags(tags, f"{name}-internet"), opts=child
        )
        public_routes = aws.ec2.RouteTable(
            f"{name}-public",
            vpc_id=vpc.id,
            routes=[aws.ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", gateway_id=internet.id)],
            tags=_tags(tags, f"{name}-public"),
            opts=child,
        )
        public, associations = [], []
        for number, (zone, addresses) in enumerate(zip(zones, public_ranges, strict=True), 1):
            subnet = aws.ec2.Subnet(
                f"{name}-public-{number}",
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=str(addresses),
                map_public_ip_on_launch=False,
                tags=_tags(tags, f"{name}-public-{number}") | {"kubernetes.io/role/elb": "1"},
                opts=in_zone,
            )
            public.append(subnet)
            associations.append(
                aws.ec2.RouteTableAssociation(
                    f"{name}-public-{number}",
                    subnet_id=subnet.id,
                    route_table_id=public_routes.id,
                    opts=child,
                )
            )
        gateways = self._gateways(
            name, settings.nat, vpc=vpc, public=public, after=[internet, *associations], tags=tags
        )

        private, tables = [], []
        for number, (zone, addresses) in enumerate(zip(zones, private_ranges, strict=True), 1):
            subnet = aws.ec2.Subnet(
                f"{name}-private-{number}",
                vpc_id=vpc.id,
                availability_zone=zone,
                cidr_block=str(addresses),
                map_public_ip_on_launch=False,
                tags=_tags(tags, f"{name}-private-{number}")
                | {"kubernetes.io/role/internal-elb": "1"},
                opts=in_zone,
            )
            table = aws.ec2.RouteTable(
                f"{name}-private-{number}",
                vpc_id=vpc.id,
                routes=[
                    aws.ec2.RouteTableRouteArgs(
                        cidr_block="0.0.0.0/0",
                        nat_gateway_id=gateways[(number - 1) % len(gateways)].id,
                    )
                ],
                tags=_tags(tags, f"{name}-private-{number}"),
                opts=child,
            )
            associations.append(
                aws.ec2.RouteTableAssociation(
                    f"{name}-private-{number}",
                    subnet_id=subnet.id,
                    route_table_id=table.id,
                    opts=child,
                )
            )
            private.append(subnet)
            tables.append(table)
        # Costs nothing, and keeps backups, image layers and packages off the NAT gateways, which
        # charge for every GB.
        s3 = aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{region}.s3",
            route_table_ids=[table.id for table in tables],
            tags=_tags(tags, f"{name}-s3"),
            opts=child,
        )
        self.vpc_id = vpc.id
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.egress_addresses = pulumi.Output.all(*map(_addresses, gateways)).apply(
            lambda lists: [address for addresses in lists for address in addresses]
        )
        self.ready = [*gateways, *associations, s3]
        return vpc

    def _gateways(
        self,
        name: str,
        nat: str,
        *,
        vpc: aws.ec2.Vpc,
        public: Sequence[aws.ec2.Subnet],
        after: Sequence[pulumi.Resource],
        tags: Mapping[str, str],
    ) -> list[aws.ec2.NatGateway]:
        behind = pulumi.ResourceOptions(parent=self, depends_on=[*after])
        if nat == "regional":
            return [
                aws.ec2.NatGateway(
                    f"{name}-nat",
                    availability_mode="regional",
                    connectivity_type="public",
                    vpc_id=vpc.id,
                    tags=_tags(tags, f"{name}-nat"),
                    opts=behind,
                )
            ]
        gateways = []
        for number, subnet in enumerate(public[:1] if nat == "single" else public, 1):
            address = aws.ec2.Eip(
                f"{name}-nat-{number}",
                domain="vpc",
                tags=_tags(tags, f"{name}-nat-{number}"),
                opts=behind,
            )
            gateways.append(
                aws.ec2.NatGateway(
                    f"{name}-nat-{number}",
                    allocation_id=address.id,
                    subnet_id=subnet.id,
                    tags=_tags(tags, f"{name}-nat-{number}"),
                    opts=behind,
                )
            )
        return gateways


def _addresses(gateway: aws.ec2.NatGateway) -> pulumi.Output[list[str]]:
    """Public addresses of a NAT gateway: a regional one has some in each zone."""
    regional = gateway.regional_nat_gateway_addresses.apply(
        lambda addresses: [address.public_ip for address in addresses or []]
    )
    return pulumi.Output.all(gateway.public_ip, regional).apply(
        lambda known: [address for address in (known[0], *known[1]) if address]
    )


def subnet_ranges(cidr: IPv4Network) -> tuple[list[IPv4Network], list[IPv4Network]]:
    """Three small public and three large private ranges of a VPC.

    The first quarter of the VPC holds the public ones, with room for more; each private one is a
    quarter, since the VPC CNI gives every pod an address of the subnet.
    """
    first, *private = cidr.subnets(prefixlen_diff=2)
    return list(islice(first.subnets(new_prefix=cidr.prefixlen + 8), 3)), private


def _tags(tags: Mapping[str, str], name: str) -> dict[str, str]:
    return {**tags, "Name": f"ha-iris-{name}"}
