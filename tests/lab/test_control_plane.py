"""The lab's control plane for real: processes, ports, files, and what its simulated nodes do."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from lab import LabError
from lab.cluster.control_plane import ControlPlane
from lab.cluster.kubeconfig import CONTEXT
from lab.cluster.processes import COMPONENTS
from lab.home import LabHome
from lab.toolchain import TOOLS, Toolchain
from tests.lab.cluster import get, workload
from tests.lab.waiting import eventually


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[ControlPlane]:
    """A lab that these tests may break."""
    plane = ControlPlane(LabHome(tmp_path_factory.mktemp("own") / "a lab"), toolchain)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop(delete=True)


def processes(plane: ControlPlane) -> dict[str, psutil.Process]:
    """Every process whose command line names this lab's folder, by the name of its program."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if any(str(plane.home.root) in argument for argument in command):
            is_storage = "lab.cluster.storage" in command
            found["storage" if is_storage else Path(command[0]).name] = process
    return found


def test_a_running_lab_is_left_alone_and_found_quickly(control_plane: ControlPlane):
    before = {name: p.pid for name, p in processes(control_plane).items()}

    started = time.monotonic()
    control_plane.start()

    assert time.monotonic() - started < 1
    assert {name: p.pid for name, p in processes(control_plane).items()} == before
    assert set(before) == {*COMPONENTS, "storage"}


def test_the_api_server_reports_the_pinned_version_and_three_ready_nodes_in_three_zones(
    control_plane: ControlPlane,
):
    status = control_plane.status()
    nodes = get(control_plane, "nodes")["items"]

    assert status.running
    assert status.version == f"v{TOOLS['kube-apiserver'].version}"
    assert status.nodes == {"node-a": "Ready", "node-b": "Ready", "node-c": "Ready"}
    assert len({n["metadata"]["labels"]["topology.kubernetes.io/zone"] for n in nodes}) == 3
    assert {n["status"]["allocatable"]["cpu"] for n in nodes} == {"4"}
    assert {n["status"]["allocatable"]["memory"] for n in nodes} == {"16Gi"}
    # Its own two, and the name by which a command in a pod reaches the kubelet that plays it.
    assert {a["type"] for n in nodes for a in n["status"]["addresses"]} == {
        "InternalIP",
        "Hostname",
        "InternalDNS",
    }


