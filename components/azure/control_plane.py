"""How AKS's control plane is bound to a network, keys and addresses that are not its own."""

import pulumi
from pulumi_azure_native import containerservice, managedidentity

from components.azure.keys import Key
from components.azure.network import AzureNetwork
from components.azure.roles import (
    KEY_VAULT_CRYPTO_USER,
    NETWORK_CONTRIBUTOR,
    PRIVATE_DNS_ZONE_CONTRIBUTOR,
    READER,
    grant,
)
from components.azure.settings import AksClusterSettings


def grants_outside(
    name: str,
    settings: AksClusterSettings,
    *,
    identity: managedidentity.UserAssignedIdentity,
    network: AzureNetwork,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """What the control plane may do outside the resource groups that are its own."""
    scopes: dict[str, tuple[str, pulumi.Input[str]]] = {
        "subnet": (NETWORK_CONTRIBUTOR, network.subnet_id)
    }
    if settings.private_dns_zone.startswith("/"):
        scopes["dns-zone"] = (PRIVATE_DNS_ZONE_CONTRIBUTOR, settings.private_dns_zone)
        # AKS links the zone to the nodes' network (AKS, private clusters).
        scopes["network"] = (
            NETWORK_CONTRIBUTOR,
            network.subnet_id.apply(lambda subnet: subnet.partition("/subnets/")[0]),
        )
    if settings.disk_encryption_set_id:
        scopes["disk-keys"] = (READER, settings.disk_encryption_set_id)
    if settings.secrets_kms_key:
        scopes["secrets-key"] = (KEY_VAULT_CRYPTO_USER, Key.of(settings.secrets_kms_key).scope)
    for address in network.outbound_ips:
        # By what it is and not by its place: to drop one must not touch the others.
        _, _, _, _, group, *_, ip = address.split("/")
        scopes[f"outbound-{group}-{ip}"] = (NETWORK_CONTRIBUTOR, address)
    return [
        grant(f"{name}-{what}-access", role, to=identity.principal_id, scope=scope, opts=opts)
        for what, (role, scope) in scopes.items()
    ]


def network_profile(
    network: AzureNetwork,
) -> containerservice.ContainerServiceNetworkProfileArgs:
    """Cilium on an overlay, and the way that nodes leave by."""
    return containerservice.ContainerServiceNetworkProfileArgs(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_dataplane="cilium",
        network_policy="cilium",
        pod_cidr=network.pods_range,
        service_cidr=network.services_range,
        dns_service_ip=network.dns_service_ip,
        load_balancer_sku="standard",
        # The load balancer's address is in all zones, and AKS lets it through to the API server by
        # itself.
        outbound_type=network.outbound_type,
        load_balancer_profile=containerservice.ManagedClusterLoadBalancerProfileArgs(
            outbound_ips=containerservice.ManagedClusterLoadBalancerProfileOutboundIPsArgs(
                public_ips=[
                    containerservice.ResourceReferenceArgs(id=address)
                    for address in network.outbound_ips
                ]
            )
        )
        if network.outbound_ips
        else None,
    )
