"""InterSystems' Kubernetes Operator, installed by its own Helm chart."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.iris.operator.settings import OperatorSettings
from components.iris.pod import LABELS
from components.iris.registry import docker_config
from components.iris.settings import IrisSettings

RELEASE = "iris-operator"


def chart_values(
    operator: OperatorSettings, *, architecture: str, pull_secret: Any
) -> dict[str, Any]:
    """Values of the chart iris-operator (values.yaml of 3.6.7; later ones were not seen).

    Args:
        operator: choices of the stack.
        architecture: processor of the nodes.
        pull_secret: name of the Secret with the registry's login; None: the image is public.
    """
    values: dict[str, Any] = {
        # A volume of Longhorn's belongs to root until somebody gives it to IRIS's group.
        "operator": {"useIrisFsGroup": True},
        "imagePullSecrets": [{"name": pull_secret}] if pull_secret is not None else [],
        "imagePullPolicy": "IfNotPresent",
        "nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": architecture},
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
    }
    if operator.image:
        values["operator"] |= _parts(operator.image)
    if operator.cleaner_image:
        values["cleaner"] = _parts(operator.cleaner_image)
    return values


def _parts(image: str) -> dict[str, str]:
    name, _, tag = image.rpartition(":")
    registry, _, repository = name.partition("/")
    return {"registry": registry, "repository": repository, "tag": tag}


def operator_release(
    name: str,
    settings: IrisSettings,
    operator: OperatorSettings,
    *,
    cluster: Cluster,
    opts: pulumi.ResourceOptions,
) -> k8s.helm.v3.Release:
    """Namespace, registry login and release of the operator.

    It holds no data, so nothing protects it: what it has made runs on without it.

    Args:
        name: prefix of every resource.
        settings: choices about IRIS.
        operator: choices about the operator.
        cluster: where it runs.
        opts: options of every resource.
    """
    chart = operator.chart
    assert chart is not None, "a stack file without a chart is refused"
    namespace = k8s.core.v1.Namespace(
        f"{name}-operator-namespace",
        metadata={
            "name": operator.namespace,
            # The chart's pods do not say that they run without root, so "restricted" refuses them.
            "labels": {**LABELS, "pod-security.kubernetes.io/enforce": "baseline"},
        },
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=[*cluster.workloads_after])
        ),
    )
    here = namespace.metadata["name"]
    login = operator.registry_login or settings.registry_login
    pull_secret = login and k8s.core.v1.Secret(
        f"{name}-operator-registry-login",
        metadata={"name": "registry-login", "namespace": here, "labels": LABELS},
        type="kubernetes.io/dockerconfigjson",
        string_data={".dockerconfigjson": pulumi.Output.secret(docker_config(login))},
        opts=opts,
    )
    return k8s.helm.v3.Release(
        f"{name}-operator-release",
        name=RELEASE,
        chart=chart,
        version=operator.chart_version,
        namespace=here,
        values=chart_values(
            operator,
            architecture=cluster.architecture,
            pull_secret=pull_secret and pull_secret.metadata["name"],
        ),
        max_history=5,
        timeout=600,
        opts=opts,
    )
