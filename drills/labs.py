"""The labs that a comparison runs in: the article's manifest, our stack, our stack with fencing."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from drills import DrillError
from drills.targets import Target, in_lab
from lab import REPOSITORY
from lab.cluster import Timings
from lab.cluster.control_plane import ControlPlane
from lab.engine import Engine
from lab.fencing import SWITCH, Agents
from lab.home import LabHome
from lab.plugins.provide import provide
from lab.toolchain import Toolchain

DELAYS = Timings(attach=10, detach=1, database_start=15, database_stop=6, kubelet_status=10)
"""Assumed, and the same for all: no measurement of Longhorn or IRIS on real machines."""
OFF_SECONDS = 20
"""Assumed as well: how long a cloud takes to switch a machine off and to say so."""
STAND_IN = (
    "persistence.createStorageClass=false",
    "persistence.defaultClass=false",
    "networkPolicies.restrictInternalTraffic=false",
)
"""What the stand-in of Longhorn's chart takes; all else is as Longhorn's defaults have it."""
ARTICLE = Path(__file__).with_name("article.yaml")

Lab = Callable[[Toolchain, Timings, Mapping[str, Any]], AbstractContextManager[Target]]


@contextmanager
def _plane(toolchain: Toolchain, delays: Timings) -> Iterator[ControlPlane]:
    with tempfile.TemporaryDirectory(prefix="ha-iris-drill-") as folder:
        plane = ControlPlane(LabHome(Path(folder) / "lab"), toolchain, timings=delays)
        try:
            plane.start()
            yield plane
        finally:
            plane.stop(delete=True)


@contextmanager
def article(toolchain: Toolchain, delays: Timings, iris: Mapping[str, Any]) -> Iterator[Target]:
    """The article's manifest, and Longhorn with its own defaults; our settings are not for it."""
    with _plane(toolchain, delays) as plane:
        chart = REPOSITORY / "lab" / "charts" / "longhorn"
        helm = [str(toolchain.bin / "helm"), "--kubeconfig", str(plane.home.kubeconfig)]
        # The stand-in takes no chart's own StorageClass: the article's is in its manifest here.
        for value in STAND_IN:
            helm += ["--set", value]
        place = ["--namespace", "longhorn-system", "--create-namespace", "--wait"]
        done = subprocess.run(
            [*helm, "install", "longhorn", str(chart), *place], capture_output=True, text=True
        )
        if done.returncode:
            raise DrillError("helm install longhorn", done.stderr.strip(), "see lab/charts")
        plane.kubectl("apply", "-f", str(ARTICLE))
        plane.kubectl("wait", "--for=condition=Available", "deployment/iris", "--timeout=180s")
        yield in_lab("article", plane, namespace="default", pods="app=iris", service="iris-svc")


@contextmanager
def ours(toolchain: Toolchain, delays: Timings, iris: Mapping[str, Any]) -> Iterator[Target]:
    """The development stack."""
    with _plane(toolchain, delays) as plane:
        namespace = _up(plane, toolchain, {"ha-iris:iris": iris} if iris else {})
        yield in_lab("ours", plane, namespace=namespace)


@contextmanager
def fenced(toolchain: Toolchain, delays: Timings, iris: Mapping[str, Any]) -> Iterator[Target]:
    """The same with fencing: its agents' own program, and a switch that takes its time."""
    with _plane(toolchain, delays) as plane, tempfile.TemporaryDirectory() as folder:
        switch = Path(folder) / "switch"
        switch.write_text(SWITCH)
        fencing = {
            "enabled": True,
            # An hour has more drills than a cluster has crashes.
            "stormLimit": 20,
            "command": {"program": str(switch)},
        }
        chosen = {"ha-iris:iris": iris} if iris else {}
        namespace = _up(plane, toolchain, {"ha-iris:fencing": fencing, **chosen})
        agents = Agents(plane, Path(folder), off_seconds=OFF_SECONDS)
        agents.install()
        with agents.as_deployed():
            yield in_lab("fenced", plane, namespace=namespace)


LABS: dict[str, Lab] = {"article": article, "ours": ours, "fenced": fenced}
"""By the names of the columns, in their order."""


def _up(plane: ControlPlane, toolchain: Toolchain, settings: Mapping[str, Any]) -> str:
    """Bring the development stack up; gives the database's namespace."""
    provide(plane.home, toolchain, print)
    cluster = {"ha-iris:cluster": {"kubeconfig": str(plane.home.kubeconfig)}}
    with (plane.home.root / "up.log").open("w") as log:
        engine = Engine(
            plane.home,
            toolchain.pulumi,
            "dev",
            tools=toolchain.bin,
            settings={**cluster, **settings},
            output=log,
        )
        engine.run("up")
    return engine.outputs()["namespace"]
