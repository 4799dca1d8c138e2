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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pulumi

from lab import REPOSITORY
from lab.engine import Engine, EngineError, sdk_classes
from lab.engine.project_copy import read_config, stacks_of
from lab.exclusive import exclusive
from lab.home import LabHome, write
from lab.preview.answers import kubeconfig
from lab.preview.table import CAPTION, Preview, as_json, markdown, text
from lab.toolchain import ensure


def preview(
    stack: str,
    *,
    home: LabHome,
    pulumi: Path,
    providers: Callable[[], Mapping[str, str]],
    project: Path = REPOSITORY,
    settings: Mapping[str, Any] | None = None,
    diff: bool = False,
) -> Preview:
    """Preview one stack. A refused one is a result too: its errors say why.

    Args:
        stack: name of the stack.
        home: the lab whose folder ``preview`` keeps the empty state.
        pulumi: the Pulumi CLI.
        providers: gives the environment that leads the engine to the stand-in.
        project: folder of the program and its stack files.
        settings: laid over the stack file's configuration, by key as typed there.
        diff: write every property to standard output, as the engine does.

    Raises:
        LabError: there is no such stack, its file cannot be read, or the engine does not start.
    """
    started = time.monotonic()
    own = LabHome(home.root / "preview")
    config = read_config(project, stack)
    cloud = config.get("ha-iris:cloud", "existing")
    own.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = own.root / "engine.log"
    with log.open("w+") as output:
        engine = Engine(
            home=own,
            pulumi=pulumi,
            stack=stack,
            project=project,
            settings={
                **(settings or {}),
                **_cluster_that_exists(own, config, cloud),
                # What a stack file may leave open until somebody deploys it may stay open here.
                "lab:standIns": "true",
            },
            environment=providers,
            warm_up=lambda: sdk_classes.load(cloud),
            output=None if diff else output,
        )
        try:
            with _no_debug_messages():
                result = engine.run("preview", *(["--diff"] if diff else []))
        except EngineError as error:
            result = error.result
            if not result.errors:
                # The CLI gave up before the program began, and its own words are all there is.
                result.errors.append(log.read_text().strip() or str(error))
    return Preview(stack=stack, seconds=time.monotonic() - started, result=result)


def _cluster_that_exists(own: LabHome, config: Mapping[str, Any], cloud: str) -> dict[str, Any]:
    """Settings that lead to a made-up kubeconfig, where the stack file names one."""
    cluster = config.get("ha-iris:cluster") or {}
    if cloud != "existing" or not isinstance(cluster, Mapping):
        return {}
    write(own.kubeconfig, kubeconfig(cluster.get("context") or "preview"))
    return {"ha-iris:cluster": {"kubeconfig": str(own.kubeconfig)}}


@contextmanager
def _no_debug_messages() -> Iterator[None]:
    """Keep the SDK's debug messages here: nobody reads them, and each waits for an answer."""
    debug = pulumi.log.debug
    pulumi.log.debug = lambda *_, **__: None
    try:
        yield
    finally:
        pulumi.log.debug = debug


def run(options: argparse.Namespace, *, providers: Callable[[], Mapping[str, str]]) -> int:
    """The command ``preview``: every wanted stack, then one table of them all."""
    project = (options.project or REPOSITORY).resolve()
    stacks = options.stacks or stacks_of(project)
    for stack in stacks:
        read_config(project, stack)  # a misspelt name is told before anything runs
    pulumi = ensure("pulumi").pulumi
    print(CAPTION, flush=True)
    home = LabHome.default()
    previews = []
    with exclusive(LabHome(home.root / "preview"), "preview", print):
        for stack in stacks:
            previews.append(
                preview(
                    stack,
                    home=home,
                    pulumi=pulumi,
                    providers=providers,
                    project=project,
                    diff=options.diff,
                )
            )
    print(text(previews, time.time() - psutil.Process().create_time()))
    if options.markdown:
        options.markdown.write_text(markdown(previews))
    if options.json:
        options.json.write_text(json.dumps(as_json(previews), indent=2) + "\n")
    if refused := [preview.stack for preview in previews if preview.failed]:
        print(f"ha-iris: refused: {', '.join(refused)}", file=sys.stderr)
        return 1
    return 0
