"""When the fencing agent leaves a silent node alone, on a clock of its own."""

import socket
from dataclasses import replace

import pytest

from components.fencing.program.world import answers
from tests.unit.fencing_world import CONFIG_MAPS, SETTINGS, World


def test_a_machine_whose_kernel_alone_lives_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert not answers("127.0.0.1", port=mute.getsockname()[1], seconds=0.2)
    assert not answers("127.0.0.1", port=1, seconds=0.2)


def test_a_node_whose_kubelet_answers_waits_for_kubernetes_own_word():
    world = World()
    world.answering.add("a")

    world.machines["a"].connected = False
    world.run(38)
    assert world.power.calls == []
    world.until(lambda: world.freed)

    assert "FenceHeld: its kubelet answers; waiting for Kubernetes' own word" in world.events()
    assert not world.two_writers


def test_a_link_that_flaps_faster_than_the_limit_is_left_alone():
    world = World()

    for _ in range(20):
        world.machines["a"].connected = False
        world.run(12)
        world.machines["a"].connected = True
        world.run(11)

    assert world.power.calls == []


def test_an_agent_never_judges_the_node_that_it_runs_on():
    world = World(agents="ab")
    for one in world.agents:
        one.leader.give_up()
    world.agents[1].alive = False
    world.until(lambda: world.leads() == ["a"])

    # Its kubelet is dead; the agent beside it goes on.
    world.machines["a"].connected = True
    lease = world.machines["a"]
    lease.on = True
    world.api.put(
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a",
        {"metadata": {"name": "a"}, "spec": {"renewTime": "1"}},
    )
    world._machines = lambda: None
    world.run(60)

    assert world.leads() == []
    assert world.power.calls == []


def test_all_nodes_gone_at_once_are_the_control_planes_doubt_and_none_is_fenced():
    world = World()

    world.api_away = True
    world.run(300)
    world.api_away = False
    world.run(300)

    assert world.power.calls == []


@pytest.mark.parametrize("connected", [True, False])
def test_two_of_three_nodes_gone_are_below_the_quorum(connected):
    world = World(agents="cb")

    for name in "ab":
        if connected:
            world.crash(name)
        else:
            world.machines[name].connected = False
    world.run(300)

    assert world.power.calls == []
    assert any("1 of 3 nodes are healthy" in event for event in world.events())


def test_a_lost_zone_of_six_nodes_is_fenced_once_kubernetes_says_so_too():
    world = World(nodes="abcdef", agents="cd")

    world.crash("a")
    world.crash("b")
    world.run(40)
    assert world.power.calls == []
    world.until(lambda: world.freed)

    assert not world.two_writers


def test_two_databases_nodes_are_fenced_one_after_the_other():
    world = World(nodes="abcdef", agents="cd")
    world._place("b")
    world.power.seconds = 20

    world.crash("a")
    world.crash("b")
    world.until(lambda: world.phase("a") == "accepted" or world.phase("b") == "accepted")
    world.run(10)

    assert sorted([str(world.phase("a")), str(world.phase("b"))]) == ["None", "accepted"]
    world.until(lambda: not {"a", "b"} & set(world.pods()))


def test_a_storm_of_fences_ends_at_its_limit():
    world = World()

    for _ in range(5):
        world._place("a")
        world.crash("a")
        world.run(60)
        if world.machines["a"].asked_off is None and not world.machines["a"].on:
            world.power_on("a")
        world.run(200)

    assert world.power.calls.count("off a") == SETTINGS.storm_limit
    assert any("3 fences within 3600 s are enough" in event for event in world.events())


def test_a_pause_holds_every_new_fence_and_says_why():
    world = World()
    path = f"{CONFIG_MAPS}/ha-iris-fencing-pause"
    world.api.put(path, {"metadata": {"name": "p"}, "data": {"reason": "network work"}})

    world.crash("a")
    world.run(200)
    assert world.power.calls == []
    assert "FenceHeld: fencing is paused: network work" in world.events()
    del world.api.objects[path]
    world.until(lambda: world.freed)


def test_a_node_under_maintenance_is_left_alone():
    world = World()
    world.annotate("a", "fencing.ha-iris/maintenance", "new disk")

    world.crash("a")
    world.run(200)

    assert world.power.calls == []
    assert "FenceHeld: the node is under maintenance: new disk" in world.events()


def test_a_dry_run_says_what_it_would_do_and_does_nothing():
    world = World(settings=replace(SETTINGS, dry_run=True))

    world.crash("a")
    world.run(200)

    assert world.power.calls == []
    assert world.phase("a") is None
    assert [event.partition(";")[0] for event in world.events()] == [
        "WouldFence: dry run: nothing is done"
    ]


def test_a_silent_node_without_a_database_is_left_to_kubernetes():
    world = World()

    world.crash("b")
    world.run(300)

    assert world.power.calls == []


def test_one_agent_alone_leads_at_any_moment():
    world = World()

    for _ in range(200):
        world.run(1)
        assert len(world.leads()) <= 1
    assert len(world.leads()) == 1
