"""The ways to each of the databases that a form runs."""

from dataclasses import dataclass

import pulumi

from components.cluster import Cluster
from components.iris.forms import Instance, Running
from components.iris.gateway.gateway import WebGateway
from components.iris.pod import SUPERSERVER_PORT, WEB_PORT
from components.iris.service import Entrance, entrance
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings


@dataclass(frozen=True)
class Reached:
    """A database and its doors."""

    instance: Instance

    superserver: Entrance
    """How a client comes to the superserver."""

    web: Entrance | None
    """How a client comes to the portal and to all web applications; None: there is no way."""


def reached(
    name: str,
    settings: IrisSettings,
    *,
    running: Running,
    around: Surroundings,
    cluster: Cluster,
    opts: pulumi.ResourceOptions,
) -> list[Reached]:
    """Make a Service for each database, and a web gateway where the image has no web server.

    Args:
        name: prefix of every resource.
        settings: choices of the stack.
        running: what the form runs.
        around: what stands around it.
        cluster: where it runs.
        opts: options of every resource: parent and provider.
    """
    ports = {"superserver": SUPERSERVER_PORT}
    if settings.offers_portal():
        ports["webserver"] = WEB_PORT
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[*running.ready]))
    found = []
    for instance in running.instances:
        own = name if instance.ordinal is None else f"{name}-{instance.ordinal}"
        superserver = entrance(
            f"{own}-service",
            settings.service,
            service=instance.service,
            namespace=settings.namespace,
            here=around.namespace,
            labels=instance.pods,
            ports=ports,
            cluster=cluster,
            named_ports=instance.named_ports,
            opts=after,
        )
        web = superserver if settings.offers_portal() else None
        if instance.gateways is not None:
            web = entrance(
                f"{own}-web-gateway-service",
                settings.web_gateway.service,
                service=f"{instance.service}-web",
                namespace=settings.namespace,
                here=around.namespace,
                labels=instance.gateways,
                ports={"webserver": WEB_PORT},
                cluster=cluster,
                same_pod_for_a_client=True,
                named_ports=instance.named_ports,
                opts=after,
            )
        elif around.gateway_account is not None:
            # Beside the database, not after it: it starts without one, and of two new releases
            # the gateway's should come first.
            web = WebGateway(
                f"{own}-web-gateway",
                settings.web_gateway,
                called=instance.service,
                cluster=cluster,
                namespace=settings.namespace,
                here=around.namespace,
                superserver=(superserver.service, SUPERSERVER_PORT),
                password=around.gateway_account.password,
                service_account=around.service_account,
                toleration_seconds=settings.toleration_seconds,
                tls=settings.tls,
                opts=pulumi.ResourceOptions(parent=opts.parent),
            ).entrance
        found.append(Reached(instance, superserver, web))
    return found
