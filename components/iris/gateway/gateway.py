"""InterSystems' web gateway in front of one IRIS instance."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.gateway.config import CSP_CONF, csp_ini
from components.iris.gateway.pod import labels_of, pod_spec
from components.iris.gateway.settings import WebGatewaySettings
from components.iris.pod import WEB_PORT
from components.iris.service import Entrance, entrance
from components.iris.tls import MOUNT
from components.iris.tls_settings import TlsSettings


class WebGateway(pulumi.ComponentResource):
    """Gateways over the zones, their configuration, and the Service in front of them.

    It holds no data: whatever it is, `pulumi up` makes again.
    """

    entrance: Entrance
    """How a client comes to it."""

    def __init__(
        self,
        name: str,
        settings: WebGatewaySettings,
        *,
        called: str,
        cluster: Cluster,
        namespace: str,
        here: pulumi.Input[str],
        superserver: tuple[str, int],
        password: pulumi.Input[str],
        service_account: pulumi.Input[str],
        toleration_seconds: int,
        tls: TlsSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Deploy the gateway.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            called: Service of the database that it is for, which its objects are named after.
            cluster: Where it runs.
            namespace: The database's namespace, in which it runs.
            here: The same, from the resource.
            superserver: Service and port that it reaches IRIS by.
            password: Of its user in IRIS, letters and digits.
            service_account: That pulls its image.
            toleration_seconds: How long a pod stays on a node that is not ready.
            tls: Whether it reaches IRIS by TLS.
            opts: Options of this component.
        """
        super().__init__("ha-iris:database:WebGateway", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        host, port = superserver
        labels = labels_of(called)

        # Named by content: a change makes new pods, one after the other. The gateway would merge
        # a file that changed in place, and keep what is no longer in it.
        config = k8s.core.v1.Secret(
            f"{name}-config",
            metadata={"namespace": here, "labels": labels},
            immutable=True,
            string_data={
                "CSP.ini": pulumi.Output.secret(password).apply(
                    lambda password: csp_ini(
                        host=host,
                        port=port,
                        password=password,
                        response_seconds=settings.response_seconds,
                        tls=tls.is_on(),
                        ca_file=f"{MOUNT}/ca.crt" if tls.ca_in_secret else None,
                    )
                ),
                "CSP.conf": CSP_CONF,
            },
            opts=child,
        )
        spec: Any = {
            "replicas": settings.replicas,
            # A new pod before an old one goes, so that even a single one is never missing.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            # One that ends soon after it has opened its port takes no other's place.
            "minReadySeconds": 10,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": pod_spec(
                    settings,
                    labels=labels,
                    cluster=cluster,
                    config=config.metadata["name"],
                    service_account=service_account,
                    toleration_seconds=toleration_seconds,
                    tls=tls,
                ),
            },
        }
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": f"{called}-web-gateway", "namespace": here, "labels": labels},
            spec=spec,
            opts=child,
        )
        if settings.replicas > 1:
            budget: Any = {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
            k8s.policy.v1.PodDisruptionBudget(
                f"{name}-disruption-budget",
                metadata={"name": f"{called}-web-gateway", "namespace": here, "labels": labels},
                spec=budget,
                opts=child,
            )
        self.entrance = entrance(
            f"{name}-service",
            settings.service,
            service=f"{called}-web",
            namespace=namespace,
            here=here,
            labels=labels,
            ports={"webserver": WEB_PORT},
            cluster=cluster,
            # A session that IRIS binds to a process is bound to the gateway that holds it.
            same_pod_for_a_client=True,
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[deployment])
            ),
        )
        self.register_outputs({"address": self.entrance.address})
