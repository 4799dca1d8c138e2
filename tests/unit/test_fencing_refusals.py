"""A fence whose machine nobody switches: the cloud refuses, fails or knows it by no such name."""

from tests.unit.fencing_world import World


def test_a_node_that_comes_back_before_it_was_told_to_go_off_is_left_alone():
    world = World()
    world.power.fails = "off"

    world.crash("a")
    world.until(lambda: world.phase("a") == "asked")
    world.power_on("a")
    world.until(lambda: world.phase("a") is None)

    assert world.pods() == ["a"]
    assert world.events()[-1].startswith("FenceGivenUp")
    # The attempt that failed may have told others to look away.
    assert world.power.calls[-1] == "done a"


def test_a_cloud_that_does_not_answer_frees_nothing_until_it_does():
    world = World()
    world.power.fails = "all"

    world.crash("a")
    world.run(300)
    assert world.freed is None
    assert world.taints("a") == []
    world.power.fails = None
    world.until(lambda: world.freed)

    assert not world.two_writers


def test_a_machine_that_does_not_go_off_frees_nothing_and_is_told_again():
    world = World()
    world.power.seconds = 1e9

    world.machines["a"].connected = False
    world.run(200)

    assert world.freed is None
    assert world.taints("a") == []
    assert world.power.calls.count("off a") > 3
    assert any(event.startswith("FenceSlow") for event in world.events())


def test_a_power_off_that_was_taken_and_came_to_nothing_is_asked_for_anew():
    world = World()
    world.power.spoils_next = True

    world.crash("a")
    world.until(lambda: world.freed, seconds=60)

    assert world.power.calls.count("off a") == 2
    assert not world.two_writers
    assert any(event.startswith("FenceFailed: accepted: SwitchFailed") for event in world.events())


def test_a_node_that_comes_back_after_its_power_off_came_to_nothing_is_left_alone():
    world = World()
    world.power.spoils_next = True
    world.crash("a")
    world.until(lambda: world.phase("a") == "accepted")

    world.power_on("a")
    world.until(lambda: world.phase("a") is None)

    assert world.power.calls.count("off a") == 1
    assert world.pods() == ["a"]
    assert world.events()[-1].startswith("FenceGivenUp")


def test_a_machine_that_is_not_the_nodes_is_refused():
    world = World()
    world.power.wrong = {"a"}

    world.crash("a")
    world.run(200)

    assert world.freed is None
    assert set(world.power.calls) == {"identify a"}
    assert world.phase("a") is None
    assert world.events()[-1].startswith("FenceRefused: not the node's machine")


def test_a_machine_that_cannot_be_started_stays_out_of_service_and_is_tried_again():
    world = World()
    world.power.fails = "on"
    world.crash("a")
    world.until(lambda: world.freed)
    world.run(300)

    assert world.phase("a") == "released"
    assert world.taints("a") == ["out-of-service"]
    world.power.fails = None
    world.until(lambda: world.phase("a") is None)
