"""A drill whose fault has not happened shows nothing: each fault looks whether it has."""

from itertools import chain, count, repeat
from pathlib import Path

import pytest

from drills import DrillError, evidence, sites, undo
from drills.api import Refused, Told, _listen
from drills.faults import database, longhorn, machines, volumes
from drills.sites import Machines, SimulatedMachines
from tests.unit.drilled_cluster import (
    LEASES,
    POD,
    Played,
    Site,
    case,
    pod,
    renewing,
    shell,
    without_waits,
)
from tests.unit.iris_parts import pod as rendered


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    without_waits(monkeypatch)
    monkeypatch.setattr(evidence, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(volumes, "FULL_SECONDS", 0)
    monkeypatch.setattr(database, "STOP_SECONDS", 0.05)


def test_the_volumes_of_each_form_are_what_is_filled(iris):
    assert volumes.folders_of({"spec": rendered(iris())}) == ["/data"]
    both = iris(journals={"volumeGib": 20})
    assert volumes.folders_of({"spec": rendered(both)}) == ["/data", "/journals"]

    several = iris(form="statefulset").one("kubernetes:apps/v1:StatefulSet").inputs["spec"]
    spec = several["template"]["spec"]
    # What Kubernetes makes of it in each pod.
    claims = [
        {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": "c"}}
        for claim in several["volumeClaimTemplates"]
    ]
    found = volumes.folders_of({"spec": {**spec, "volumes": [*spec["volumes"], *claims]}})
    assert sorted(found) == ["/data", "/databases"]


def test_a_volume_that_was_not_filled_fails_the_drill_and_is_emptied():
    api = Played(**{POD: pod("/data"), "pods": [pod("/data")]})
    api.runs = lambda script: (
        Told("sh: cannot create /data/ha-iris-drill-filler: Permission denied", 1)
        if "df -Pk" in script
        else Told("", 0)
    )

    with pytest.raises(DrillError, match="are not full: sh: cannot create"):
        volumes.volume_full(case(api)).__enter__()
    assert "rm -f" in api.ran[-1]


def test_a_full_volume_has_room_again_before_the_run_waits_and_counts_from_then():
    api = Played(**{POD: pod("/data", "/journals"), "pods": [pod("/data", "/journals")]})

    with volumes.volume_full(case(api)) as over:
        assert over > 0
        fill, empty = api.ran
        assert "for folder in /data /journals; do" in fill
        assert "/data/ha-iris-drill-filler-* /journals/ha-iris-drill-filler-*" in empty
    assert len(api.ran) == 2


def test_files_that_fill_volumes_are_removed_by_whichever_pod_has_them_now(
    monkeypatch: pytest.MonkeyPatch,
):
    api = Played(**{POD: pod("/data"), "pods": [pod("/data", uid="u2")]})
    answers = iter([Told("", 0), Refused(500, "container not found"), Told("", 0)])

    def runs(script: str) -> Told:
        answer = next(answers)
        if isinstance(answer, Refused):
            raise answer
        return answer

    api.runs = runs
    monkeypatch.setattr(undo, "UNDO_SECONDS", 5)
    with volumes.volume_full(case(api)):
        assert len(api.ran) == 3


def test_volumes_that_stay_full_are_named():
    api = Played(**{POD: pod("/data"), "pods": []})

    with pytest.raises(DrillError, match=r"not undone: files that fill /data: .* no pod has them"):
        volumes.volume_full(case(api)).__enter__()


def test_an_iris_that_lives_on_was_not_killed():
    api = Played(**{POD: pod("/data")})
    api.runs = lambda script: Told("processes that were not killed: 7 8", 1)
    with pytest.raises(DrillError, match="was not killed: processes that were not killed: 7 8"):
        database.iris_killed(case(api)).__enter__()

    # The connection broke, and the container is the one of before.
    api.runs = lambda script: Told("", None)
    with pytest.raises(DrillError, match="its container has not ended"):
        database.iris_killed(case(api)).__enter__()


def test_a_container_that_ends_with_iris_was_killed():
    restarts = count()
    api = Played(**{POD: lambda: pod("/data", restarts=next(restarts))})
    api.runs = lambda script: Told("", 137)

    with database.iris_killed(case(api)):
        assert next(restarts) > 1


def test_an_iris_that_does_not_freeze_is_thawed_and_not_killed(tmp_path: Path):
    script = database.FREEZE + "echo killed"

    done = shell(tmp_path, script, iris="exit 3", sleep="")
    assert (done.returncode, "killed" in done.stdout) == (1, False)
    assert "ExternalFreeze ended with 3" in done.stdout
    assert "ExternalThaw()" in (tmp_path / "notes").read_text().splitlines()[-1]

    done = shell(tmp_path, script, iris="exit 5", sleep="")
    assert (done.returncode, done.stdout) == (0, "killed\n")


def test_a_pod_that_stays_was_not_deleted():
    with pytest.raises(DrillError, match="the fault has not happened"):
        database.pod_deleted(case(Played(**{POD: pod("/data")}))).__enter__()
    with pytest.raises(DrillError, match="the fault has not happened"):
        machines.node_drained(case(Played(**{POD: pod("/data")}))).__enter__()
    with pytest.raises(DrillError, match="is still there after"):
        database.clean_stop(case(Played(**{POD: pod("/data")}))).__enter__()


def test_what_longhorn_keeps_was_not_destroyed():
    path = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/replicas/r2"
    copies = [
        {"metadata": {"name": name, "uid": name}, "spec": {"nodeID": on, "healthyAt": "now"}}
        for name, on in (("r1", "a"), ("r2", "b"))
    ]
    api = Played(replicas=copies, **{path: copies[1]})
    with pytest.raises(DrillError, match="replicas/r2: is still there"):
        longhorn.replica_destroyed(case(api)).__enter__()

    api.gone(path)
    with longhorn.replica_destroyed(case(api)):
        pass


@pytest.mark.parametrize(
    "fault",
    [
        machines.node_crashed,
        machines.power_cut,
        machines.partition_full,
        machines.partition_api,
        machines.zone_lost,
        machines.fencing_agent_dead,
    ],
)
def test_a_node_that_goes_on_to_renew_its_lease_was_not_lost(fault, monkeypatch):
    agent = {"metadata": {"name": "f", "namespace": "fencing"}, "spec": {"replicas": 2}}
    api = Played(deployments=[agent], **{f"{LEASES}/a": renewing()})
    monkeypatch.setattr(evidence, "SILENT_SECONDS", 5)

    with pytest.raises(DrillError, match="node a: still renews its Lease"):
        fault(case(api, zone="")).__enter__()


def test_a_cut_between_nodes_that_costs_the_volume_no_copy_has_not_happened():
    volume = {"metadata": {"name": "pvc-1"}, "status": {"robustness": "healthy"}}
    api = Played(volumes=[volume])
    with pytest.raises(DrillError, match="volume pvc-1: all its copies answer"):
        machines.partition_peers(case(api)).__enter__()

    volume["status"]["robustness"] = "degraded"
    with machines.partition_peers(case(api)):
        pass


def test_a_fencing_agent_that_still_has_pods_is_not_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machines, "AGENT_SECONDS", 0)
    agent = {"metadata": {"name": "f", "namespace": "fencing"}, "spec": {"replicas": 2}}
    site = Site()
    with pytest.raises(DrillError, match="the fencing agent: still has pods"):
        machines.fencing_agent_dead(
            case(Played(deployments=[agent], pods=[pod("/data")]), site)
        ).__enter__()
    assert not site.done, "no node crashes beside an agent that lives"


def test_a_machine_with_the_boot_of_before_has_not_restarted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sites, "READY_SECONDS", 0.05)
    monkeypatch.setattr(sites, "PAUSE_SECONDS", 0.01)
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    boots = repeat("one")
    api = Played(
        **{"/api/v1/nodes/a": lambda: {"status": {**ready, "nodeInfo": {"bootID": next(boots)}}}}
    )

    class Unheard:
        def reboot(self, node: str) -> None:
            """Nothing comes of it."""

    restarted = Machines(api, Unheard(), off=None, on=None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DrillError, match="not Ready anew: its bootID is that of before"):
        restarted.restart("a")

    boots = chain(["one", "one"], repeat("two"))
    restarted.restart("a")


