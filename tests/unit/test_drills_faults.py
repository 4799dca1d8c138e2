"""What each fault does to a cluster and undoes after it, asked of an API server that is played."""

import re
from typing import Any

import pytest

from drills import DrillError
from drills.__main__ import main, refuse
from drills.faults import longhorn, machines
from drills.scenarios import SCENARIOS
from tests.unit.drilled_cluster import Played, case, node


def copy(name: str, on: str, **spec: str) -> dict[str, Any]:
    """A copy of the volume."""
    return {
        "metadata": {"name": name, "uid": name},
        "spec": {"nodeID": on, "healthyAt": "now", **spec},
    }


def test_the_last_healthy_copies_are_never_destroyed():
    alone = Played(replicas=[copy("r1", "a"), copy("r2", "b", failedAt="then")])
    with pytest.raises(DrillError, match="the last ones are not destroyed"):
        longhorn.replica_destroyed(case(alone)).__enter__()
    assert not alone.asked

    three = Played(replicas=[copy("r1", "a"), copy("r2", "b"), copy("r3", "c")])
    with longhorn.replica_destroyed(case(three)):
        assert [re.search(r"replicas/(\w+)", line)[1] for line in three.asked] == ["r2"]  # pyright: ignore[reportOptionalSubscript]


def test_a_cluster_of_one_zone_does_not_lose_it():
    api = Played(nodes=[node("a", "z"), node("b", "z")])
    with pytest.raises(DrillError, match="nowhere to come back"):
        machines.zone_lost(case(api, zone="z")).__enter__()


@pytest.mark.parametrize("name", [s.name for s in SCENARIOS.values() if s.danger == "destructive"])
def test_a_destructive_drill_asks_for_the_name_of_the_stack(name: str, capsys):
    assert main([name, "--stack", "prod"]) == 2
    assert "add --confirm prod" in capsys.readouterr().err
    assert main([name, "--stack", "prod", "--confirm", "test"]) == 2


def test_a_destructive_drill_leaves_protected_data_alone():
    lost = SCENARIOS["replica-destroyed"]
    with pytest.raises(DrillError, match="the stack protects its data"):
        refuse(lost, simulated=False, protected=True, on_protected=False)
    refuse(lost, simulated=False, protected=True, on_protected=True)
    refuse(SCENARIOS["pod-deleted"], simulated=False, protected=True, on_protected=False)


def test_what_simulated_nodes_do_not_show_is_not_drilled_there():
    with pytest.raises(DrillError, match="simulated nodes show nothing"):
        refuse(SCENARIOS["iris-killed"], simulated=True, protected=False, on_protected=False)


def test_every_scenario_is_listed_with_its_danger(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out

    for scenario in SCENARIOS.values():
        assert re.search(rf"^{scenario.name} +{scenario.danger}", listed, re.MULTILINE)


def test_a_limit_in_which_nothing_can_be_steady_is_refused(capsys):
    assert main(["pod-deleted", "--limit", "10s"]) == 2
    assert "no run is steady so soon" in capsys.readouterr().err
