"""What stands around IRIS in its namespace, whatever form runs it there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.credentials import Credentials
from components.iris.form_switch import marks, switch
from components.iris.gateway.pod import LABELS as GATEWAYS
from components.iris.merge_secret import merge_secret
from components.iris.network import NetworkPolicies
from components.iris.network_settings import Peer
from components.iris.operator.iris_cluster import runs_gateways
from components.iris.operator.labels import pods as pods_of
from components.iris.pod import LABELS, SCRIPTS
from components.iris.registry import docker_config
from components.iris.settings import IrisSettings
from components.iris.tls import certificate_names, certify
from components.iris.upgrade.pre_pull import pre_pull

Name = pulumi.Output[str]
"""Name of an object in Kubernetes, which exists once the name is known."""


@dataclass(frozen=True)
class Neighbours:
    """What there is outside of IRIS's namespace that has to do with it."""

    web_through: Sequence[Peer] = ()
    """Who brings requests to the web server: the web entrance's controller."""

    cert_manager: Sequence[pulumi.Resource] = ()
    """What must exist before a certificate is asked for; empty: it exists already."""


@dataclass(frozen=True)
class Surroundings:
    """What a form finds when it starts IRIS."""

    namespace: Name
    service_account: Name
    priority_class: Name
    merge_secret: Name | None
    """Secret with the merge file, key ``merge.cpf``; None: the operator takes a ConfigMap."""

    scripts: Name
    """ConfigMap with the programs that run in the pod."""

    pull_secrets: list[Name]
    license_secret: Name | None
    """Secret with the licence, key ``iris.key``; None: Community Edition."""

    policies: NetworkPolicies
    """They are there before IRIS, and go after it."""

    images: list[k8s.apps.v1.DaemonSet]
    """What brings the images to the nodes, if the stack wants it."""

    credentials: Credentials
    gateway_account: Credentials | None
    """Whom the web gateway logs in as; None: there is no gateway."""


def surroundings(
    name: str,
    settings: IrisSettings,
    *,
    cluster: Cluster,
    storage_ready: Sequence[pulumi.Resource],
    protect_data: bool,
    neighbours: Neighbours,
    parent: pulumi.Resource,
) -> Surroundings:
    """Make them.

    Args:
        name: prefix of every resource.
        settings: choices of the stack.
        cluster: where they are.
        storage_ready: what must outlive them on destroy.
        protect_data: refuse every plan that would delete or replace namespace or password,
            and leave the namespace where that is overridden.
        neighbours: what is around IRIS's namespace.
        parent: of every resource.
    """
    child = pulumi.ResourceOptions(parent=parent, provider=cluster.provider)
    metadata: Any = {
        "name": settings.namespace,
        "labels": {
            **LABELS,
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
        },
    }
    if told := marks(settings):
        metadata["annotations"] = told
    namespace = k8s.core.v1.Namespace(
        f"{name}-namespace",
        metadata=metadata,
        opts=pulumi.ResourceOptions.merge(
            child,
            pulumi.ResourceOptions(
                protect=protect_data,
                retain_on_delete=protect_data,
                # Its snapshots go with it, and only while Longhorn is there do they go at all.
                depends_on=[*cluster.workloads_after, *storage_ready],
                hooks=switch(f"{name}-switch", settings, kubeconfig=cluster.kubeconfig),
            ),
        ),
    )
    here = namespace.metadata["name"]
    credentials = Credentials(
        f"{name}-credentials",
        password=settings.password,
        users={user.name: user.password for user in settings.actions.users if user.password},
        protect_data=protect_data,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    gateway_account = (
        Credentials(
            f"{name}-web-gateway-credentials",
            password=None,
            protect_data=False,
            opts=pulumi.ResourceOptions(parent=parent),
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
        ).metadata["name"]
        for login in [settings.registry_login]
        if login
    ]
    service_account = k8s.core.v1.ServiceAccount(
        f"{name}-service-account",
        metadata={"name": "iris", "namespace": here, "labels": LABELS},
        automount_service_account_token=False,
        image_pull_secrets=[{"name": secret} for secret in pull_secrets],
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
    merge = (
        None
        if settings.form == "operator"
        else merge_secret(
            f"{name}-cpf",
            settings,
            credentials=credentials,
            namespace=here,
            labels=LABELS,
            gateway_hash=gateway_account and gateway_account.password_hash,
            opts=child,
        )
    )
    # Named by content: other scripts, another start.
    scripts = k8s.core.v1.ConfigMap(
        f"{name}-scripts",
        metadata={"namespace": here, "labels": LABELS},
        immutable=True,
        data=SCRIPTS,
        opts=child,
    )
    certify(
        f"{name}-tls",
        settings.tls,
        names=certificate_names(
            settings.tls,
            services=settings.services(),
            namespace=settings.namespace,
            hostname=settings.service.hostname,
        ),
        namespace=here,
        labels=LABELS,
        opts=pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(depends_on=[*neighbours.cert_manager])
        ),
    )
    return Surroundings(
        namespace=here,
        service_account=service_account.metadata["name"],
        priority_class=priority_class.metadata["name"],
        merge_secret=merge and merge.metadata["name"],
        scripts=scripts.metadata["name"],
        pull_secrets=pull_secrets,
        license_secret=_license(f"{name}-license", settings, here, child),
        policies=_policies(f"{name}-network", settings, here, neighbours.web_through, child),
        images=pre_pull(
            f"{name}-images",
            settings,
            architecture=cluster.architecture,
            namespace=here,
            service_account=service_account.metadata["name"],
            opts=child,
        ),
        credentials=credentials,
        gateway_account=gateway_account,
    )


def _policies(
    name: str,
    settings: IrisSettings,
    namespace: Name,
    web_through: Sequence[Peer],
    opts: pulumi.ResourceOptions,
) -> NetworkPolicies:
    return NetworkPolicies(
        name,
        settings,
        namespace=namespace,
        pods=pods_of("data") if settings.form == "operator" else LABELS,
        gateways=pods_of("webgateway") if runs_gateways(settings) else GATEWAYS,
        web_through=web_through,
        opts=opts,
    )


def _license(
    name: str, settings: IrisSettings, namespace: Name, opts: pulumi.ResourceOptions
) -> Name | None:
    if not settings.license_key:
        return None
    key: Any = pulumi.Output.secret(settings.license_key.get_secret_value())
    # Changes in place: IRIS watches the file and takes a new key without a restart.
    return k8s.core.v1.Secret(
        name,
        metadata={"namespace": namespace, "labels": LABELS},
        string_data={"iris.key": key},
        opts=opts,
    ).metadata["name"]
