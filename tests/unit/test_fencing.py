"""A fence through bad days, on a clock of its own."""

import pytest

from components.fencing.program.settings import HISTORY, RECORD
from tests.unit.fencing_world import VOLUMES, World


def test_a_crashed_node_is_proved_off_and_its_database_free_within_45_seconds():
    world = World()

    world.crash("a")
    seconds = world.until(lambda: world.freed)

    assert seconds <= 45
    assert world.power.calls == ["identify a", "off a", *["state a"] * 3]
    assert world.taints("a") == ["out-of-service"]
    assert not world.two_writers


def test_a_fenced_node_starts_again_and_is_whole_before_iris_prefers_it_again():
    world = World()
    volume = world.api.objects[f"{VOLUMES}/data"]
    world.crash("a")
    world.until(lambda: world.freed)
    volume["status"] = {"state": "attached", "robustness": "degraded"}

    world.until(lambda: world.phase("a") == "rebuilding")
    assert world.machines["a"].on
    assert world.taints("a") == ["rebuilding"]
    world.run(900)
    assert world.phase("a") == "rebuilding"
    volume["status"]["robustness"] = "healthy"
    world.until(lambda: world.phase("a") is None)

    assert world.taints("a") == []
    assert world.power.calls[-1] == "done a"
    reasons = [event.split(":")[0] for event in world.events()]
    assert reasons == ["FenceBegins", "Fenced", "DatabaseReleased", "NodeBack", "FenceEnds"]


def test_a_longhorn_that_is_ill_holds_no_fence_up_and_ends_none():
    world = World()
    world.api.longhorn_away = True

    world.crash("a")
    assert world.until(lambda: world.freed) <= 45
    world.run(600)
    assert world.phase("a") == "rebuilding"
    world.api.longhorn_away = False
    world.until(lambda: world.phase("a") is None)


def test_a_node_that_is_cut_off_is_off_before_its_database_starts_elsewhere():
    world = World()

    world.machines["a"].connected = False
    world.until(lambda: world.freed)

    assert world.power.calls.count("off a") == 1
    assert not world.two_writers


def test_a_node_that_comes_back_after_it_was_told_is_fenced_to_the_end():
    world = World()
    world.power.seconds = 40

    world.machines["a"].connected = False
    world.until(lambda: world.phase("a") == "accepted")
    world.machines["a"].connected = True
    world.until(lambda: world.freed)

    assert not world.two_writers


@pytest.mark.parametrize("phase", ["asked", "accepted", "off", "released", "starting"])
def test_an_agent_killed_in_mid_fence_leaves_it_to_the_other(phase):
    world = World()
    if phase == "asked":
        world.power.fails = "off"
    world.api.undeletable = phase == "off"
    world.crash("a")
    world.until(lambda: world.phase("a") == phase)
    (leading,) = [one for one in world.agents if one.leader.held()]

    leading.alive = False
    world.power.fails, world.api.undeletable = None, False
    world.until(lambda: world.phase("a") is None)

    assert not world.two_writers
    assert world.freed
    assert world.leads() != [leading.node]


def test_both_agents_killed_in_mid_fence_leave_it_to_a_new_one():
    world = World()
    world.power.seconds = 60
    world.crash("a")
    world.until(lambda: world.phase("a") == "accepted")

    for one in world.agents:
        one.alive = False
    world.new_agent("c")
    world.until(lambda: world.phase("a") is None)

    assert world.freed
    assert not world.two_writers


@pytest.mark.parametrize("agents", ["ab", "ba"])
def test_an_agent_on_the_failed_node_is_followed_by_the_other(agents):
    world = World(agents=agents)

    world.crash("a")
    seconds = world.until(lambda: world.freed)

    assert seconds <= 45
    assert not world.two_writers


def test_what_others_tainted_stays():
    world = World()
    world.node("a")["spec"]["taints"] = [{"key": "team/gpu", "effect": "NoSchedule"}]

    world.crash("a")
    world.until(lambda: world.freed)
    assert world.taints("a") == ["gpu", "out-of-service"]
    world.until(lambda: world.phase("a") is None)

    assert world.taints("a") == ["gpu"]


def test_a_machine_that_stays_away_is_started_again_and_again_and_stays_out_of_service():
    world = World()
    world.power_on = lambda node: None

    world.crash("a")
    world.until(lambda: world.freed)
    world.run(300)

    assert world.power.calls.count("on a") > 3
    assert world.taints("a") == ["out-of-service"]
    assert any(event.startswith("NodeStaysAway") for event in world.events())


def test_a_machine_that_boots_by_itself_before_any_agent_sees_it_off_keeps_its_database():
    world = World()
    world.power.boots = 20
    world.machines["a"].connected = False
    world.until(lambda: world.phase("a") == "accepted")
    for one in world.agents:
        one.alive = False
    world.run(40)
    assert world.machines["a"].on

    world.new_agent("c")
    world.until(lambda: world.phase("a") is None)

    assert world.taints("a") == []
    assert world.pods() == ["a"]
    assert not world.two_writers
    assert world.events()[-1].startswith("FenceEnds: its machine was off and is on again")


def test_a_machine_that_is_reset_is_released_before_it_boots():
    world = World()
    world.power.boots = 30

    world.crash("a")
    world.until(lambda: world.freed)

    assert not world.machines["a"].was_reset
    world.until(lambda: world.phase("a") is None)
    assert world.taints("a") == []


def test_a_node_that_dies_again_while_its_copies_are_rebuilt_is_fenced_again():
    world = World()
    volume = world.api.objects[f"{VOLUMES}/data"]
    world.crash("a")
    world.until(lambda: world.freed)
    volume["status"] = {"state": "attached", "robustness": "degraded"}
    world.until(lambda: world.phase("a") == "rebuilding")
    world._place("a")
    world.run(20)

    world.crash("a")
    world.until(lambda: "a" not in world.pods(), seconds=60)

    assert world.power.calls.count("off a") == 2
    assert world.taints("a") == ["rebuilding", "out-of-service"]
    volume["status"]["robustness"] = "healthy"
    world.until(lambda: world.phase("a") is None)
    assert world.taints("a") == []


def test_a_new_agent_takes_a_dead_node_for_no_living_one():
    world = World()
    world.power.fails = "off"
    world.crash("a")
    world.until(lambda: world.phase("a") == "asked")
    for one in world.agents:
        one.alive = False

    world.power.fails = None
    world.new_agent("c")
    world.until(lambda: world.freed, seconds=60)

    assert not any(event.startswith("FenceGivenUp") for event in world.events())


def test_a_node_whose_machine_nobody_knows_holds_up_no_other():
    world = World(nodes="abcdef", agents="cd")
    world._place("b")
    world.power.wrong = {"a"}

    world.crash("a")
    world.run(3)
    world.crash("b")
    world.until(lambda: "b" not in world.pods())

    assert "off a" not in world.power.calls
    assert world.phase("a") is None


@pytest.mark.parametrize("text", ["{", "[]", '{"phase": "asked"}', '{"later": 1}'])
def test_what_nobody_can_read_on_a_node_stops_no_agent(text):
    world = World()
    world.annotate("a", RECORD, text)
    world.annotate("b", HISTORY, text)

    world.crash("a")

    assert world.until(lambda: world.freed) <= 45
