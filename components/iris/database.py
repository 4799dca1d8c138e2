"""One IRIS instance as a Deployment, on a volume that no mistake of ours can delete."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.change_told import restart_told
from components.iris.credentials import Credentials
from components.iris.gateway.gateway import WebGateway
from components.iris.image import abandoned_repository, licence_warning
from components.iris.image_change import image_change
from components.iris.merge_secret import merge_secret
from components.iris.network import NetworkPolicies
from components.iris.pod import SCRIPTS, SUPERSERVER_PORT, WEB_PORT, pod_spec
from components.iris.registry import docker_config
from components.iris.service import Entrance, entrance
from components.iris.settings import IrisSettings

LABELS = {"app.kubernetes.io/name": "iris", "app.kubernetes.io/part-of": "ha-iris"}

# What `kubectl rollout status` asks. Left to itself, pulumi-kubernetes takes a Deployment with the
# strategy Recreate for rolled out once its old ReplicaSet is scaled to none. The filter goes over
# the parts of the object, of which only status has these fields (RFC 9535; pulumi-kubernetes
# 4.18.4 and newer let the annotation decide alone).
ROLLED_OUT = (
    "jsonpath={[?@.observedGeneration == $.metadata.generation"
    " && @.updatedReplicas == $.spec.replicas"
    " && @.availableReplicas == $.spec.replicas"
    " && @.replicas == $.spec.replicas]}"
)


class Iris(pulumi.ComponentResource):
    """An IRIS instance: namespace, credentials, volume claim, Deployment, Service, web gateway."""

    namespace: str
    """Namespace of everything below."""

    username: str
    """A user with all rights that the program created and that the password belongs to."""

    password: pulumi.Output[str]
    """First password of that user, secret."""

    superserver: Entrance
    """How a client comes to the superserver."""

    web: Entrance | None
    """How a client comes to the portal and to all web applications; None: there is no way."""

    def __init__(
        self,
        name: str,
        settings: IrisSettings,
        *,
        cluster: Cluster,
        storage_class: str,
        storage_ready: Sequence[pulumi.Resource],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Deploy IRIS.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            cluster: Where it runs.
            storage_class: Name of the volume's StorageClass.
            storage_ready: What must exist before the claim, and outlive it on destroy.
            protect_data: Refuse every plan that would delete or replace claim, namespace
                or password, and leave claim and namespace where that is overridden.
            opts: Options of this component.
        """
        super().__init__("ha-iris:database:Iris", name, None, opts)
        for warning in (
            licence_warning(settings.image, date.today()),
            abandoned_repository(settings.image),
        ):
            if warning:
                pulumi.log.warn(warning, self)
        child = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        kept = pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(protect=protect_data, retain_on_delete=protect_data)
        )

        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": settings.namespace,
                "labels": {
                    **LABELS,
                    "pod-security.kubernetes.io/enforce": "restricted",
                    "pod-security.kubernetes.io/warn": "restricted",
                },
            },
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(depends_on=[*cluster.workloads_after])
            ),
        )
        here = namespace.metadata["name"]
        policies = NetworkPolicies(
            f"{name}-network", settings, namespace=here, pods=LABELS, opts=child
        )
        credentials = Credentials(
            f"{name}-credentials",
            password=settings.password,
            users={user.name: user.password for user in settings.actions.users if user.password},
            protect_data=protect_data,
            opts=pulumi.ResourceOptions(parent=self),
        )
        gateway_account = (
            Credentials(
                f"{name}-web-gateway-credentials",
                password=None,
                protect_data=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            if settings.has_web_gateway()
            else None
        )
        pull_secrets = [
            k8s.core.v1.Secret(
                f"{name}-registry-login",
                metadata={"namespace": here, "labels": LABELS},
                type="kubernetes.io/dockerconfigjson",
                string_data={".dockerconfigjson": pulumi.Output.secret(docker_config(login))},
                opts=child,
            )
            for login in [settings.registry_login]
            if login
        ]
        service_account = k8s.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata={"name": "iris", "namespace": here, "labels": LABELS},
            automount_service_account_token=False,
            image_pull_secrets=[{"name": secret.metadata["name"]} for secret in pull_secrets],
            opts=child,
        )
        priority_class = k8s.scheduling.v1.PriorityClass(
            f"{name}-priority-class",
            # Named by Pulumi: one named after the namespace would be replaced with it, and stay
            # behind, in its own way, when the plan is refused halfway.
            metadata={"labels": LABELS},
            value=1_000_000,
            description="The database goes first when the nodes that are left run short.",
            opts=child,
        )
        merge = merge_secret(
            f"{name}-cpf",
            settings,
            credentials=credentials,
            namespace=here,
            labels=LABELS,
            gateway_hash=gateway_account and gateway_account.password_hash,
            opts=child,
        )
        # Named by content: other scripts, another start.
        scripts = k8s.core.v1.ConfigMap(
            f"{name}-scripts",
            metadata={"namespace": here, "labels": LABELS},
            immutable=True,
            data=SCRIPTS,
            opts=child,
        )
        license_secret = None
        if settings.license_key:
            # Changes in place: IRIS watches the file and takes a new key without a restart.
            license_secret = k8s.core.v1.Secret(
                f"{name}-license",
                metadata={"namespace": here, "labels": LABELS},
                string_data={
                    "iris.key": pulumi.Output.secret(settings.license_key.get_secret_value())
                },
                opts=child,
            )
        claim_spec: Any = {
            "accessModes": ["ReadWriteOnce"],
            # A plain name and no Output of the class: when Pulumi replaces a class, it also
            # replaces everything whose inputs came from it.
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": f"{settings.storage_gib}Gi"}},
        }
        claim = k8s.core.v1.PersistentVolumeClaim(
            f"{name}-data",
            metadata={
                "name": "iris-data",
                "namespace": here,
                "labels": LABELS,
                # It binds when the pod is scheduled, which comes after it.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec=claim_spec,
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(depends_on=[*storage_ready])
            ),
        )
        pod = pod_spec(
            settings,
            architecture=cluster.architecture,
            claim=claim.metadata["name"],
            merge_secret=merge.metadata["name"],
            scripts=scripts.metadata["name"],
            service_account=service_account.metadata["name"],
            priority_class=priority_class.metadata["name"],
            license_secret=license_secret and license_secret.metadata["name"],
        )
        # The old instance stops, the volume moves, the image is pulled, IRIS starts and recovers.
        patience = settings.termination_grace_period_seconds + 600 + settings.startup_seconds
        deployment_spec: Any = {
            "replicas": 1,
            # Never two instances on one volume.
            "strategy": {"type": "Recreate"},
            "progressDeadlineSeconds": patience,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        }
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={
                "name": "iris",
                "namespace": here,
                "labels": LABELS,
                "annotations": {"pulumi.com/waitFor": ROLLED_OUT},
            },
            spec=deployment_spec,
            # A little longer than Kubernetes waits, so that the state says why it gave up.
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    # They are there before IRIS, and go after it.
                    depends_on=[policies],
                    hooks=pulumi.ResourceHookBinding.merge(
                        image_change(
                            f"{name}-image-change", older_allowed=settings.allow_older_image
                        ),
                        restart_told(f"{name}-restart-told"),
                    ),
                    custom_timeouts=pulumi.CustomTimeouts(
                        create=f"{patience + 60}s", update=f"{patience + 60}s"
                    ),
                ),
            ),
        )
        ports = {"superserver": SUPERSERVER_PORT}
        if settings.offers_portal():
            ports["webserver"] = WEB_PORT
        self.superserver = entrance(
            f"{name}-service",
            settings.service,
            service="iris",
            namespace=settings.namespace,
            here=here,
            labels=LABELS,
            ports=ports,
            cluster=cluster,
            # A Service counts as created once a pod stands behind it, within ten minutes. Beside
            # the Deployment it would spend them waiting for Longhorn and for the image.
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[deployment])
            ),
        )
        self.web = self.superserver if settings.offers_portal() else None
        if gateway_account is not None:
            # Beside the database, not after it: it starts without one, and of two new releases
            # the gateway's should come first.
            self.web = WebGateway(
                f"{name}-web-gateway",
                settings.web_gateway,
                cluster=cluster,
                namespace=settings.namespace,
                here=here,
                superserver=(self.superserver.service, SUPERSERVER_PORT),
                password=gateway_account.password,
                service_account=service_account.metadata["name"],
                toleration_seconds=settings.toleration_seconds,
                opts=pulumi.ResourceOptions(parent=self),
            ).entrance

        self.namespace = settings.namespace
        self.username = settings.username
        self.password = credentials.password
        self.register_outputs({"namespace": self.namespace, "address": self.superserver.address})
