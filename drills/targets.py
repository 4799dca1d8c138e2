"""What is drilled, found by the name of a stack: the lab, or the cluster of its outputs."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused
from drills.clients import Client, Endpoints
from drills.faults import marked, volumes
from drills.hosts import Hosts
from drills.iris import Ledger, Login
from drills.sites import Machines, SimulatedMachines, Site
from drills.subject import Subject
from drills.switch import Switch
from drills.watch import Observer
from lab import REPOSITORY
from lab.cluster.control_plane import ControlPlane
from lab.commands import KUBECONFIG, linked
from lab.engine import Engine
from lab.engine.project_copy import read_config, stacks_of
from lab.home import LabHome

SUPERSERVER_PORT = 1972


@dataclass(frozen=True)
class Target:
    """A database that can be drilled, and how."""

    stack: str
    where: str
    protected: bool
    """Whether the stack file protects the data."""
    subject: Subject
    site: Site
    make_client: Callable[[Observer], Client]
    rows: Callable[[], list[int]] | None = None
    """Reads the numbers that are in the database; None: no commits are made."""
    clean: Callable[[], None] = lambda: None
    """Removes what the drill has made."""
    heal: Callable[[], tuple[str, ...]] = tuple
    """Starts again what has ended of itself; gives its names."""
    versions: dict[str, str] = field(default_factory=dict)


def of_stack(
    stack: str, *, sql: str | None, host_image: str, off: str | None, on: str | None
) -> Target:
    """The database of a stack.

    Args:
        stack: name, as in Pulumi.NAME.yaml.
        sql: host and port of the superserver as this machine reaches it; None: the stack's output.
        host_image: image of the pods that hand scripts to machines.
        off: command that takes the power from a machine.
        on: command that gives it back.

    Raises:
        DrillError: there is no such stack, or its cluster or database is out of reach.
    """
    protected = bool(_config(stack).get("ha-iris:protectData", True))
    if plane := _lab(stack):
        return in_lab(stack, plane, namespace=_namespace_in_lab(stack, plane), protected=protected)
    outputs = _outputs(stack)
    api = Api(outputs["kubeconfig"])
    hosts = Hosts(api, host_image)
    subject = Subject.of_stack(api, outputs["namespace"])
    ledger = _ledger(outputs, sql)

    def clean() -> None:
        with contextlib.ExitStack() as both:
            both.callback(hosts.clean)
            both.callback(ledger.clean)

    return Target(
        stack=stack,
        where=f"cluster {outputs['clusterName']}",
        protected=protected,
        subject=subject,
        site=Machines(api, hosts, off=off, on=on),
        make_client=lambda _: ledger.client(first=max(ledger.rows(), default=0) + 1),
        rows=ledger.rows,
        clean=clean,
        versions=versions(api, subject),
    )


def mend(stack: str, *, on: str | None, say: Callable[[str], None]) -> None:
    """Undo what a drill that was killed has left in a stack's cluster; says what was undone.

    Args:
        stack: name, as in Pulumi.NAME.yaml.
        on: command that gives machines their power back; None: none is off.
        say: takes a line for each thing that was undone.

    Raises:
        DrillError: there is no such stack, its cluster is out of reach, or something is left.
    """
    if plane := _lab(stack):
        api = Api.of_file(plane.home.kubeconfig)
        steps = [SimulatedMachines(api, plane).power_all, partial(marked.mend, api)]
    else:
        outputs = _outputs(stack)
        api = Api(outputs["kubeconfig"])
        steps = [
            Hosts(api).clean,
            Switch(api, off=None, on=on).on_again,
            partial(marked.mend, api),
            partial(volumes.mend, Subject.of_stack(api, outputs["namespace"])),
        ]
    left = []
    for step in steps:
        try:
            for line in step() or ():
                say(line)
        except (DrillError, Refused, *UNREACHABLE) as error:
            left.append(str(error))
    if left:
        raise DrillError("not all is clean", " | ".join(left), "see to that and run it again")


def in_lab(
    stack: str, plane: ControlPlane, *, namespace: str, protected: bool = False, **subject: str
) -> Target:
    """A database of a lab: nodes are simulated, and no commit is measured.

    Args:
        stack: name for reports.
        plane: the lab, running.
        namespace: the database's.
        protected: whether the stack file protects the data.
        subject: how the database is found, where it is no stack's.
    """
    api = Api.of_file(plane.home.kubeconfig)
    found = (
        Subject(api, namespace=namespace, **subject)
        if subject
        else Subject.of_stack(api, namespace)
    )
    site = SimulatedMachines(api, plane)
    return Target(
        stack=stack,
        where="lab: real control plane, simulated nodes, commits not measured",
        protected=protected,
        subject=found,
        site=site,
        make_client=lambda observer: Endpoints(
            lambda: observer.latest("endpoints"), lambda: site.down
        ),
        heal=lambda: _heal(plane),
        versions=versions(api, found),
    )


def _heal(plane: ControlPlane) -> tuple[str, ...]:
    """Start what has ended of a lab: a controller that could not renew its lease ends."""
    ended = tuple(name for name, runs in plane.status().components.items() if not runs)
    if ended:
        plane.start()
    return ended


def versions(api: Api, subject: Subject) -> dict[str, str]:
    """Of what is drilled."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True
    )
    found = {
        "commit": commit.stdout.strip() or "unknown",
        "Kubernetes": api.get("/version")["gitVersion"],
    }
    for pod in api.items(f"{subject.path}/pods", labelSelector=subject.pods):
        found["image"] = pod["spec"]["containers"][0]["image"]
    return found


