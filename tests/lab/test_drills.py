"""Drills on the lab's cluster: its control plane is real, its nodes are simulated."""

from itertools import pairwise

import pytest

from drills import run as runs
from drills import targets, times
from drills.attempts import Attempt
from drills.run import Run
from drills.scenarios import SCENARIOS
from drills.targets import Target
from lab.cluster.control_plane import ControlPlane
from tests.lab.stack import Stack


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short look before and after, as it is the drill that is tested and not the cluster."""
    monkeypatch.setattr(runs, "BASELINE_SECONDS", 1)
    monkeypatch.setattr(times, "STEADY_SECONDS", 2)


@pytest.fixture
def target(stack: Stack, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The development stack's database, found as the command line finds it."""
    monkeypatch.setattr(targets.LabHome, "default", lambda: control_plane.home)
    monkeypatch.setattr(targets, "linked", lambda home: control_plane.toolchain)
    return targets.of_stack("dev", sql=None, host_image="", off=None, on=None)


def drill(name: str, target: Target) -> Run:
    """One run of a scenario."""
    return runs.run(
        SCENARIOS[name],
        target.subject,
        target.site,
        client=target.make_client,
        rows=None,
        limit=240,
        say=print,
        heal=target.heal,
    )


def outages(attempts: list[Attempt]) -> int:
    """How often what had been served was served no longer."""
    return sum(1 for one, other in pairwise(attempts) if one.good and not other.good)


def test_a_deleted_pod_is_back_and_every_phase_is_told(target: Target):
    done = drill("pod-deleted", target)

    assert done.verdict is None
    assert done.ended == ()
    assert done.recovery.first is not None
    assert outages(done.attempts) == 1
    assert {"noticed", "evicted", "started", "ready", "routed"} <= done.phases.keys()
    order = [done.phases[name] for name in ("evicted", "started", "ready", "routed")]
    assert order == sorted(order)
    assert done.recovery.first == pytest.approx(done.phases["routed"], abs=1)


# Mostly waiting: Kubernetes notices after 40 to 54 s and detaches when it next looks, which may
# take another minute, or two when it has attached the volume to the dead node again.
@pytest.mark.timeout(600, func_only=True)
def test_a_database_whose_node_loses_its_power_is_back_on_another_one(target: Target):
    done = drill("power-cut", target)

    assert done.recovery.first is not None
    assert done.back_on != done.node
    # The lease has run out after 40 to 54 s, and ten more are tolerated.
    assert 35 < done.phases["noticed"] < 60
    assert done.phases["evicted"] - done.phases["noticed"] == pytest.approx(10, abs=3)
    assert done.phases["attached"] > done.phases["detached"] > done.phases["evicted"]
    assert not target.site.down


def test_an_api_server_that_is_away_costs_clients_nothing(
    target: Target, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runs, "QUIET_SECONDS", 10)
    monkeypatch.setattr("drills.faults.machines.AWAY_SECONDS", 4)

    done = drill("control-plane-away", target)

    assert outages(done.attempts) == 0
    assert done.back_on == done.node
