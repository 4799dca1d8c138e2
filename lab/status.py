"""`status`: what of the lab runs, and what a stack in it consists of. It changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from lab import LabError
from lab.cluster import processes
from lab.cluster.api import Api
from lab.cluster.control_plane import ControlPlane, Status
from lab.commands import engine_of, linked, say
from lab.engine.checkpoint import SECRET, stacks_in
from lab.exclusive import holder
from lab.home import LabHome
from lab.plugins import chart
from lab.plugins.provide import provided
from lab.toolchain import TOOLS

INCOMPLETE = 3
"""Exit code where not all runs, as of init scripts ("program is not running", LSB)."""


def status(stack: str, home: LabHome, *, show_secrets: bool = False) -> int:
    """Print how the lab is; gives 3 unless all of it runs and the stack is up.

    Raises:
        LabError: the stack's state cannot be read; what runs has been told before.
    """
    if not home.kubeconfig.exists():
        say(f"The lab is {_in_between(home) or 'down; `make up` starts it'}")
        return INCOMPLETE
    found = ControlPlane(home, linked(home), report=say).status()
    _say_control_plane(home, found)
    deployed = _say_stack(stack, home, show_secrets)
    return 0 if found.running and deployed else INCOMPLETE


def _in_between(home: LabHome) -> str | None:
    at_work = holder(home)
    return f"being changed by {at_work}" if at_work else None


def _say_control_plane(home: LabHome, found: Status) -> None:
    if at_work := _in_between(home):
        _row("lab", at_work)
    elif found.running:
        _row("lab", "up")
    elif any(found.components.values()):
        _row("lab", "in part; `make up` mends it and keeps its data")
    else:
        _row("lab", "stopped; `make up` starts it again with its data")
    _row("API server", f"{found.version} at {found.url}" if found.version else "does not answer")
    pids = processes.find(home)
    for name in found.components:
        running = ", ".join(str(process.pid) for process in pids.get(name, []))
        _row(name, f"process {running}" if running else "does not run")
    for name, readiness in found.nodes.items():
        _row(name, f"{readiness} (simulated)")
    for name in ("kwok", "helm", "pulumi"):
        _row(f"version of {name}", TOOLS[name].version)
    _row("provider plugins", provided(home) or "none yet")
    _row("Longhorn chart", chart.chosen(home))
    if found.version:
        _say_refused_merges(home)
        _say_rehearsals(home)


def _say_refused_merges(home: LabHome) -> None:
    """What IRIS refused of its merge file, as far as an Event of its pod still tells it."""
    path = "/api/v1/events?fieldSelector=reason=Unhealthy"
    for event in Api(home).request("GET", path)["items"]:
        _, found, told = event["message"].partition("merge-errors: ")
        if found:
            pod = event["involvedObject"]
            _row("merge refused", f"{pod['namespace']}/{pod['name']}: {told.splitlines()[0]}")
            for line in told.splitlines()[1:-1]:
                _row("", line)
            _row("", "what to do is in docs/runbooks.md, IrisMergeRefused")


def _say_rehearsals(home: LabHome) -> None:
    """What the last rehearsal of each database's restore has left on its CronJob."""
    for item in Api(home).request("GET", "/apis/batch/v1/cronjobs")["items"]:
        metadata = item["metadata"]
        if metadata["name"] == "iris-rehearsal":
            told = metadata.get("annotations", {})
            _row(f"restore of {metadata['namespace']}", rehearsed(told, datetime.now(UTC)))


def rehearsed(told: Mapping[str, str], now: datetime) -> str:
    """What a rehearsal's annotations say, in words."""
    if "rehearsal.ha-iris/result" not in told:
        return "never rehearsed"
    line = f"rehearsal {told['rehearsal.ha-iris/result']} at {told['rehearsal.ha-iris/at']}"
    if proven := told.get("rehearsal.ha-iris/proven"):
        hours = (now - datetime.fromisoformat(proven)).total_seconds() / 3600
        line += f"; a backup of {proven} is proven, {hours:.0f} h old"
    if why := told.get("rehearsal.ha-iris/reason"):
        line += f"; {why}"
    return line


def _say_stack(stack: str, home: LabHome, show_secrets: bool) -> bool:
    engine = engine_of(home, stack)
    if not engine.exists:
        known = ", ".join(stacks_in(home))
        _row(f"stack {stack}", f"not in the lab{f', which has {known}' if known else ''}")
        return False
    if show_secrets and not engine.pulumi.exists():
        raise LabError(
            str(engine.pulumi), "the Pulumi CLI is gone from the cache", "`make up` builds it anew"
        )
    outputs = engine.outputs(show_secrets=show_secrets)
    kinds = Counter(resource["custom"] for resource in engine.resources)
    _row(f"stack {stack}", f"{kinds[True]} resources in {kinds[False]} components")
    last = engine.last_operation or "none"
    if engine.is_pending:
        last += ", then one was cut off; `make up` finishes it"
    _row("last operation", last)
    for name, value in outputs.items():
        if name != "readme":
            lines = str(value).splitlines()
            _row(f"  {name}", lines[0] if len(lines) == 1 else f"[{len(lines)} lines]")
    if SECRET in outputs.values():
        say(f"\nSecrets: .venv/bin/python -m lab status {stack} --show-secrets")
    return last == "update succeeded"


def _row(name: str, value: str) -> None:
    say(f"{name:<24} {value}")
