"""Calling the hooks of a resource as the engine does."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pulumi
import pytest

Binding = Callable[[str], pulumi.ResourceHookBinding]
Told = Callable[[Binding, Any, Any], list[str]]


def call(hook: pulumi.ResourceHook, *, before: Any = None, after: Any) -> None:
    """Call a hook that may wait, with the inputs of a resource; raises what it raises."""
    change = pulumi.ResourceHookArgs(
        urn="urn", id="id", name="n", type="t", old_inputs=before, new_inputs=after
    )
    loop = asyncio.get_event_loop_policy().get_event_loop()
    loop.run_until_complete(cast(Any, hook.callback(change)))


def namespace_with(annotations: dict[str, str]) -> dict[str, Any]:
    """Inputs of the database's namespace."""
    return {"metadata": {"name": "iris", "annotations": annotations}}


@pytest.fixture
def told(deploy, monkeypatch) -> Told:
    """What the hooks before an update say of a change of inputs; raises what they raise."""
    said: list[str] = []
    for level in ("info", "warn"):
        monkeypatch.setattr(pulumi.log, level, lambda message: said.append(message))

    def run(binding: Binding, before: Any, after: Any) -> list[str]:
        raised: list[Exception] = []

        def program() -> None:
            for hook in binding("told").before_update or []:
                assert isinstance(hook, pulumi.ResourceHook)
                assert hook.opts is not None
                assert hook.opts.on_dry_run
                change = pulumi.ResourceHookArgs(
                    urn="urn", id="id", name="n", type="t", old_inputs=before, new_inputs=after
                )
                try:
                    hook.callback(change)
                except ValueError as error:
                    raised.append(error)

        said.clear()
        deploy(program)
        if raised:
            raise raised[0]
        return list(said)

    return run
