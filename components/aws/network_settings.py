"""What a stack may choose about its VPC."""

from ipaddress import IPv4Network
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.settings import Cidr, OwnRange, Settings


class ExistingAwsNetworkSettings(Settings):
    """Subnets that somebody else made, with a way out to the Internet or to mirrors."""

    vpc_id: str = Field(pattern=r"^vpc-[0-9a-f]+$")
    """The VPC. DNS hostnames and DNS support must be on: nodes find the control plane by name."""

    private_subnet_ids: tuple[str, ...]
    """Three private subnets in three zones. Pods take their addresses from them too.

    For internal load balancers they need the tag kubernetes.io/role/internal-elb = 1.
    """

    @field_validator("private_subnet_ids")
    @classmethod
    def _are_three(cls, subnets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(subnets)) != 3 or len(subnets) != 3:
            raise ValueError(
                "Longhorn keeps a copy in each of three zones; name three private subnets, "
                "one in each zone"
            )
        if wrong := [subnet for subnet in subnets if not subnet.startswith("subnet-")]:
            raise ValueError(f"{wrong[0]} is no subnet; its id starts with subnet-")
        return subnets


class AwsNetworkSettings(Settings):
    """Addresses, zones and ways out of the VPC, or subnets that exist."""

    existing: ExistingAwsNetworkSettings | None = None
    """Use subnets that exist. Nothing of them is changed; of what is below only servicesRange
    applies."""

    vpc_range: OwnRange = Field(default=IPv4Network("10.20.0.0/16"), validate_default=True)
    """Range of the VPC, /16 to /20. Each zone gets a quarter for nodes and pods."""

    zones: tuple[str, ...] = ()
    """Three availability zones, such as eu-west-1a; empty: the region's first three.

    They cannot change while the cluster lives: the nodes and their disks are in them.
    """

    nat: Literal["per-zone", "regional", "single"] = "per-zone"
    """How nodes reach the Internet.

    per-zone: a NAT gateway in each zone. regional: one that AWS spreads over the zones.
    single: one zone's gateway serves all, cheapest, and its loss cuts every node off.
    """

    flow_logs: bool = False
    """Note every connection that the VPC refuses, in CloudWatch, for 90 days. CloudWatch charges
    for what is written."""

    services_range: Cidr = Field(default=IPv4Network("172.20.0.0/16"), validate_default=True)
    """Range of Kubernetes services, /12 to /24. No network that talks to the VPC may have it.

    A change replaces the cluster, and is refused while protectData is on.
    """

    @field_validator("vpc_range")
    @classmethod
    def _has_room_for_pods(cls, vpc: IPv4Network) -> IPv4Network:
        if not 16 <= vpc.prefixlen <= 20:
            raise ValueError(
                "a VPC is at most a /16, and pods need addresses of their own in each zone; "
                "make it a /16 to a /20"
            )
        return vpc

    @field_validator("zones")
    @classmethod
    def _are_three(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        if zones and (len(zones) != 3 or len(set(zones)) != 3):
            raise ValueError(
                "Longhorn keeps a copy in each of three zones; name three different zones of the "
                "region, or none"
            )
        return zones

    @field_validator("vpc_range", "zones", "nat", "flow_logs")
    @classmethod
    def _is_ours_to_choose(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        if info.data.get("existing") and value != field.get_default():
            raise ValueError(
                "the network exists and nothing of it is changed; drop this, or drop existing"
            )
        return value

    @field_validator("services_range")
    @classmethod
    def _is_a_range_of_its_own(cls, services: IPv4Network, info: ValidationInfo) -> IPv4Network:
        if not 12 <= services.prefixlen <= 24 or not services.is_private:
            raise ValueError(
                "EKS takes a private range from /12 to /24; set it to one such as 172.20.0.0/16"
            )
        vpc = info.data.get("vpc_range")
        if vpc and not info.data.get("existing") and services.overlaps(vpc):
            raise ValueError(f"it overlaps vpcRange {vpc}; give each range addresses of its own")
        return services
