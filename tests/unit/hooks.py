"""Calling the hooks of a resource as the engine does."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

Binding = Callable[[str], pulumi.ResourceHookBinding]
Told = Callable[[Binding, Any, Any], list[str]]


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
