"""Previews without credentials: the real engine, the real program, a stand-in for every provider.

Nothing is asked of any cloud or cluster, and the state is always empty: a preview shows all that a
stack consists of. The kubeconfig of an existing cluster is replaced by a made-up one, and values
that are encrypted in a stack file by made-up secrets.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab import sdk_classes
from lab.engine import REPOSITORY, Engine, EngineError
from lab.home import LabHome
from lab.plugins.preview_answers import kubeconfig
from lab.preview_table import Preview, as_json, markdown, text
from lab.project_copy import read_config, stacks_of, write
from lab.toolchain import ensure


def preview(
    stack: str,
    *,
    home: LabHome,
    pulumi: Path,
    providers: Mapping[str, str],
    project: Path = REPOSITORY,
    settings: Mapping[str, Any] | None = None,
    flags: Sequence[str] = (),
) -> Preview:
    """Preview one stack; what would be created goes to standard output as the engine writes it.

    Args:
        stack: name of the stack.
        home: the lab whose folder ``preview`` keeps the empty state.
        pulumi: the Pulumi CLI.
        providers: environment that leads the engine to the stand-in.
        project: folder of the program and its stack files.
        settings: laid over the stack file's configuration, by key as typed there.
        flags: for ``pulumi preview``, such as ``--diff``.

    Raises:
        EngineError: the program or its settings are wrong; the output has told what.
        LabError: there is no such stack, or its file cannot be read.
    """
    started = time.monotonic()
    own = LabHome(home.root / "preview")
    config = read_config(project, stack)
    cloud = config.get("ha-iris:cloud", "existing")
    engine = Engine(
        home=own,
        pulumi=pulumi,
        stack=stack,
        project=project,
        settings={**(settings or {}), **_cluster_that_exists(own, config, cloud)},
        environment=providers,
        warm_up=lambda: sdk_classes.load(project, cloud),
    )
    result = engine.run("preview", *flags)
    return Preview(stack=stack, seconds=time.monotonic() - started, result=result)


def _cluster_that_exists(own: LabHome, config: Mapping[str, Any], cloud: str) -> dict[str, Any]:
    """Settings that lead to a made-up kubeconfig, where the stack file names one."""
    cluster = config.get("ha-iris:cluster") or {}
    if cloud != "existing" or not isinstance(cluster, Mapping):
        return {}
    own.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(own.kubeconfig, kubeconfig(cluster.get("context") or "preview"))
    return {"ha-iris:cluster": {"kubeconfig": str(own.kubeconfig)}}


def run(options: argparse.Namespace, *, providers: Callable[[], Mapping[str, str]]) -> int:
    """The command ``preview``: every wanted stack, then one table of them all."""
    project = (options.project or REPOSITORY).resolve()
    pulumi = ensure("pulumi").pulumi
    found = providers()
    print("Preview without credentials: a stand-in answers for every provider.", flush=True)
    previews, failed = [], []
    for stack in options.stacks or stacks_of(project):
        try:
            previews.append(
                preview(
                    stack,
                    home=LabHome.default(),
                    pulumi=pulumi,
                    providers=found,
                    project=project,
                    flags=["--diff"] if options.diff else [],
                )
            )
        except EngineError as error:
            failed.append(error)
    print(text(previews))
    if options.markdown:
        options.markdown.write_text(markdown(previews))
    if options.json:
        options.json.write_text(json.dumps(as_json(previews), indent=2) + "\n")
    for error in failed:
        print(f"ha-iris: {error}", file=sys.stderr)
    return 1 if failed else 0
