"""What AKS makes by itself and only the finished cluster knows of."""

import re

import pulumi
from pulumi_azure_native import containerservice, network

PUBLIC_IP = re.compile(
    r"/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Network/publicIPAddresses/(?P<name>[^/]+)$",
    re.IGNORECASE,
)


def egress_addresses(cluster: containerservice.ManagedCluster) -> pulumi.Output[list[str]]:
    """Public addresses of the load balancer that nodes leave by; none where they leave otherwise.

    The cluster knows resources, and Azure the addresses that these have.
    """
    return cluster.network_profile.apply(
        lambda profile: pulumi.Output.all(*map(_address, _outbound_ids(profile)))
    ).apply(lambda addresses: [address for address in addresses if address])


def node_identity(cluster: containerservice.ManagedCluster) -> pulumi.Output[str]:
    """Resource ID of the identity that AKS makes for the kubelets."""
    return cluster.identity_profile.apply(
        lambda identities: (identities or {}).get("kubeletidentity", {}).get("resource_id", "")
    )


def _outbound_ids(profile: containerservice.outputs.ContainerServiceNetworkProfileResponse | None):
    balancer = profile.load_balancer_profile if profile else None
    return [ip.id for ip in (balancer.effective_outbound_ips if balancer else None) or [] if ip.id]


def _address(resource_id: str) -> pulumi.Output[str | None]:
    match = PUBLIC_IP.search(resource_id)
    if match is None:
        return pulumi.Output.from_input(None)
    return network.get_public_ip_address_output(
        resource_group_name=match["group"], public_ip_address_name=match["name"]
    ).ip_address