def synch_commit(subject: Subject) -> str:
    """SynchCommit as the database was told, 1 or 0; empty: nobody told it."""
    for secret in subject.api.items(f"{subject.path}/secrets"):
        merge = (secret.get("data") or {}).get("merge.cpf", "")
        if secret["metadata"]["name"].startswith("iris-cpf"):
            for line in base64.b64decode(merge).decode().splitlines():
                if line.startswith("SynchCommit="):
                    return line.partition("=")[2]
    return ""


def _config(stack: str) -> Mapping[str, Any]:
    stacks = stacks_of(REPOSITORY)
    if stack not in stacks:
        known = ", ".join(sorted(stacks))
        raise DrillError(f"--stack {stack}", f"no such stack file; there are {known}", "name one")
    return read_config(REPOSITORY, stack)


def _lab(stack: str) -> ControlPlane | None:
    """The lab, if the stack is for it."""
    cluster = _config(stack).get("ha-iris:cluster")
    if not (isinstance(cluster, dict) and cluster.get("kubeconfig") == KUBECONFIG):
        return None
    home = LabHome.default()
    plane = ControlPlane(home, linked(home))
    if not plane.status().running:
        raise DrillError("the lab", "does not run", "`make up` starts it")
    return plane


def _namespace_in_lab(stack: str, plane: ControlPlane) -> str:
    outputs = Engine(plane.home, plane.toolchain.pulumi, stack).outputs()
    if "namespace" not in outputs:
        raise DrillError(f"stack {stack}", "is not up in the lab", "`make up` brings it up")
    return outputs["namespace"]


def _outputs(stack: str) -> Mapping[str, Any]:
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    except FileNotFoundError:
        raise DrillError("pulumi", "is not on PATH", "install the Pulumi CLI") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise DrillError(f"stack {stack}", f"its outputs cannot be read: {last}", "log in first")
    return json.loads(done.stdout)


def _ledger(outputs: Mapping[str, Any], sql: str | None) -> Ledger:
    host, _, port = (sql or outputs["sqlEndpoint"]).partition(":")
    number = int(port or SUPERSERVER_PORT)
    try:
        socket.create_connection((host, number), timeout=5).close()
    except OSError as error:
        raise DrillError(
            f"{host}:{number}",
            f"this machine does not reach the superserver ({error}), and a port-forward dies with "
            "the pod that is drilled",
            "drill from inside the network, give iris.service type LoadBalancer, or name the way "
            "with --sql HOST:PORT",
        ) from None
    return Ledger(Login(host, number, outputs["username"], outputs["password"]))