def test_nothing_listens_off_loopback(control_plane: ControlPlane):
    listening = {
        name: {c.laddr.ip for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
        for name, p in processes(control_plane).items()
    }

    assert set(listening) == {*COMPONENTS, "storage"}
    assert listening.pop("storage") == set()
    assert all(addresses == {"127.0.0.1"} for addresses in listening.values()), listening


def test_only_the_owner_can_read_the_lab(control_plane: ControlPlane):
    home = control_plane.home

    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.kubeconfig.stat().st_mode) == 0o600
    config = yaml.safe_load(home.kubeconfig.read_text())
    assert config["current-context"] == CONTEXT
    assert config["clusters"][0]["cluster"].keys() == {"server", "certificate-authority-data"}
    readable = [p for p in home.cluster.rglob("*.key") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert readable == []


def test_two_labs_at_once_do_not_meet(control_plane: ControlPlane, own: ControlPlane):
    own.kubectl("create", "namespace", "only-here")

    assert control_plane.home.name != own.home.name
    assert control_plane.status().url != own.status().url
    with pytest.raises(LabError, match="not found"):
        control_plane.kubectl("get", "namespace", "only-here")


@pytest.mark.parametrize("victim", [*COMPONENTS, "storage"])
def test_a_killed_component_is_back_after_start_and_no_data_is_lost(own: ControlPlane, victim: str):
    name = f"before-{victim}"
    own.kubectl("create", "configmap", name)
    own_process = processes(own)[victim]
    own_process.kill()
    eventually(lambda: victim not in processes(own), seconds=15)
    assert not own.status().running

    own.start()

    assert own.status().running
    assert own.kubectl("get", "configmap", name, "-o", "name").strip() == f"configmap/{name}"


def test_a_reboot_brings_the_same_cluster_back_though_its_pids_belong_to_others(
    own: ControlPlane,
):
    own.kubectl("create", "configmap", "before-reboot")
    eventually(lambda: len(node_leases(own)) == 3, seconds=15)
    before = node_leases(own)
    for process in processes(own).values():
        process.kill()
    for file in (own.home.cluster / "pids").glob("*.pid"):
        file.write_text(str(os.getpid()))  # a pid that another program has by now

    own.start()

    assert own.status().running
    own.kubectl("get", "configmap", "before-reboot")
    # Twice kwok's interval; the leases of its dead self would have held for 40 s.
    eventually(lambda: len(node_leases(own) - before) == 3, seconds=20)


def node_leases(plane: ControlPlane) -> set[str]:
    """The nodes' leases and who holds them."""
    text = "{range .items[*]}{.metadata.name}={.spec.holderIdentity} {end}"
    return set(
        plane.kubectl("get", "leases", "-n", "kube-node-lease", "-o", f"jsonpath={text}").split()
    )


def test_a_first_start_killed_half_way_is_done_again(tmp_path: Path, toolchain: Toolchain):
    plane = ControlPlane(LabHome(tmp_path / "lab"), toolchain)
    (plane.home.cluster / "pki").mkdir(parents=True)
    (plane.home.cluster / "pki" / "ca.crt").write_text("half a certifica")
    (plane.home.cluster / "kwok.yaml").write_text("apiVersion: config.kwok.x-k8s.io/v1alpha1")
    try:
        plane.start()
        assert plane.status().running
    finally:
        plane.stop(delete=True)


def test_a_controller_that_gives_up_while_a_lab_starts_is_started_again(
    tmp_path: Path, toolchain: Toolchain
):
    plane = ControlPlane(LabHome(tmp_path / "lab"), toolchain)
    killed: list[int] = []

    def serving() -> psutil.Process | None:
        """It is asked for its version first, in a process that has no flags."""
        process = processes(plane).get("kube-controller-manager")
        return process if process and len(process.info["cmdline"]) > 2 else None

    def give_up() -> None:
        eventually(lambda: serving() is not None)
        if (process := serving()) is not None:
            process.kill()
            killed.append(process.pid)

    busy = threading.Thread(target=give_up)
    busy.start()
    try:
        plane.start()
        busy.join()
        assert plane.status().running
        assert killed
        assert killed[0] != processes(plane)["kube-controller-manager"].pid
    finally:
        busy.join()
        plane.stop(delete=True)


def test_unusable_data_is_one_line_that_says_how_to_begin_anew(
    tmp_path: Path, toolchain: Toolchain
):
    plane = ControlPlane(LabHome(tmp_path / "lab"), toolchain)
    try:
        plane.start()
        plane.stop()
        for file in (plane.home.cluster / "etcd" / "member" / "wal").glob("*.wal"):
            file.write_bytes(b"no log at all" * 1000)

        with pytest.raises(LabError, match="etcd: ended") as refused:
            plane.start()
        assert "to begin anew" in str(refused.value)
        assert "\n" not in str(refused.value)
    finally:
        plane.stop(delete=True)
    assert processes(plane) == {}


def test_a_lab_whose_ports_were_taken_moves_to_others(tmp_path: Path, toolchain: Toolchain):
    import socket

    plane = ControlPlane(LabHome(tmp_path / "lab"), toolchain)
    try:
        plane.start()
        before = plane.status().url
        plane.stop()
        assert before is not None
        with socket.socket() as intruder:
            intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            intruder.bind(("127.0.0.1", int(before.rsplit(":", 1)[1])))
            intruder.listen()
            plane.start()

        assert plane.status().running
        assert plane.status().url != before
    finally:
        plane.stop(delete=True)


def test_no_process_is_left_after_stop(tmp_path: Path, toolchain: Toolchain):
    plane = ControlPlane(LabHome(tmp_path / "lab"), toolchain)
    plane.start()
    assert processes(plane)

    plane.stop()
    assert processes(plane) == {}
    assert not plane.status().running
    assert (plane.home.cluster / "etcd").exists()

    plane.stop(delete=True)
    assert not plane.home.kwok.exists()


def test_the_api_server_restarts_and_the_rest_goes_on(own: ControlPlane):
    before = {name: p.pid for name, p in processes(own).items()}

    own.restart_api_server()

    after = {name: p.pid for name, p in processes(own).items()}
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"kube-apiserver"}
    workload(own, "after-restart", "Delete")
    own.kubectl("-n", "after-restart", "rollout", "status", "deploy/iris", "--timeout=20s")


def test_jobs_complete_and_daemon_sets_run_everywhere(control_plane: ControlPlane):
    control_plane.kubectl(
        "apply",
        "-f",
        "-",
        stdin="""
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: everywhere}
spec:
  selector: {matchLabels: {app: everywhere}}
  template:
    metadata: {labels: {app: everywhere}}
    spec: {containers: [{name: c, image: c}]}
""",
    )

    control_plane.kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=15s")
    control_plane.kubectl("rollout", "status", "daemonset/everywhere", "--timeout=15s")
    assert get(control_plane, "daemonset", "everywhere")["status"]["numberReady"] == 3


def test_longhorns_driver_is_on_the_nodes_only_while_it_is_installed(own: ControlPlane):
    def drivers() -> list[int]:
        return [len(n["spec"]["drivers"] or []) for n in get(own, "csinodes")["items"]]

    driver = "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: driver.longhorn.io}"
    own.kubectl("apply", "-f", "-", stdin=driver)
    eventually(lambda: drivers() == [1, 1, 1], seconds=15)

    own.kubectl("delete", "csidriver", "driver.longhorn.io")
    eventually(lambda: drivers() == [0, 0, 0], seconds=15)
