"""What is asked and told before a volume is filled, in previews too."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pulumi

from components.iris.restore.already import FILLED_FROM, Claims, begun_before, in_the_way
from components.iris.restore.check import NotYet, Unfit, look, running
from components.iris.restore.one_cut import one_cut, whole
from components.iris.restore.source_settings import SourceSettings
from components.kubernetes_api import Api, Unreachable, connect

PAGE = "docs/restore.md"

PATIENCE = 600
"""Seconds: Longhorn lists a new store at once and each again after five minutes."""

EVERY = 10

Ask = Callable[[Callable[[Api], Any]], Awaitable[Any]]


def restoring(
    name: str,
    source: SourceSettings | None,
    *,
    volume: int,
    claims: Claims | None,
    namespace: str,
    storage_class: str,
    gib: int,
    setting: str,
    part: str | None = None,
    leads: bool = True,
    first: SourceSettings | None = None,
    beside: Sequence[SourceSettings] = (),
    host: str = "iris",
    stop_first: bool = False,
    kubeconfig: pulumi.Output[str],
) -> pulumi.ResourceHookBinding:
    """Hooks of a claim.

    Args:
        name: prefix of their names, which the state remembers.
        source: what the volume is filled from; None: it begins empty.
        volume: its number.
        claims: its name and those that belong to it; None: of a copy, which may be made anew.
        namespace: of the claim.
        storage_class: of the claim.
        gib: its size.
        setting: key of that in a stack file's ``iris``.
        part: what it holds; None: all of a Deployment's database, but perhaps its journals.
        leads: whether it has IRIS itself on it.
        first: what that one is filled from, where this is another of the same moment.
        beside: what the others are filled from, where this is that one.
        host: name of the host that starts on it.
        stop_first: whether it takes the place of another one, under an IRIS that must not run.
        kubeconfig: how this run reaches the cluster.
    """

    def looked(api: Api, source: SourceSettings) -> list[str]:
        told: list[str] = []
        if claims:
            told += in_the_way(api, claims, source, namespace=namespace, volume=volume)
        told += look(
            api,
            source,
            namespace=namespace,
            storage_class=storage_class,
            gib=gib,
            setting=setting,
        )
        if first:
            told += one_cut(api, first, source, namespace=namespace)
        if leads:
            told += whole(api, source, beside, host=host, namespace=namespace)
        if leads and claims:
            told += begun_before(api, claims, source, namespace=namespace)
        return told

    async def before_create(change: pulumi.ResourceHookArgs) -> None:
        preview = pulumi.runtime.is_dry_run()
        if preview:
            pulumi.log.info(plan(source, volume=volume, gib=gib, part=part, leads=leads))
        document = await kubeconfig.future()
        if not document:
            return  # The cluster is made in this update.

        async def ask(call: Callable[[Api], Any]) -> Any:
            def asked() -> Any:
                with connect(document) as api:
                    return call(api)

            return await asyncio.to_thread(asked)

        try:
            if stop_first:
                await stopped(ask, namespace, preview=preview)
            if source:
                told = await fit(
                    ask,
                    lambda api, source=source: looked(api, source),
                    patience=0 if preview else PATIENCE,
                )
                for line in told:
                    pulumi.log.warn(line)
        except Unreachable as reason:
            if preview:
                pulumi.log.warn(f"Nobody has looked whether the source is there: {reason}")
                return
            raise RuntimeError(f"whether the source is there is not known: {reason}") from None

    def before_update(change: pulumi.ResourceHookArgs) -> None:
        if fault := another_source(change.old_inputs, change.new_inputs, volume=volume, part=part):
            raise ValueError(fault)

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    create = [pulumi.ResourceHook(f"{name}-filled", before_create, options)]
    return pulumi.ResourceHookBinding(
        before_create=create if source or stop_first else None,
        before_update=[pulumi.ResourceHook(f"{name}-filled-once", before_update, options)],
    )


async def stopped(ask: Ask, namespace: str, *, preview: bool) -> None:
    """Refuse to put another volume under an IRIS that runs; a preview only says it."""
    if not (pods := await ask(lambda api: running(api, namespace))):
        return
    told = (
        f"IRIS runs in {', '.join(pods)}, and what it commits until the other volume takes this "
        f"one's place stays behind on this one; stop it first: `kubectl -n {namespace} scale "
        f"deployment,statefulset iris --replicas=0` ({PAGE})"
    )
    if not preview:
        raise ValueError(told)
    pulumi.log.warn(f"`pulumi up` will refuse this: {told}")


async def fit(
    ask: Ask,
    call: Callable[[Api], list[str]],
    *,
    patience: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[str]:
    """What there is to know of a source, once it is there.

    Raises:
        ValueError: it is not there in time, or will not do.
    """
    waited = 0.0
    while True:
        try:
            return await ask(call)
        except Unfit as reason:
            raise ValueError(f"{reason} ({PAGE})") from None
        except NotYet as reason:
            if waited >= patience:
                raise ValueError(f"{reason} ({PAGE})") from None
        await sleep(EVERY)
        waited += EVERY


def plan(
    source: SourceSettings | None,
    *,
    volume: int,
    gib: int,
    part: str | None = None,
    leads: bool = True,
) -> str:
    """What an update will do, for a preview."""
    filling = f"is filled from {source.told()}" if source else "begins empty"
    told = f"Volume {volume} of the database, {gib} GiB, {filling}."
    if part:
        told = f"The volume for {part}, {gib} GiB, {filling}."
    if not leads:
        return told
    if volume > 1:
        told += " The earlier ones stay as they are (ha-iris:iris.keptVolumes)."
    if source:
        told += (
            " Users and passwords are those of the source, and the password output only if the "
            "source is of this stack."
        )
    return told


def another_source(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    volume: int,
    part: str | None = None,
) -> str | None:
    """Why a volume that is there is not filled once more; None where nobody asks for it."""
    old, new = _filled_from(before), _filled_from(after)
    if not new or old == new:
        return None
    begun = f"was filled from {old}" if old else "began empty"
    return (
        f"ha-iris:iris.restore names {new}{f' for {part}' if part else ''}, and volume {volume}, "
        f"which is there, {begun}: only a "
        f"new volume is filled; set ha-iris:iris.volume to {volume + 1}, which keeps this one, or "
        f"drop the change of restore ({PAGE})"
    )


def _filled_from(inputs: Mapping[str, Any] | None) -> str:
    metadata = (inputs or {}).get("metadata") or {}
    return (metadata.get("annotations") or {}).get(FILLED_FROM, "")
