"""`up` and `down`: the dev stack in the lab on this machine."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import REPOSITORY, LabError
from lab.cluster.control_plane import ControlPlane
from lab.engine import Engine, EngineError, orphans, sdk_classes
from lab.engine.checkpoint import stacks_in
from lab.engine.project_copy import read_config, stacks_of
from lab.exclusive import exclusive
from lab.home import LabHome
from lab.plugins import chart
from lab.plugins.provide import provide
from lab.toolchain import LAB_TOOLS, Toolchain, ensure

KUBECONFIG = ".lab/kubeconfig"
"""How a stack file names the lab's cluster."""


def up(stack: str, home: LabHome) -> int:
    """Start the lab, deploy a stack into it and print what comes next; may be repeated.

    Raises:
        LabError: the stack is not for the lab, or anything on the way failed.
    """
    _refuse_other_clusters(stack)
    toolchain = _timed("Toolchain", lambda: ensure(report=say))
    with exclusive(home, "up", say):
        orphans.end(home, say)
        _link(home, toolchain)
        provide(home, toolchain, say)
        chart.choose(home, read_config(REPOSITORY, stack), toolchain, say)
        _timed("Control plane", ControlPlane(home, toolchain, report=say).start)
        engine = engine_of(home, stack)
        try:
            _timed(f"Stack {stack}", lambda: engine.run("up"))
        except EngineError:
            engine.outputs(show_secrets=True)  # a state that cannot be read has a cure of its own
            raise
        _say_what_next(stack, engine.outputs())
    return 0


def down(home: LabHome, *, force: bool = False) -> int:
    """Destroy the lab's stacks, end its processes and remove its folder; may be repeated.

    What cannot be destroyed because the lab is dead or its state unreadable goes with the lab.

    Raises:
        LabError: `pulumi destroy` was refused or failed; the lab is still there.
    """
    if not home.root.exists():
        say("The lab does not exist: nothing to remove")
        return 0
    with exclusive(home, "down", say):
        for root in (home, LabHome(home.root / "preview")):
            orphans.end(root, say, grace=0 if force else orphans.GRACE_SECONDS)
        plane = ControlPlane(home, linked(home), report=say)
        if not force and plane.status().version is not None:
            for stack in stacks_in(home):
                _destroy(home, stack)
        _timed("Control plane", lambda: plane.stop(delete=True))
        for entry in home.root.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry != home.lock:
                entry.unlink()
        home.lock.unlink()
    _remove_empty(home.root)
    say("The lab is removed; its programs stay in the cache folder")
    return 0


def engine_of(home: LabHome, stack: str) -> Engine:
    """The engine with the programs that the lab was started with."""
    toolchain = linked(home)
    config = read_config(REPOSITORY, stack) if stack in stacks_of(REPOSITORY) else {}
    return Engine(
        home=home,
        pulumi=toolchain.pulumi,
        tools=toolchain.bin,
        stack=stack,
        settings=chart.laid_over(home, config),
        warm_up=lambda: sdk_classes.load("existing"),
    )


def linked(home: LabHome) -> Toolchain:
    """The programs that the lab was started with; they may be gone from the cache since."""
    return Toolchain(bin=home.bin, pulumi=home.bin / "pulumi")


def say(line: str) -> None:
    """One line for the user, at once."""
    print(line, flush=True)


def _destroy(home: LabHome, stack: str) -> None:
    engine = engine_of(home, stack)
    gone = [name for name in LAB_TOOLS if not (home.bin / name).exists()]
    if gone:
        say(f"Stack {stack} goes with its cluster, undestroyed: no {', '.join(gone)} in the cache")
        return
    try:
        # An unreadable state shows here, before the engine is asked to change anything.
        engine.outputs(show_secrets=True)
        if not engine.resources:
            return
    except LabError as error:
        say(f"Stack {stack} goes with its cluster, undestroyed: {error.key}: {error.reason}")
        return
    try:
        _timed(f"Stack {stack}", lambda: engine.run("destroy"))
    except LabError as error:
        raise LabError(
            error.key,
            f"{error.reason}, and the lab is still there",
            "the cause is above; `python -m lab down --force` removes the lab with all it holds",
        ) from None


def _link(home: LabHome, toolchain: Toolchain) -> None:
    """Put links to the lab's programs where a person finds them and `down` finds them again."""
    home.bin.mkdir(mode=0o700, exist_ok=True)
    for name in LAB_TOOLS:
        target = toolchain.pulumi if name == "pulumi" else toolchain.bin / name
        link = home.bin / name
        if not (link.is_symlink() and link.readlink() == target):
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def _refuse_other_clusters(stack: str) -> None:
    """The stand-ins deploy into the lab and nowhere else."""
    config = read_config(REPOSITORY, stack)
    cloud = config.get("ha-iris:cloud", "existing")
    if cloud != "existing":
        raise LabError(
            f"stack {stack}",
            f"it is for {cloud} and the lab is an existing cluster",
            f"run `make preview STACK={stack}` here, or `pulumi up -s {stack}` for the cloud",
        )
    cluster = config.get("ha-iris:cluster")
    named = cluster.get("kubeconfig") if isinstance(cluster, dict) else None
    if named != KUBECONFIG:
        raise LabError(
            f"Pulumi.{stack}.yaml: ha-iris:cluster.kubeconfig ({named})",
            "this is not the lab, and the lab deploys into no other cluster",
            f"run `pulumi up -s {stack}` for that cluster, or set it to {KUBECONFIG} for the lab",
        )


def _say_what_next(stack: str, outputs: dict[str, Any]) -> None:
    forward = outputs.get("webPortForwardCommand") or outputs.get("portForwardCommand", "")
    say(f"""
Stack {stack} is up in the lab. The control plane is real and the nodes are simulated: no container
runs, so neither IRIS nor Longhorn does, and nothing answers at the portal's address. On a cluster
with real nodes (docs/lab.md) this is how to reach the database:

  portal     {forward}
             {outputs.get("portalUrl", "")}
  user       {outputs.get("username", "")}
  password   .venv/bin/python -m lab status {stack} --show-secrets

Look around   .lab/bin/kubectl --kubeconfig {KUBECONFIG} get pods,pvc --all-namespaces
Again         make status, make up (changes nothing unless a setting changed), make down""")


def _remove_empty(folder: Path) -> None:
    """Remove the lab's folder unless another command has begun a new lab in it."""
    try:
        folder.rmdir()
    except OSError:
        return


def _timed(what: str, action: Callable[[], object]) -> Any:
    started = time.monotonic()
    result = action()
    say(f"{what}: {time.monotonic() - started:.1f} s")
    return result
