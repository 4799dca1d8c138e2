"""Whether a cluster knows the kinds that monitoring is made of."""

import asyncio
from collections.abc import Callable

import pulumi

from components.kubernetes_api import Unreachable, connect

VERSION = "monitoring.coreos.com/v1"
KINDS = {
    "PodMonitor": "podmonitors",
    "ServiceMonitor": "servicemonitors",
    "PrometheusRule": "prometheusrules",
}
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

Look = Callable[[str], list[str]]
"""The kinds that the cluster of a kubeconfig does not know."""


def unknown_kinds(kubeconfig: str) -> list[str]:
    """The kinds of the Prometheus Operator that a cluster does not know.

    Raises:
        Unreachable: the cluster gave no answer.
    """
    group, version = VERSION.split("/")
    with connect(kubeconfig) as api:
        missing = []
        for kind, plural in KINDS.items():
            found = api.get(f"{DEFINITIONS}/{plural}.{group}")
            served = (
                [one["name"] for one in found["spec"]["versions"] if one["served"]] if found else []
            )
            if version not in served:
                missing.append(kind)
        return missing


def asked_before_the_first(name: str, kubeconfig: pulumi.Output[str]) -> pulumi.ResourceHookBinding:
    """A hook that refuses monitoring where it could not be made, and warns of it in a preview.

    Args:
        name: of the hook; the state remembers it.
        kubeconfig: how this run reaches the cluster; unknown while there is none.
    """

    async def check(_: pulumi.ResourceHookArgs) -> None:
        known, preview = await kubeconfig.future(), pulumi.runtime.is_dry_run()
        fault = await asyncio.to_thread(refusal, known, preview=preview)
        if fault and not preview:
            raise RuntimeError(fault)
        if fault:
            pulumi.log.warn(f"`pulumi up` would be refused: {fault}")

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook(name, check, options)])


def refusal(kubeconfig: str | None, *, preview: bool, look: Look = unknown_kinds) -> str | None:
    """Why monitoring is not made, and the cure; None if it may be.

    A preview for which there is no cluster yet, or none that answers, has nothing to say.
    """
    if not kubeconfig:
        return None
    try:
        missing = look(kubeconfig)
    except Unreachable as error:
        return None if preview else f"nobody knows whether {VERSION} is there: {error}"
    if not missing:
        return None
    return (
        f"ha-iris:monitoring.enabled is true, and the cluster knows no {', '.join(missing)} of "
        f"{VERSION}; install the Prometheus Operator first, as kube-prometheus-stack does, or set "
        "it to false (docs/monitoring.md)"
    )
