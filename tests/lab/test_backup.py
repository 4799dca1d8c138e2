"""The backup job as `up` deploys it, from its schedule to its retention, in the lab.

No container runs there: the job's program runs as a process of this machine, with the files of the
ConfigMap and the rights of the service account that the job's pod has. What it runs in the
database's pod runs on this machine too, where a stand-in plays `iris`. Snapshots, their deletion
and uploads are the lab's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from lab.cluster.control_plane import ControlPlane
from lab.home import LabHome
from lab.laid_out import lay_out
from lab.plugins.provide import provide
from lab.status import rehearsed
from lab.toolchain import Toolchain
from tests.lab.stack import Stack
from tests.lab.waiting import eventually
from tests.unit.backup_cluster import PlayedIris

SNAPSHOTS = ("volumesnapshots", "-n", "iris")
SETTINGS = {"schedule": "* * * * *", "keep": 1, "keepUploads": 1}
STORE = {"server": "10.0.9.9", "path": "/backups"}


class Job:
    """The program of the deployed job, as a process of this machine."""

    def __init__(self, stack: Stack, plane: ControlPlane, iris: PlayedIris, folder: Path) -> None:
        self.stack = stack
        self.plane = plane
        self.iris = iris
        self.folder = folder

    def start(self, cron_job: str = "iris-backup") -> subprocess.Popen[str]:
        """Begin a run, with what the job's pod mounts."""
        pod = self.stack.get("cronjob", cron_job, "-n", "iris")["spec"]["jobTemplate"]["spec"]
        pod = pod["template"]["spec"]
        (container,), (volume,) = pod["containers"], pod["volumes"]
        files = self.stack.get("configmap", volume["configMap"]["name"], "-n", "iris")["data"]
        lay_out(volume, files, self.folder)
        account = self.stack.kubectl("create", "token", pod["serviceAccountName"], "-n", "iris")
        (self.folder / "token").write_text(account)
        authority = self.plane.home.cluster / "pki" / "ca.crt"
        (self.folder / "ca.crt").write_bytes(authority.read_bytes())
        server = yaml.safe_load(self.plane.home.kubeconfig.read_text())["clusters"][0]["cluster"]
        return subprocess.Popen(
            [sys.executable, *container["command"][1:]],
            cwd=self.folder,
            env={
                "HA_IRIS_API": server["server"],
                "HA_IRIS_ACCOUNT": str(self.folder),
                "HOSTNAME": f"job-{time.monotonic_ns()}",
                "PATH": os.environ["PATH"],
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, cron_job: str = "iris-backup") -> tuple[int, str]:
        """A run to its end: its status, and what it printed."""
        with self.start(cron_job) as process:
            printed, _ = process.communicate(timeout=150)
        return process.returncode, printed

    def backed_up(self) -> None:
        """See that there is a backup, whichever test of this file is the first one here."""
        if not self.states():
            assert self.run()[0] == 0

    def frozen(self) -> subprocess.Popen[str]:
        """A run that has just frozen IRIS."""
        before = self.iris.did("frozen")
        process = self.start()
        eventually(lambda: self.iris.did("frozen") > before, seconds=100)
        return process

    def freezes(self) -> list[float]:
        """How long each freeze lasted, seconds."""
        moments = [(at, what) for at, what in self.iris.moments() if what in ("frozen", "thawed")]
        pairs = zip(moments[::2], moments[1::2], strict=True)
        return [thawed - frozen for (frozen, _), (thawed, _) in pairs]

    def states(self) -> list[str]:
        """What each snapshot is worth, from the oldest to the newest."""
        items = self.stack.get(*SNAPSHOTS, "--sort-by=.metadata.name")["items"]
        return [item["metadata"]["labels"]["backup.ha-iris/state"] for item in items]


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> PlayedIris:
    return PlayedIris(tmp_path_factory.mktemp("iris"))


@pytest.fixture(scope="module")
def control_plane(
    lab_home: LabHome, toolchain: Toolchain, iris: PlayedIris
) -> Iterator[ControlPlane]:
    """A cluster whose `kubectl exec` runs commands on this machine, beside the stand-in."""
    plane = ControlPlane(lab_home, toolchain, commands_in=iris.environment)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop(delete=True)


@pytest.fixture(scope="module")
def job(
    control_plane: ControlPlane,
    lab_home: LabHome,
    toolchain: Toolchain,
    iris: PlayedIris,
    tmp_path_factory: pytest.TempPathFactory,
) -> Job:
    """The job of a stack that is up, with a store that Longhorn can reach."""
    provide(lab_home, toolchain, print)
    stack = Stack(lab_home, toolchain)
    stack.groups = {"backup": {"snapshots": SETTINGS, "nfs": STORE}}
    stack.run("up")
    return Job(stack, control_plane, iris, tmp_path_factory.mktemp("job"))


def test_a_backup_freezes_cuts_thaws_uploads_and_keeps_the_newest(job: Job):
    runs = [job.run() for _ in range(2)]

    assert [code for code, _ in runs] == [0, 0], runs
    eventually(lambda: job.states() == ["consistent"])
    uploads = job.stack.get("backups.longhorn.io", "-n", "longhorn-system")["items"]
    assert [item["status"]["state"] for item in uploads] == ["Completed"]
    names = {item["metadata"]["uid"] for item in job.stack.get(*SNAPSHOTS)["items"]}
    assert {item["spec"]["snapshotName"] for item in uploads} == {f"snapshot-{n}" for n in names}
    reasons = [e["reason"] for e in job.stack.get("events", "-n", "iris")["items"]]
    assert reasons.count("BackupSucceeded") == 2
    assert max(job.freezes()) < 3, job.freezes()
    print("freezes:", ", ".join(f"{seconds:.2f} s" for seconds in job.freezes()))


def test_the_newest_backup_is_restored_from_the_store_looked_through_and_removed(job: Job):
    room = ("-n", "iris-rehearsal")
    job.backed_up()

    code, printed = job.run("iris-rehearsal")

    assert code == 0, printed
    (uploaded,) = job.stack.get("backups.longhorn.io", "-n", "longhorn-system")["items"]
    assert uploaded["metadata"]["labels"]["rehearsal.ha-iris/result"] == "passed"
    assert job.iris.did("integrity") == 1
    left = job.stack.get("pods,persistentvolumeclaims,volumesnapshots", *room)["items"]
    assert left == []
    classes = [item["metadata"]["name"] for item in job.stack.get("storageclasses")["items"]]
    assert sorted(classes) == ["iris-rehearsal", "longhorn-iris"]
    told = job.stack.get("cronjob", "iris-rehearsal", "-n", "iris")["metadata"]["annotations"]
    assert rehearsed(told, datetime.now(UTC)).startswith("rehearsal passed")
    # The volume of the copy goes with its claim.
    eventually(lambda: len(job.stack.get("persistentvolumes")["items"]) == 1)
    print(f"rehearsed in {uploaded['metadata']['annotations']['rehearsal.ha-iris/seconds']} s")


def test_a_rehearsal_that_finds_damage_fails_and_leaves_nothing(job: Job):
    job.backed_up()
    job.iris.fails("damaged")
    try:
        code, printed = job.run("iris-rehearsal")
    finally:
        job.iris.mended("damaged")

    assert code == 1
    assert "^Integrity finds errors" in printed
    assert job.stack.get("pods,persistentvolumeclaims", "-n", "iris-rehearsal")["items"] == []


def test_a_job_that_is_killed_while_iris_is_frozen_leaves_no_freeze(job: Job):
    with job.frozen() as process:
        process.kill()
        killed = time.monotonic()
        eventually(lambda: not job.iris.frozen, seconds=30)
        print(f"thawed {time.monotonic() - killed:.2f} s after the job was killed")

    # A dead job's lease ends by itself, after a minute.
    job.stack.kubectl("delete", "lease", "iris-backup", "-n", "iris")
    code, printed = job.run()

    assert code == 0, printed
    assert job.states()[-1] == "consistent"


def test_an_api_server_that_goes_while_iris_is_frozen_leaves_no_freeze(job: Job):
    with job.frozen() as process:
        job.plane.restart_api_server()
        eventually(lambda: not job.iris.frozen, seconds=30)
        process.communicate(timeout=100)

    assert process.returncode == 1
    code, printed = job.run()
    assert code == 0, printed


def test_the_rights_of_the_job_end_at_what_it_does(job: Job):
    def may(*what: str) -> bool:
        account = "--as=system:serviceaccount:iris:iris-backup"
        try:
            return "yes" in job.stack.kubectl("auth", "can-i", account, *what)
        except subprocess.CalledProcessError:  # it ends with 1 where the answer is no
            return False

    def rehearsal_may(*what: str) -> bool:
        account = "--as=system:serviceaccount:iris:iris-rehearsal"
        try:
            return "yes" in job.stack.kubectl("auth", "can-i", account, *what)
        except subprocess.CalledProcessError:
            return False

    assert rehearsal_may("create", "pods", "-n", "iris-rehearsal")
    assert not rehearsal_may("create", "pods", "-n", "iris")
    assert not rehearsal_may("create", "pods", "--subresource=exec", "-n", "iris")
    assert not rehearsal_may("delete", "persistentvolumeclaims", "-n", "iris")
    assert not rehearsal_may("delete", "backups.longhorn.io", "-n", "longhorn-system")
    assert not rehearsal_may("delete", "storageclass/longhorn-iris")
    assert may("create", "pods", "--subresource=exec", "-n", "iris")
    assert may("delete", "volumesnapshots", "-n", "iris")
    assert may("create", "backups.longhorn.io", "-n", "longhorn-system")
    assert not may("get", "secrets", "-n", "iris")
    assert not may("delete", "pods", "-n", "iris")
    assert not may("delete", "persistentvolumeclaims", "-n", "iris")
    assert not may("create", "pods", "--subresource=exec", "-n", "longhorn-system")
    assert not may("delete", "volumesnapshotcontents")
    assert not may("delete", "volumes.longhorn.io", "-n", "longhorn-system")


def test_the_schedule_makes_a_job_whose_pod_is_admitted(job: Job):
    """Admission is that of the namespace's pod security standard, restricted."""
    pods = ("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris-backup")

    eventually(lambda: bool(job.stack.get(*pods)["items"]), seconds=70)

    cron_job = job.stack.get("cronjob", "iris-backup", "-n", "iris")
    assert "lastScheduleTime" in cron_job["status"]
