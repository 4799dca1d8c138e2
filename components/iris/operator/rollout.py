"""Waits for the operator: for the kind that it brings when it starts, and for the pods it makes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi

from components.iris.operator.labels import DEFINITION, DEFINITION_PATH, KIND, NAME, pods
from components.kubernetes_api import Unreachable, connect
from components.waiting import GaveUp, Patience, wait

Get = Callable[[str], dict[str, Any] | None]
"""The object, or the list, at a path of the API; None where there is none."""

DEFINED_SECONDS = 300
"""How long the operator may take from its pod's readiness to its CustomResourceDefinition."""


class OperatorRollout:
    """Hooks of the IrisCluster. They run in `pulumi up` alone, not in a preview."""

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Output[str],
        namespace: str,
        operator_namespace: str,
        expected: Mapping[str, int],
        images: Mapping[str, str],
        deletes_by_hand: bool,
        patience: Patience,
    ) -> None:
        """Register the hooks.

        Args:
            name: prefix of their names, which the state remembers.
            kubeconfig: how this run reaches the cluster.
            namespace: of the IrisCluster.
            operator_namespace: where the operator runs.
            expected: how many pods each part of the topology has.
            images: image of each part.
            deletes_by_hand: a change of the pods waits for a person, so nobody waits for it.
            patience: how long IRIS may take to start, everywhere.
        """
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._operator_namespace = operator_namespace
        self._expected = expected
        self._images = images
        self._patience = patience
        self._before_create = pulumi.ResourceHook(f"{name}-kind", self._defined)
        self._after_create = pulumi.ResourceHook(f"{name}-first-pods", self._started)
        self._after_update = pulumi.ResourceHook(f"{name}-pods", self._changed)
        self._deletes_by_hand = deletes_by_hand

    def binding(self) -> pulumi.ResourceHookBinding:
        """Before the IrisCluster is made its kind is there; after a change its pods are ready."""
        return pulumi.ResourceHookBinding(
            before_create=[self._before_create],
            after_create=[self._after_create],
            after_update=[] if self._deletes_by_hand else [self._after_update],
        )

    async def _defined(self, _: pulumi.ResourceHookArgs) -> None:
        try:
            await self._wait(
                undefined, Patience(timeout=DEFINED_SECONDS, settled=0, every=1), "The IrisCluster"
            )
        except GaveUp as reason:
            raise RuntimeError(
                f"there is no kind {KIND} yet: {reason}. The operator makes it when it starts; "
                f"what keeps it from that says `kubectl --namespace {self._operator_namespace} "
                "logs deployment --selector app=iris-operator` (docs/operator.md)"
            ) from None

    async def _started(self, _: pulumi.ResourceHookArgs) -> None:
        await self._running(settled=0)

    async def _changed(self, _: pulumi.ResourceHookArgs) -> None:
        # The pods of before look ready until the operator has seen the change.
        await self._running(settled=self._patience.settled)

    async def _running(self, *, settled: float) -> None:
        def missing(get: Get) -> list[str]:
            found = get(f"/api/v1/namespaces/{self._namespace}/pods")
            return not_ready(found["items"] if found else [], self._expected, self._images)

        try:
            await self._wait(missing, replace(self._patience, settled=settled), "IRIS")
        except GaveUp as reason:
            raise RuntimeError(
                f"the IrisCluster is there, and IRIS is not ready: {reason}. `kubectl --namespace "
                f"{self._namespace} describe iriscluster,statefulset,pod` says why; the next "
                "`pulumi up` goes on from here (docs/operator.md)"
            ) from None

    async def _wait(
        self, missing: Callable[[Get], list[str]], patience: Patience, who: str
    ) -> None:
        kubeconfig = await self._kubeconfig.future()
        if not kubeconfig:
            raise RuntimeError("the kubeconfig is not known, so nobody can wait for the operator")
        await wait(
            lambda: asyncio.to_thread(ask, kubeconfig, missing),
            patience,
            lambda line: pulumi.log.info(f"{who} waits: {line}"),
        )


def ask(kubeconfig: str, missing: Callable[[Get], list[str]]) -> list[str]:
    """What is missing in a cluster.

    Raises:
        Unreachable: the cluster gave no answer.
    """
    with connect(kubeconfig) as api:
        return missing(api.get)


def undefined(get: Get) -> list[str]:
    """What the kind IrisCluster still lacks; empty once objects of it can be made."""
    definition = get(DEFINITION_PATH)
    if definition is None:
        return [f"the operator has not made {DEFINITION}"]
    conditions = (definition.get("status") or {}).get("conditions") or []
    if not any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
        return [f"the API server has not taken {DEFINITION} up"]
    return []


def not_ready(
    found: Sequence[Mapping[str, Any]], expected: Mapping[str, int], images: Mapping[str, str]
) -> list[str]:
    """Which parts of the topology lack pods that are ready and of their image.

    Raises:
        Unreachable: the list is not one of pods.
    """
    if any("metadata" not in pod for pod in found):
        raise Unreachable("its answer is no list of pods")
    waits: list[str] = []
    for part, count in expected.items():
        ready = sum(_is_ready(pod, part, images.get(part)) for pod in found)
        if ready < count:
            waits.append(f"{ready} of {count} pods {NAME}-{part} ready")
    return waits


def _is_ready(pod: Mapping[str, Any], part: str, image: str | None) -> bool:
    labels = pod["metadata"].get("labels") or {}
    if not pods(part).items() <= labels.items() or pod["metadata"].get("deletionTimestamp"):
        return False
    if image and image not in [one["image"] for one in pod["spec"]["containers"]]:
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
