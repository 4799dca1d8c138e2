"""Changes of nodes wait until Longhorn has its copies elsewhere."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pydantic import Field

from components.longhorn.api import Unreadable, look
from components.longhorn.health import Copies, Leaving, copies
from components.settings import Settings
from components.waiting import GaveUp, Patience, wait

CURE = (
    "docs/upgrades.md says what helps; to change nodes without this check, at the risk of the "
    "data, set ha-iris:cluster.nodeChanges.waitForCopies to false"
)


class NodeChangeSettings(Settings):
    """How a change of nodes waits for the copies that Longhorn keeps on them."""

    wait_for_copies: bool = True
    """Wait before each zone until every volume has its copies, and keep a set that holds one.

    false is for emergencies: one `pulumi up` may then take a copy from every zone.
    """

    timeout_minutes: int = Field(default=120, ge=15, le=1440)
    """Minutes to wait before each zone; then the update fails and that zone stays as it is.

    Longhorn begins a new copy up to ten minutes after it has lost one, and needs about as long
    for it as the disks and the network need for the volume's data.
    """


class NodeChanges:
    """The hooks of everything that has nodes of one cluster.

    They run in `pulumi up` and, to say so, in a preview; a plain `pulumi destroy` knows nothing
    of the first and refuses to run while a resource has the second.
    """

    def __init__(
        self,
        name: str,
        settings: NodeChangeSettings,
        *,
        kubeconfig: pulumi.Output[str],
        node_label: str,
        label_output: str,
        patience: Patience | None = None,
    ) -> None:
        """Register the hooks.

        Args:
            name: prefix of their names, which the state remembers.
            settings: whether and how long to wait.
            kubeconfig: how this run reaches the cluster. It must not depend on the nodes.
            node_label: label that tells the nodes of one group, pool or set from the others.
            label_output: output of such a resource that has the label's value.
            patience: None: as the settings say.
        """
        self._settings = settings
        self._kubeconfig = kubeconfig
        self._node_label = node_label
        self._label_output = label_output
        self._patience = patience or Patience(timeout=60 * settings.timeout_minutes)
        says = pulumi.ResourceHookOptions(on_dry_run=True)
        self._before_update = pulumi.ResourceHook(f"{name}-before-change", self._change, says)
        self._before_delete = pulumi.ResourceHook(f"{name}-before-retirement", self._retire, says)

    def of_nodes(self) -> pulumi.ResourceHookBinding:
        """For each group, pool or set of one zone.

        Creation has no hook: new nodes are what a volume without all its copies may wait for.
        """
        return pulumi.ResourceHookBinding(before_update=[self._before_update])

    def of_retiring_nodes(self) -> pulumi.ResourceHookBinding:
        """For nodes that go once they are no longer in the stack file, and that Pulumi may delete.

        While the state has them, `pulumi destroy` asks for ``--run-program``.
        """
        return pulumi.ResourceHookBinding(
            before_update=[self._before_update], before_delete=[self._before_delete]
        )

    async def _change(self, change: pulumi.ResourceHookArgs) -> None:
        await self._wait(change, "update", Copies.allow_change)

    async def _retire(self, change: pulumi.ResourceHookArgs) -> None:
        await self._wait(change, "deletion", Copies.allow_retirement)

    async def _wait(
        self, change: pulumi.ResourceHookArgs, verb: str, allowed: Callable[[Copies], bool]
    ) -> None:
        told = f"The {verb} of {change.name}"
        if not self._settings.wait_for_copies:
            pulumi.log.warn(f"{told} does not wait for Longhorn: waitForCopies is false.")
            return
        if pulumi.runtime.is_dry_run():
            pulumi.log.info(
                f"{told} will wait until Longhorn has its copies elsewhere, "
                f"for {self._settings.timeout_minutes} minutes at most."
            )
            return
        kubeconfig = await self._kubeconfig.future()
        if not kubeconfig:
            raise RuntimeError(f"{change.name} stays as it is: the kubeconfig is not known. {CURE}")
        leaving = Leaving(self._node_label, _text(change.old_outputs, self._label_output))

        def missing() -> list[str] | None:
            state = look(kubeconfig)
            if state is None:
                return None
            return [str(of) for of in copies(state, leaving) if not allowed(of)]

        try:
            await wait(
                lambda: asyncio.to_thread(missing),
                self._patience,
                lambda line: pulumi.log.info(f"{told} waits: {line}"),
                well="every copy is there",
            )
        except (GaveUp, Unreadable) as reason:
            raise RuntimeError(f"{change.name} stays as it is: {reason}. {CURE}") from None


def _text(outputs: Mapping[str, Any] | None, key: str) -> str:
    value = (outputs or {}).get(key)
    if not isinstance(value, str) or not value:
        raise RuntimeError(f"the state has no {key}, which names the nodes; {CURE}")
    return value