def test_an_api_server_that_is_away_for_a_minute_is_back_before_the_run_waits():
    happened: list[str] = []

    class Plane:
        def stop_api_server(self) -> None:
            happened.append("away")

        def restart_api_server(self) -> None:
            happened.append("back")

    class Away(Played):
        def get(self, path: str) -> dict:
            raise ConnectionRefusedError

    lab = SimulatedMachines(Away(), Plane())  # pyright: ignore[reportArgumentType]
    with lab.control_plane_away(0):
        assert happened == ["away", "back"]

    lab = SimulatedMachines(Played(), Plane())  # pyright: ignore[reportArgumentType]
    with pytest.raises(DrillError, match="answers, though it was killed"):
        lab.control_plane_away(0).__enter__()


class Connection:
    """What a kubelet says at the end of a command."""

    def __init__(self, status: str = "", *, ends: bool = True) -> None:
        self._status, self._ends = status, ends

    def run_forever(self, timeout: float) -> None:
        if not self._status and self._ends:
            raise ConnectionResetError

    def is_open(self) -> bool:
        return not self._ends

    def read_channel(self, channel: int) -> str:
        return self._status

    def read_all(self) -> str:
        return "said"

    def close(self) -> None:
        pass


def test_what_a_command_ended_with_is_not_lost():
    failed = (
        '{"status": "Failure", "reason": "NonZeroExitCode", '
        '"details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}'
    )
    assert _listen(Connection(failed), 1, "p") == Told("said", 3)
    assert _listen(Connection('{"status": "Success"}'), 1, "p") == Told("said", 0)
    assert _listen(Connection(), 1, "p") == Told("said", None)
    with pytest.raises(TimeoutError, match="p has not ended after 1 s"):
        _listen(Connection(ends=False), 1, "p")
