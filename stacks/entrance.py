"""The web entrance of a stack: what it needs of IRIS, how it is made, and what it tells."""

from collections.abc import Sequence

import pulumi

from components.access.settings import AccessSettings
from components.cert_manager.settings import CertManagerSettings
from components.cluster import Cluster
from components.iris import Iris, IrisSettings
from components.iris.pod import WEB_PORT


def leads_to(iris: IrisSettings, access: AccessSettings, *, cloud: str) -> None:
    """Find an entrance that would lead nowhere, or whose certificate would never come.

    Args:
        iris: the database.
        access: the entrance.
        cloud: who provides the cluster; of one that exists nobody knows what its addresses are.

    Raises:
        ValueError: with reason and cure.
    """
    if iris.instances > 1:
        raise ValueError(
            f"hostname {access.hostname} leads to one web server, and iris.instances is "
            f"{iris.instances}; make the entrances yourself, one for each Service, or drop hostname"
        )
    if not (iris.offers_portal() or iris.has_web_gateway()):
        raise ValueError(
            f"hostname {access.hostname} leads to a web server, and this stack has none; set "
            "iris.webGateway.enabled to true, or drop hostname"
        )
    if iris.network_policy.enabled and not access.requests_from():
        raise ValueError(
            "controllers is missing: nobody says where requests come from, and the NetworkPolicies "
            "would stop them all; list the namespace of the controller's pods, as in "
            '[{"namespace": "envoy-gateway-system"}]'
        )
    if iris.network_policy.enabled and access.comes_from_proxies() and not access.controllers:
        raise ValueError(
            f"controllers is missing: requests of a {access.gateway.class_name} come from the "
            'proxy-only subnet of its region; list that network, as in [{"cidr": "10.8.0.0/23"}]'
        )
    if access.is_of_gke() and cloud in ("aws", "azure"):
        raise ValueError(
            f"gateway.className is {access.gateway.class_name}, which is GKE's; set it to one of "
            "`kubectl get gatewayclass`"
        )
    internal = access.gateway.is_internal()
    if cloud == "existing" and not access.is_of_gke():
        internal = None
    if access.needs_the_internet() and internal:
        raise ValueError(
            "certificate.letsEncrypt.challenge is http01: Let's Encrypt comes by port 80 from the "
            "Internet, and this Gateway's address is one of the network; set the challenge to "
            "dns01, or gateway.address to public (on GKE, another gateway.className)"
        )
    web = iris.service if iris.offers_portal() else iris.web_gateway.service
    if iris.network_policy.enabled and web.hides_clients():
        raise ValueError(
            "the web server has a LoadBalancer with the externalTrafficPolicy Cluster too, which "
            "opens it to every pod; set its type to ClusterIP, or externalTrafficPolicy to Local"
        )


def cert_manager(
    settings: CertManagerSettings, access: AccessSettings, *, cluster: Cluster
) -> Sequence[pulumi.Resource]:
    """Install cert-manager where that is asked for, and say what certificates wait for."""
    if not settings.install:
        return []
    from components.cert_manager.cert_manager import CertManager

    by_route = access.hostname is not None and access.via == "gateway"
    made = CertManager("cert-manager", settings, cluster=cluster, gateway_api=by_route)
    return made.ready


def web_entrance(
    access: AccessSettings,
    *,
    iris: Iris,
    cluster: Cluster,
    policies: bool,
    after: Sequence[pulumi.Resource],
) -> dict[str, pulumi.Input[object]]:
    """Make the entrance, if there is to be one, and return what it tells.

    Args:
        access: choices of the stack.
        iris: what it leads to.
        cluster: where it is.
        policies: whether NetworkPolicies close the database's namespace.
        after: what certificates wait for.
    """
    if access.hostname is None:
        return {}
    from components.access.access import Access

    _warn(access, iris.namespace)
    assert iris.web
    made = Access(
        "access",
        access,
        cluster=cluster,
        namespace=iris.namespace,
        service=iris.web.service,
        port=WEB_PORT,
        policies=policies,
        after=[iris, *after],
    )
    return {"webHostname": access.hostname, "webAddressCommand": made.address_command}


def _warn(access: AccessSettings, namespace: str) -> None:
    """What is no fault, and what a person would rather know before the first bad day."""
    if access.opens_monitor():
        pulumi.log.warn(
            f"ha-iris:access.paths lets /api/monitor through to whoever reaches {access.hostname}: "
            "metrics and alerts, and IRIS asks for no login there. List the paths that you need."
        )
    if not access.has_tls():
        pulumi.log.warn(
            f"ha-iris:access.certificate.source is none: passwords go to {access.hostname} in "
            "clear."
        )
    chosen = access.certificate.lets_encrypt
    if chosen and chosen.environment == "staging":
        pulumi.log.info(
            f"The certificate of {access.hostname} is one of Let's Encrypt's staging environment, "
            f"which no browser trusts. When `kubectl -n {namespace} get certificate iris-web` says "
            "READY, set ha-iris:access.certificate.letsEncrypt.environment to production."
        )
    elif chosen:
        pulumi.log.info(
            f"The certificate of {access.hostname} is asked for at Let's Encrypt's production "
            "environment, which gives five a week for the same names and refuses an hour after "
            "five failures: try staging first."
        )
