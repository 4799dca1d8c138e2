"""Closes the database's namespace to all but those who are named."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.gateway.pod import LABELS as GATEWAY
from components.iris.network_settings import EgressPeer, Peer
from components.iris.pod import SUPERSERVER_PORT, WEB_PORT
from components.iris.service import IrisServiceSettings
from components.iris.settings import IrisSettings
from components.longhorn.peers import MANAGERS, NAMESPACE, PORT


class NetworkPolicies(pulumi.ComponentResource):
    """Keeps other namespaces away from all pods, and opens ports to those who are named.

    The node of a pod always reaches it (Kubernetes, "Network Policies"), so the kubelet's probes
    do, and ``kubectl port-forward``, which connects inside of the pod.
    """

    def __init__(
        self,
        name: str,
        settings: IrisSettings,
        *,
        namespace: pulumi.Input[str],
        pods: Mapping[str, str],
        gateways: Mapping[str, str] = GATEWAY,
        web_through: Sequence[Peer] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the policies, if they are asked for.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            namespace: What they are for.
            pods: Labels of the database's own pods there.
            gateways: Labels of the web gateway's pods.
            web_through: Who brings requests to the web server: the web entrance's controller.
            opts: Options of this component.
        """
        super().__init__("ha-iris:database:NetworkPolicies", name, None, opts)
        wanted = settings.network_policy
        readers = (*wanted.web, *wanted.metrics, *web_through)
        doors: dict[int, Sequence[Peer]] = {SUPERSERVER_PORT: wanted.clients}
        if settings.offers_portal():
            doors[WEB_PORT] = readers
        specs = {
            "namespace": _own_namespace(wanted.egress),
            "iris": _policy(pods, ingress=_rules(doors, settings.service)),
        }
        if settings.has_web_gateway():
            rules = _rules({WEB_PORT: readers}, settings.web_gateway.service)
            specs["iris-web-gateway"] = _policy(gateways, ingress=rules)
        if settings.wants_guard() and wanted.egress is not None:
            # It asks them whether this node is cut off. The API server, which it asks too, has no
            # label and no known address: a list that has it makes the guard surer.
            managers = Peer(namespace=NAMESPACE, pods=MANAGERS).selector()
            specs["iris-guard"] = _policy(pods, egress=[{"to": [managers], "ports": _tcp([PORT])}])
        for policy, spec in specs.items() if wanted.enabled else ():
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{policy}",
                metadata={"name": policy, "namespace": namespace, "labels": dict(pods)},
                spec=spec,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def _rules(
    doors: Mapping[int, Sequence[Peer]], service: IrisServiceSettings
) -> list[dict[str, Any]]:
    """Who comes in by each port, from other pods and through the Service."""
    rules = [_rule([port], peers) for port, peers in doors.items() if peers]
    if service.hides_clients():
        # Who may come is what the load balancer and the nodes check, before the address is lost.
        # Cilium calls such a connection one of another node (cilium/cilium#19010), which no
        # ipBlock names.
        rules.append(_rule([*doors]))
    elif service.source_ranges:
        rules.append(_rule([*doors], [Peer(cidr=network) for network in service.source_ranges]))
    return rules


def _own_namespace(egress: Sequence[EgressPeer] | None) -> Any:
    """Every pod, reached from its own namespace alone; with ``egress``, reaching no more."""
    inside = [{"podSelector": {}}]
    if egress is None:
        return _policy({}, ingress=[{"from": inside}])
    dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    allowed = [
        {"to": [peer.selector()], **({"ports": _tcp(peer.ports)} if peer.ports else {})}
        for peer in egress
    ]
    # To whom DNS goes differs: a Service, a cache on the node, the cloud's own server.
    return _policy(
        {}, ingress=[{"from": inside}], egress=[{"to": inside}, {"ports": dns}, *allowed]
    )


def _policy(pods: Mapping[str, str], **rules: Sequence[Any]) -> Any:
    return {
        "podSelector": {"matchLabels": dict(pods)} if pods else {},
        "policyTypes": [direction.capitalize() for direction in rules],
        **rules,
    }


def _rule(ports: Sequence[int], peers: Iterable[Peer] = ()) -> dict[str, Any]:
    """From the peers to the ports; without any peer, from everybody."""
    sources = [peer.selector() for peer in peers]
    return {**({"from": sources} if sources else {}), "ports": _tcp(ports)}


def _tcp(ports: Sequence[int]) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in ports]
