"""`up`, `down` and `status`: the dev stack in the lab on this machine."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from lab import LabError, sdk_classes
from lab.control_plane import ControlPlane
from lab.engine import REPOSITORY, Engine
from lab.home import LabHome
from lab.project_copy import read_config
from lab.provider_plugins import provide
from lab.toolchain import Toolchain, ensure

HIDDEN = "[secret]"
"""What Pulumi prints for a secret."""


def up(stack: str, home: LabHome | None = None) -> int:
    """Start the lab, deploy a stack into it and print the stack's outputs; may be repeated.

    Raises:
        LabError: the stack is not for an existing cluster, or anything on the way failed.
    """
    home = home or LabHome.default()
    _refuse_clouds(stack)
    toolchain = _timed("Toolchain", lambda: ensure(report=_say))
    home.prepare()
    provide(home, toolchain, _say)
    _timed("Control plane", ControlPlane(home, toolchain, report=_say).start)
    engine = _engine(home, toolchain, stack)
    _timed(f"Stack {stack}", lambda: engine.run("up"))
    _print_outputs(engine.outputs(), stack)
    return 0


def down(stack: str, home: LabHome | None = None, *, force: bool = False) -> int:
    """Destroy a stack, end every process of the lab and remove its folder.

    A lab whose control plane is dead has nothing left to destroy and is removed as it is.

    Raises:
        LabError: `pulumi destroy` failed; the lab is still there.
    """
    home = home or LabHome.default()
    if not home.root.exists():
        _say("The lab does not exist: nothing to remove")
        return 0
    plane = ControlPlane(home, Toolchain(bin=home.root, pulumi=home.root), report=_say)
    if not force and plane.status().version is not None:
        engine = _engine(home, ensure("pulumi", report=_say), stack)
        if engine.exists:
            _timed(f"Stack {stack}", lambda: engine.run("destroy"))
    _timed("Control plane", lambda: plane.stop(delete=True))
    shutil.rmtree(home.root)
    _say("The lab is removed; its programs stay in the cache folder")
    return 0


def status(stack: str, home: LabHome | None = None, *, show_secrets: bool = False) -> int:
    """Print what runs and the stack's outputs; gives 1 if the lab does not run."""
    home = home or LabHome.default()
    if not home.kubeconfig.exists():
        _say("The lab is down; `make up` starts it")
        return 1
    toolchain = ensure(report=_say)
    found = ControlPlane(home, toolchain, report=_say).status()
    _say(f"API server   {found.version or 'does not answer'}  {found.url or ''}")
    for name, runs in found.components.items():
        _say(f"{name:<24} {'runs' if runs else 'DOWN'}")
    for name, readiness in found.nodes.items():
        _say(f"{name:<24} {readiness}")
    engine = _engine(home, toolchain, stack)
    kinds = Counter(resource["type"] for resource in engine.resources)
    _say(f"stack {stack:<18} {kinds.total()} resources")
    _print_outputs(engine.outputs(show_secrets=show_secrets), stack)
    return 0 if found.running else 1


def _engine(home: LabHome, toolchain: Toolchain, stack: str) -> Engine:
    return Engine(
        home=home,
        pulumi=toolchain.pulumi,
        tools=toolchain.bin,
        stack=stack,
        warm_up=lambda: sdk_classes.load(REPOSITORY, "existing"),
    )


def _refuse_clouds(stack: str) -> None:
    cloud = read_config(REPOSITORY, stack).get("ha-iris:cloud", "existing")
    if cloud != "existing":
        raise LabError(
            f"stack {stack}",
            f"it is for {cloud} and the lab is an existing cluster",
            f"run `make preview STACK={stack}` here, or `pulumi up -s {stack}` for the cloud",
        )


def _print_outputs(outputs: dict[str, Any], stack: str) -> None:
    for name, value in outputs.items():
        if name != "readme":
            _say(f"{name:<20} {value}")
    if HIDDEN in outputs.values():
        _say(f"\nSecrets: python -m lab status {stack} --show-secrets")


def _timed(what: str, action: Callable[[], Any]) -> Any:
    started = time.monotonic()
    result = action()
    _say(f"{what}: {time.monotonic() - started:.1f} s")
    return result


def _say(line: str) -> None:
    print(line, flush=True)
