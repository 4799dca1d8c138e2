"""The Kubernetes objects that a stack file asks for, from a played engine."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, set_all_config, set_mocks
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func


class _Recorder(mocks.Mocks):
    """Answers as if every resource existed as it was asked for."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        if args.typ.startswith("random:"):
            outputs |= {"hex": "0" * 128, "result": "0" * 24}
        if "kind" in outputs and "apiVersion" in outputs:
            # Where the program gives no name, the provider makes one of the resource's.
            outputs["metadata"] = {"name": args.name, **(outputs.get("metadata") or {})}
            self.objects.append(_plain(outputs))
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return {}, []


class _Hooks:
    """Takes the program's hooks, and runs none."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None: ...


def render(project: Path, groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of a stack on a cluster that exists, as the program gives them to its provider.

    Args:
        project: folder of the program.
        groups: settings by group, as in a stack file without its prefix.
    """
    # The program reads files of its project by their names alone.
    os.chdir(project)
    from stacks import compose

    recorder = _Recorder()
    set_mocks(recorder, project="ha-iris", stack="rendered", preview=False)
    SETTINGS.callbacks = _Hooks()  # type: ignore[assignment]
    config = {f"ha-iris:{name}": json.dumps(group) for name, group in groups.items()}
    set_all_config(config, [f"ha-iris:{name}" for name in groups])

    def program() -> None:
        compose()

    asyncio.get_event_loop_policy().get_event_loop().run_until_complete(run_pulumi_func(program))
    return recorder.objects


def _plain(value: Any) -> Any:
    """A value as the program gave it: the wire wraps secrets and turns integers into floats."""
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
