"""Load balancers that a cloud makes for Services, as far as all clouds are alike."""

from collections.abc import Mapping
from typing import Literal

import pulumi

LoadBalancerAddress = Literal["internal", "public"]
"""Whether a load balancer has an address of the nodes' network, or one of the Internet."""

LoadBalancerAnnotations = Mapping[LoadBalancerAddress, Mapping[str, str]]
"""What a Service of type LoadBalancer carries in a cluster, by the address that it asks for."""


def replaced_with_its_kind(annotations: LoadBalancerAnnotations) -> pulumi.ResourceOptions:
    """Options of a Service under which another kind of load balancer means another Service.

    Clouds read these annotations when they make a load balancer. EKS refuses to change its type
    later, and used to leave the old one behind (kubernetes/cloud-provider-aws, issue 1254).
    """
    keys = {key for kind in annotations.values() for key in kind}
    return pulumi.ResourceOptions(
        replace_on_changes=[f'metadata.annotations["{key}"]' for key in sorted(keys)],
        delete_before_replace=True,
    )
