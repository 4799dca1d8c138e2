"""What the fencing agent tells Prometheus."""

from components.fencing.program.tell import HELP
from tests.unit.fencing_world import World
from tests.unit.known_metrics import FENCING


def test_figures_tell_who_leads_what_is_silent_and_what_is_held():
    world = World()
    world.annotate("a", "fencing.ha-iris/maintenance", "")
    world.crash("a")
    world.run(60)
    (leading,) = [one for one in world.agents if one.leader.held()]

    text = leading.agent.told.text()

    assert "ha_iris_fencing_leader 1.0" in text
    assert "ha_iris_fencing_silent_nodes 1.0" in text
    assert 'ha_iris_fencing_held{rule="maintenance"} 1.0' in text


def figures(world, name):
    """A figure of the agent that leads, value by labels."""
    (leading,) = [one for one in world.agents if one.alive and one.leader.held()]
    return leading.agent.told.figures[name]


def test_figures_tell_of_a_fence_from_its_first_failure_to_its_end():
    world = World()
    world.power.fails = "identify"
    world.crash("a")
    world.run(60)
    assert figures(world, "failing") == {'node="a"': 1.0}

    world.power.fails = None
    world.until(lambda: world.phase("a") == "starting")
    world.run(3)
    assert figures(world, "failing") == {}
    assert figures(world, "fence_phase") == {'node="a",phase="starting"': 1.0}
    assert figures(world, "out_of_service") == {'node="a"': 1.0}
    world.until(lambda: world.phase("a") is None)
    world.run(3)
    assert figures(world, "out_of_service") == figures(world, "fence_phase") == {}
    assert 1000 < figures(world, "fenced_timestamp_seconds")['node="a"'] < world.now


def test_an_agent_that_sees_nothing_says_so_and_does_not_say_that_it_leads():
    world = World()
    looked = figures(world, "last_look_timestamp_seconds")

    world.api_away = True
    world.run(60)

    for one in world.agents:
        assert one.agent.told.figures["leader"] == {"": 0.0}
        assert one.agent.told.figures["last_look_timestamp_seconds"][""] <= looked[""] + 2


def test_every_figure_that_an_alert_uses_is_one_of_the_agents():
    names = {f"ha_iris_fencing_{name}" for name in HELP}

    assert names >= FENCING
    world = World()
    world.run(4)
    for one in world.agents:
        assert {
            line.split()[2] for line in one.agent.told.text().splitlines() if "HELP" in line
        } == names
