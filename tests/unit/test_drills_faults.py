"""What each fault does to a cluster and undoes after it, asked of an API server that is played."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from drills import DrillError
from drills.__main__ import main, refuse
from drills.api import Refused
from drills.faults import Case, database, longhorn, machines
from drills.hosts import host_pod, partition
from drills.scenarios import SCENARIOS
from drills.sites import Machines
from drills.subject import Place, Subject


class Played:
    """An API server that writes down what is asked, and answers what it is told to."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[str] = []
        self.ran: list[str] = []
        self._gone: set[str] = set()
        self._answers = {"nodes": [node("a"), node("b"), node("c")], **answers}

    def items(self, path: str, **options: str) -> list[dict[str, Any]]:
        """The objects of this kind."""
        return self._answers.get(path.rpartition("/")[2], [])

    def get(self, path: str) -> dict[str, Any]:
        """One object."""
        if path in self._gone:
            raise Refused(404, "gone")
        return self._answers.get(path, {"metadata": {}, "spec": {}})

    def gone(self, path: str) -> None:
        """From now on there is no such object."""
        self._gone.add(path)

    def request(self, method: str, path: str, body: Any = None, **_: Any) -> dict[str, Any]:
        """Written down."""
        self.asked.append(f"{method} {path} {body}")
        return {}

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
        """Written down."""
        self.ran.append(command[-1])
        return ""


class Site:
    """Machines that write down what is done to them."""

    simulated = False

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.done: list[str] = []

    @contextmanager
    def power_off(self, nodes: Sequence[str]) -> Iterator[None]:
        """Written down."""
        self.done.append(f"off {','.join(nodes)}")
        yield
        self.done.append(f"on {','.join(nodes)}")

    @contextmanager
    def crash(self, nodes: Sequence[str], seconds: int) -> Iterator[None]:
        """Written down."""
        self.done.append(f"crash {','.join(nodes)}")
        yield


def node(name: str, zone: str = "") -> dict[str, Any]:
    """A node of a zone."""
    return {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone or name}}}


def case(api: Any, site: Any = None, *, zone: str = "a") -> Case:
    """A run against the database on node a."""
    place = Place("iris-1", "u1", "a", zone, ("pvc-1",))
    played: Any = site or Site()
    return Case(Subject(api), played, place, hold=300)


def copy(name: str, on: str, **spec: str) -> dict[str, Any]:
    """A copy of the volume."""
    return {"metadata": {"name": name}, "spec": {"nodeID": on, "healthyAt": "now", **spec}}


def test_a_drained_node_takes_pods_again_even_when_the_drill_is_interrupted():
    api = Played()
    with pytest.raises(KeyboardInterrupt), machines.node_drained(case(api)):
        raise KeyboardInterrupt

    cordon, evict, uncordon = api.asked
    assert "'unschedulable': True" in cordon
    assert "pods/iris-1/eviction" in evict
    assert "'unschedulable': None" in uncordon
    assert "'drills.ha-iris/cordoned': None" in uncordon


def test_a_statefulset_is_stopped_whole_and_has_all_its_instances_again():
    path = "/apis/apps/v1/namespaces/iris/statefulsets/iris"
    answers = {path: {"spec": {"replicas": 2}}, "statefulsets": [{"metadata": {"name": "iris"}}]}
    api = Played(**answers)
    drilled = replace(case(api), subject=Subject.of_stack(api, "iris"))  # pyright: ignore[reportArgumentType]
    api.gone(drilled.pod)

    with database.clean_stop(drilled):
        pass

    assert api.asked == [
        f"PATCH {path}/scale {{'spec': {{'replicas': {number}}}}}" for number in (0, 2)
    ]
    assert (drilled.subject.service, drilled.subject.pods[-6:]) == ("iris-0", "iris-0")


def test_what_a_killed_drill_has_cordoned_is_found_by_its_annotation():
    cordoned = node("b")
    cordoned["metadata"]["annotations"] = {machines.DRILLED: "true"}
    api = Played(nodes=[node("a"), cordoned])

    assert machines.uncordon_drilled(api) == ["b"]  # pyright: ignore[reportArgumentType]
    assert len(api.asked) == 1


def test_the_last_healthy_copies_are_never_destroyed():
    alone = Played(replicas=[copy("r1", "a"), copy("r2", "b", failedAt="then")])
    with pytest.raises(DrillError, match="the last ones are not destroyed"):
        longhorn.replica_destroyed(case(alone)).__enter__()
    assert not alone.asked

    three = Played(replicas=[copy("r1", "a"), copy("r2", "b"), copy("r3", "c")])
    with longhorn.replica_destroyed(case(three)):
        assert [re.search(r"replicas/(\w+)", line)[1] for line in three.asked] == ["r2"]  # pyright: ignore[reportOptionalSubscript]


def test_a_volume_that_was_filled_is_emptied_again():
    api = Played()
    with pytest.raises(KeyboardInterrupt), database.volume_full(case(api)):
        raise KeyboardInterrupt

    assert api.ran[-1].startswith("rm -f /dur/")


def test_a_cluster_of_one_zone_does_not_lose_it():
    api = Played(nodes=[node("a", "z"), node("b", "z")])
    with pytest.raises(DrillError, match="nowhere to come back"):
        machines.zone_lost(case(api, zone="z")).__enter__()


def test_a_fencing_agent_that_was_scaled_away_comes_back():
    agent = {"metadata": {"name": "f", "namespace": "fencing"}, "spec": {"replicas": 2}}
    api, site = Played(deployments=[agent]), Site()
    with machines.fencing_agent_dead(case(api, site)):
        assert "'replicas': 0" in api.asked[-1]
        assert site.done == ["crash a"]
    assert "'replicas': 2" in api.asked[-1]

    with pytest.raises(DrillError, match="no Deployment has the label"):
        machines.fencing_agent_dead(case(Played())).__enter__()


def test_without_a_switch_no_power_is_cut():
    machines = Machines(Played(), None, off=None, on=None)  # pyright: ignore[reportArgumentType]

    with pytest.raises(DrillError, match="--power-off and --power-on"):
        machines.power_off(["a"]).__enter__()


def test_power_comes_back_when_the_drill_is_interrupted(tmp_path):
    log = tmp_path / "log"
    api = Played(**{"/api/v1/nodes/a": {"spec": {"providerID": "aws:///z/i-1"}}})
    switch = f"sh -c 'echo $0 $1 >> {log}'"
    machines = Machines(
        api,  # pyright: ignore[reportArgumentType]
        None,  # pyright: ignore[reportArgumentType]
        off=f"{switch} off {{node}}",
        on=f"{switch} on {{id}}",
    )
    with pytest.raises(KeyboardInterrupt), machines.power_off(["a"]):
        raise KeyboardInterrupt

    assert log.read_text().split("\n")[:2] == ["off a", "on aws:///z/i-1"]
    assert not machines.down


def test_a_partition_ends_by_itself_and_leaves_no_rule():
    script = partition(["10.0.0.1", "fd00::1"], 300)

    assert "10.0.0.1" in script
    assert "fd00" not in script, "iptables takes no IPv6"
    assert script.index("trap heal EXIT") < script.index("iptables -w -N")
    assert "sleep 300" in script


def test_a_script_is_handed_to_the_machines_own_systemd():
    pod = host_pod("a", "partition", "echo hello", "busybox")

    assert pod["spec"]["nodeName"] == "a"
    command = pod["spec"]["containers"][0]["command"]
    assert command[command.index("--") + 1] == "systemd-run"
    assert command[-1] == "echo hello"


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
