"""What a drill has done is undone, interrupted or not, and whatever stands in the way of some."""

import subprocess
import sys
from itertools import count
from typing import Any

import pytest

from drills import DrillError, targets, undo
from drills.__main__ import main
from drills.api import Refused
from drills.faults import database, machines, marked
from drills.sites import SimulatedMachines
from drills.subject import Subject
from drills.switch import OFF
from drills.undo import undo as undone
from tests.unit.drilled_cluster import Played, Site, case, node, without_waits

DEPLOYMENT = "/apis/apps/v1/namespaces/iris/deployments/iris"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    without_waits(monkeypatch)


def test_one_that_cannot_be_undone_leaves_none_of_the_others():
    done: list[str] = []

    def fails() -> None:
        raise DrillError("b", "is stopping", "wait")

    steps = {"a": lambda: done.append("a"), "b": fails, "c": lambda: done.append("c")}
    with pytest.raises(DrillError, match="not undone: b: b: b: is stopping; wait; do it by hand"):
        undone(steps, "do it by hand")
    assert done == ["a", "c"]


def test_what_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(undo, "UNDO_SECONDS", 10)
    tries = count(1)

    def late() -> None:
        if next(tries) < 3:
            raise Refused(503, "away")

    undone({"it": late}, "")
    assert next(tries) == 4


def test_whoever_interrupts_the_undoing_is_told_what_is_left():
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(DrillError, match="not undone: a, b: interrupted while it was undone"):
        undone({"a": interrupted, "b": interrupted}, "")


def test_a_lab_node_that_gets_no_power_leaves_the_others_on():
    class Refuses(Played):
        def request(self, method: str, path: str, body: Any = None, **_: Any) -> dict[str, Any]:
            done = super().request(method, path, body)
            if path.endswith("/a") and "'on'" in str(body):
                raise Refused(500, "no")
            return done

    api = Refuses()
    lab = SimulatedMachines(api, None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DrillError, match="not undone: power of a"), lab.power_off(["a", "b"]):
        assert lab.down == {"a", "b"}
    assert any("/b" in line and "'on'" in line for line in api.asked)


def test_a_drained_node_takes_pods_again_even_when_the_drill_is_interrupted():
    api = Played()
    with pytest.raises(KeyboardInterrupt), machines.node_drained(case(api)):
        raise KeyboardInterrupt

    cordon, evict, uncordon = api.asked
    assert "'unschedulable': True" in cordon
    assert "pods/iris-1/eviction" in evict
    assert "'unschedulable': None" in uncordon
    assert "'drills.ha-iris/cordoned': None" in uncordon


def test_a_node_that_a_person_had_cordoned_stays_so():
    theirs, left = node("b"), node("c", **{marked.CORDONED: "true"})
    theirs["spec"]["unschedulable"] = left["spec"]["unschedulable"] = True
    api: Any = Played(**{"/api/v1/nodes/b": theirs, "/api/v1/nodes/c": left})

    with marked.cordoned(api, "b"):
        pass
    assert not api.asked

    with marked.cordoned(api, "c"):
        pass
    assert "'unschedulable': None" in api.asked[-1], "that was a drill that was killed"


def test_nodes_that_are_restarted_keep_the_cordons_of_others(monkeypatch: pytest.MonkeyPatch):
    theirs = node("b")
    theirs["spec"]["unschedulable"] = True
    api = Played(**{"/api/v1/nodes/b": theirs})
    drilled = case(api, Site())
    monkeypatch.setattr(Subject, "settle", lambda _: None)
    monkeypatch.setattr(Subject, "place", lambda _: drilled.place)
    monkeypatch.setattr(Site, "restart", lambda *_: None, raising=False)

    with machines.nodes_restarted(drilled):
        pass
    patched = [line.split()[1] for line in api.asked if "unschedulable" in line]
    assert patched == [f"/api/v1/nodes/{name}" for name in "aacc"]


