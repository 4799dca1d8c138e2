"""Which zones can hold a control plane and nodes, as AWS answers before anything is made."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.aws.network_settings import ExistingAwsNetworkSettings

WITHOUT_CONTROL_PLANE = ("use1-az3", "usw1-az2", "cac1-az3")
"""Zones that EKS puts no control plane in (EKS user guide, network requirements)."""


def zones_for_eks(chosen: Sequence[str], *, region: str) -> Sequence[str]:
    """The zones that were asked for, or the first three of the region.

    Zones that fail at the moment are counted too: otherwise the loss of a zone would change the
    answer on the very day that it matters.

    Raises:
        pulumi.RunError: EKS cannot use one of them, or the region has fewer than three.
    """
    names = aws.get_availability_zones(
        filters=[
            # Not the Local Zones, which have neither EKS nor three of anything.
            aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"])
        ],
        exclude_zone_ids=list(WITHOUT_CONTROL_PLANE),
        region=region,
    ).names
    if refused := [zone for zone in chosen if zone not in names]:
        raise pulumi.RunError(
            f"ha-iris:network.zones is {list(chosen)}: {refused[0]} is no zone that this account "
            f"has and that EKS puts a control plane in; choose three of {', '.join(sorted(names))}"
        )
    if len(names) < 3:
        raise pulumi.RunError(
            f"ha-iris: aws:region is {region}: it offers this account {len(names)} zone(s) that "
            "EKS can use, and Longhorn keeps a copy in each of three; choose another region"
        )
    return chosen or tuple(sorted(names)[:3])


def zones_of(existing: ExistingAwsNetworkSettings, *, region: str) -> list[str]:
    """The zones of subnets that exist.

    Raises:
        pulumi.RunError: the subnets are not in three zones of the one VPC.
    """
    zones: dict[str, str] = {}
    for subnet in existing.private_subnet_ids:
        found = aws.ec2.get_subnet(id=subnet, region=region)
        if found.vpc_id != existing.vpc_id:
            raise pulumi.RunError(
                f"ha-iris:network.existing.privateSubnetIds: {subnet} is in {found.vpc_id} and not "
                f"in {existing.vpc_id}; name subnets of one VPC"
            )
        if found.availability_zone in zones:
            raise pulumi.RunError(
                f"ha-iris:network.existing.privateSubnetIds: {subnet} and "
                f"{zones[found.availability_zone]} are both in {found.availability_zone}, and "
                "Longhorn keeps a copy in each of three zones; name a subnet in each"
            )
        zones[found.availability_zone] = subnet
    return list(zones)


def check_offered(node_type: str, zones: Sequence[str], *, region: str) -> None:
    """Refuse an instance type that AWS does not have in each of the zones.

    Raises:
        pulumi.RunError: a zone does not offer it; the nodes there would never come.
    """
    offered = aws.ec2.get_instance_type_offerings(
        location_type="availability-zone",
        filters=[
            aws.ec2.GetInstanceTypeOfferingsFilterArgs(name="instance-type", values=[node_type])
        ],
        region=region,
    ).locations
    if missing := [zone for zone in zones if zone not in offered]:
        raise pulumi.RunError(
            f"ha-iris:cluster.nodeType is {node_type}: AWS does not offer it in "
            f"{', '.join(missing)}; choose another type, or zones among "
            f"{', '.join(sorted(offered)) or 'those of another region'}"
        )
