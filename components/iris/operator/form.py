"""IRIS as an IrisCluster: what of it this program makes, and what it leaves to the operator."""

import base64
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.forms import Instance, Running, Storage
from components.iris.gateway.account import USER as GATEWAY_USER
from components.iris.image_change import told_of
from components.iris.merge_secret import merge_text
from components.iris.network_settings import NAMESPACE_NAME
from components.iris.operator.changes import topology_change
from components.iris.operator.config_source import config_source
from components.iris.operator.iris_cluster import expected_pods, iris_cluster, runs_gateways
from components.iris.operator.labels import API_VERSION, EVERY_POD, KIND, NAME, pods
from components.iris.operator.release import operator_release
from components.iris.operator.rollout import OperatorRollout
from components.iris.operator.settings import OperatorSettings
from components.iris.pod import LABELS
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings
from components.waiting import Patience


def operator(
    name: str,
    settings: IrisSettings,
    *,
    around: Surroundings,
    storage: Storage,
    cluster: Cluster,
    opts: pulumi.ResourceOptions,
) -> Running:
    """Run IRIS as an IrisCluster: a ``Form``.

    The claims are those of the StatefulSets that the operator makes: they outlive the IrisCluster,
    and only the namespace takes them along. The IrisCluster has the locks that a claim has in the
    other forms: a plan without it, such as one for another form, would start with an empty volume.
    """
    wanted = settings.operator
    assert wanted is not None, "a stack file with this form and without the group is refused"
    release = operator_release(name, settings, wanted, cluster=cluster, opts=opts)
    config = _config_map(f"{name}-cpf", settings, around, opts)
    login = runs_gateways(settings) and _gateway_login(f"{name}-web-gateway-login", around, opts)
    made = k8s.apiextensions.CustomResource(
        f"{name}-cluster",
        api_version=API_VERSION,
        kind=KIND,
        metadata={
            "name": NAME,
            "namespace": around.namespace,
            "labels": LABELS,
            "annotations": told_of(settings.product()),
        },
        spec=iris_cluster(
            settings,
            wanted,
            architecture=cluster.architecture,
            storage_class=storage.storage_class,
            config_source=config.metadata["name"],
            scripts=around.scripts,
            priority_class=around.priority_class,
            pull_secrets=around.pull_secrets,
            license_secret=around.license_secret,
            gateway_login=login.metadata["name"] if login else None,
        ),
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                protect=storage.protect,
                retain_on_delete=storage.protect,
                # On destroy it goes, and is gone, before the operator, who has to let it go.
                depends_on=[
                    release,
                    *storage.ready,
                    around.policies,
                    *around.images,
                    *_operators_door(name, settings, wanted, around, opts),
                ],
                hooks=pulumi.ResourceHookBinding.merge(
                    topology_change(
                        f"{name}-topology-change", older_image_allowed=settings.allow_older_image
                    ),
                    OperatorRollout(
                        f"{name}-operator",
                        kubeconfig=cluster.kubeconfig,
                        namespace=settings.namespace,
                        operator_namespace=wanted.namespace,
                        expected=expected_pods(settings, wanted),
                        images=_images(settings, wanted),
                        deletes_by_hand=wanted.update_strategy == "OnDelete",
                        patience=Patience(
                            timeout=600 + settings.startup_seconds, settled=15, every=3
                        ),
                    ).binding(),
                ),
                custom_timeouts=pulumi.CustomTimeouts(delete="15m"),
            ),
        ),
    )
    return Running(
        instances=[
            Instance(
                service=f"{NAME}-superserver",
                pods=pods("data", mirrored=wanted.mirrored),
                members=pods("data"),
                named_ports=False,
                gateways=pods("webgateway") if login else None,
            )
        ],
        ready=[made],
    )


def _images(settings: IrisSettings, wanted: OperatorSettings) -> dict[str, str]:
    images = {
        "data": settings.image,
        "compute": wanted.compute.image or settings.image,
        "webgateway": settings.web_gateway.image,
    }
    return images | ({"arbiter": wanted.arbiter_image} if wanted.arbiter_image else {})


def _config_map(
    name: str, settings: IrisSettings, around: Surroundings, opts: pulumi.ResourceOptions
) -> k8s.core.v1.ConfigMap:
    """The merge files. Named by content, so that the operator sees that they have changed."""
    account = around.gateway_account
    text = merge_text(
        settings,
        credentials=around.credentials,
        gateway_hash=account and account.password_hash,
    )
    seconds = settings.web_gateway.response_seconds if runs_gateways(settings) else None
    data: Any = text.apply(lambda merge_file: config_source(merge_file, response_seconds=seconds))
    return k8s.core.v1.ConfigMap(
        name,
        metadata={"namespace": around.namespace, "labels": LABELS},
        immutable=True,
        data=data,
        opts=opts,
    )


def _gateway_login(
    name: str, around: Surroundings, opts: pulumi.ResourceOptions
) -> k8s.core.v1.Secret | None:
    if around.gateway_account is None:
        return None
    return k8s.core.v1.Secret(
        name,
        metadata={"namespace": around.namespace, "labels": LABELS},
        immutable=True,
        string_data={
            "username": GATEWAY_USER,
            # As the gateway itself encodes it, and as the sample of the operator's archive has it.
            "password": pulumi.Output.secret(around.gateway_account.password).apply(
                lambda password: "]]]" + base64.b64encode(password.encode()).decode()
            ),
        },
        opts=opts,
    )


def _operators_door(
    name: str,
    settings: IrisSettings,
    wanted: OperatorSettings,
    around: Surroundings,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Lets the operator reach the pods that it runs: it asks IRIS's web server how it is."""
    if not settings.network_policy.enabled:
        return []
    spec: Any = {
        "podSelector": {"matchLabels": EVERY_POD},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: wanted.namespace}}}]}
        ],
    }
    return [
        k8s.networking.v1.NetworkPolicy(
            f"{name}-operator-network",
            metadata={"name": "iris-operator", "namespace": around.namespace, "labels": LABELS},
            spec=spec,
            opts=opts,
        )
    ]