def test_an_eviction_that_a_budget_forbids_is_asked_for_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("drills.faults.time.sleep", lambda _: None)
    forbids = count()

    class Budget(Played):
        def request(self, method: str, path: str, body: Any = None, **_: Any) -> dict[str, Any]:
            if path.endswith("eviction") and next(forbids) < 2:
                raise Refused(429, "budget")
            return super().request(method, path, body)

    with machines.node_drained(case(Budget())):
        assert next(forbids) == 3


def test_a_statefulset_is_stopped_whole_and_has_all_its_instances_again():
    path = "/apis/apps/v1/namespaces/iris/statefulsets/iris"
    answers = {
        path: {"metadata": {}, "spec": {"replicas": 2}},
        "statefulsets": [{"metadata": {"name": "iris"}}],
    }
    api: Any = Played(**answers)
    drilled = case(api)
    subject = Subject.of_stack(api, "iris")
    api.gone(drilled.pod)

    with database.clean_stop(machines.replace(drilled, subject=subject)):
        pass

    away, back = api.asked
    assert f"PATCH {path} " in away
    assert "'drills.ha-iris/replicas': '2'" in away
    assert "{'replicas': 0}" in away
    assert "'drills.ha-iris/replicas': None" in back
    assert "{'replicas': 2}" in back
    assert (subject.service, subject.pods[-6:]) == ("iris-0", "iris-0")


def test_a_fencing_agent_that_was_scaled_away_comes_back():
    agent = {"metadata": {"name": "f", "namespace": "fencing"}, "spec": {"replicas": 2}}
    path = "/apis/apps/v1/namespaces/fencing/deployments/f"
    api, site = Played(deployments=[agent], **{path: agent}), Site()
    with machines.fencing_agent_dead(case(api, site)):
        assert "'replicas': 0" in api.asked[-1]
        assert site.done == ["crash a"]
    assert "'replicas': 2" in api.asked[-1]

    with pytest.raises(DrillError, match="no Deployment has the label"):
        machines.fencing_agent_dead(case(Played())).__enter__()


def test_what_a_killed_drill_has_left_is_found_by_its_annotations():
    scaled = {
        "metadata": {
            "name": "iris",
            "namespace": "iris",
            "annotations": {marked.REPLICAS: "1"},
        },
        "spec": {"replicas": 0},
    }
    cordoned = node("b", **{marked.CORDONED: "true"})
    api: Any = Played(nodes=[node("a"), cordoned], deployments=[scaled])

    assert marked.mend(api) == ["uncordoned b", "scaled iris/iris to 1"]
    assert [line.split()[1] for line in api.asked] == ["/api/v1/nodes/b", DEPLOYMENT]

    # The next drill of such a workload gives it what it had before the killed one.
    api = Played(**{DEPLOYMENT: scaled})
    with marked.scaled_away(api, [DEPLOYMENT]):
        pass
    assert "'replicas': 1" in api.asked[-1]


def test_clean_goes_on_past_what_it_cannot_mend(monkeypatch: pytest.MonkeyPatch, capsys):
    cordoned, off = node("b", **{marked.CORDONED: "true"}), node("c", **{OFF: "i-c"})
    api = Played(nodes=[cordoned, off], pods=[])
    api.gone("/api/v1/namespaces/ha-iris-drills")
    monkeypatch.setattr(targets, "_lab", lambda _: None)
    monkeypatch.setattr(targets, "_outputs", lambda _: {"kubeconfig": "", "namespace": "iris"})
    monkeypatch.setattr(targets, "Api", lambda _: api)

    assert main(["clean", "--stack", "prod"]) == 2
    told = capsys.readouterr()
    assert told.out == "uncordoned b\n"
    assert "c: a drill has switched these machines off" in told.err
    assert "files that fill volumes" in told.err


def test_a_terminal_that_goes_ends_a_drill_in_good_order():
    script = (
        "import os, signal, drills.__main__ as m\n"
        "m._parse = lambda _: os.kill(os.getpid(), signal.SIGHUP)\n"
        "try: m.main([])\n"
        "finally: print('mended')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (129, "mended\n")
