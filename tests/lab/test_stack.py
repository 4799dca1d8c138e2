"""The development stack on the real Pulumi engine against a real API server.

The provider plugins are the lab's stand-ins and the nodes are simulated; planning, state, secrets,
protection, admission and scheduling are the real ones.
"""

import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from lab.control_plane import ControlPlane
from lab.engine import REPOSITORY, Engine, EngineError, Operation, Result
from lab.home import LabHome
from lab.provider_plugins import provide
from lab.toolchain import Toolchain

OPERATION = """
import json, pickle, sys
from pathlib import Path
from lab.engine import Engine, EngineError
from lab.home import LabHome
root, pulumi, tools, project, result, settings, operation, *flags = sys.argv[1:]
engine = Engine(LabHome(Path(root)), Path(pulumi), "dev", tools=Path(tools),
                project=Path(project), settings=json.loads(settings))
failed = False
try:
    done = engine.run(operation, *flags)
except EngineError as error:
    done, failed = error.result, True
Path(result).write_bytes(pickle.dumps(done))
sys.exit(failed)
"""


class Stack:
    """The development stack in these tests' lab, with the settings that a test gives it."""

    def __init__(self, home: LabHome, toolchain: Toolchain) -> None:
        self.home = home
        self.toolchain = toolchain
        self.groups: dict[str, Any] = {}
        self.project = REPOSITORY

    @property
    def settings(self) -> dict[str, Any]:
        """This test's settings by key, over those of the stack file."""
        cluster = {"kubeconfig": str(self.home.kubeconfig)}
        groups = {"cluster": cluster, **self.groups}
        return {f"ha-iris:{name}": group for name, group in groups.items()}

    @property
    def engine(self) -> Engine:
        """What the lab knows about the stack."""
        return Engine(self.home, self.toolchain.pulumi, "dev", settings=self.settings)

    def start(self, operation: Operation, *flags: str) -> subprocess.Popen[bytes]:
        """Begin an operation in a process of its own, as ``python -m lab up`` is one."""
        folders = [self.home.root, self.toolchain.pulumi, self.toolchain.bin, self.project]
        given = [self.result, json.dumps(self.settings)]
        return subprocess.Popen(
            [sys.executable, "-c", OPERATION, *map(str, folders), *given, operation, *flags],
            start_new_session=True,
            cwd=REPOSITORY,
        )

    def run(self, operation: Operation, *flags: str) -> Result:
        """Run an operation to its end.

        Raises:
            EngineError: it failed; what it wrote says why.
        """
        with self.start(operation, *flags) as process:
            failed = process.wait(timeout=300)
        with open(self.result, "rb") as file:
            result = pickle.load(file)
        if failed:
            raise EngineError("dev", operation, result)
        return result

    @property
    def result(self) -> str:
        """Where an operation leaves its result."""
        return str(self.home.root / "result")

    def kubectl(self, *args: str) -> str:
        """What kubectl prints for the lab's cluster."""
        command = [self.toolchain.bin / "kubectl", "--kubeconfig", self.home.kubeconfig, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def get(self, *args: str) -> Any:
        """An object of the cluster, or a list of them, as data."""
        return json.loads(self.kubectl("get", "--output", "json", *args))

    def claim_uid(self) -> str:
        """Identity of the database's volume claim."""
        return self.get("persistentvolumeclaim", "iris-data", "-n", "iris")["metadata"]["uid"]


@pytest.fixture(scope="module")
def shared_stack(control_plane: ControlPlane, lab_home: LabHome, toolchain: Toolchain) -> Stack:
    """The stack of all these tests; it ends with its cluster."""
    provide(lab_home, toolchain, print)
    return Stack(lab_home, toolchain)


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """The stack as its file describes it, up and running."""
    shared_stack.groups = {}
    shared_stack.project = REPOSITORY
    shared_stack.run("up")
    return shared_stack


@pytest.fixture
def no_stack(shared_stack: Stack) -> Stack:
    """The stack before its first ``up``."""
    shared_stack.groups = {}
    shared_stack.project = REPOSITORY
    if shared_stack.engine.resources:
        # What a protected test leaves is unprotected by `up`, as a person would do it.
        shared_stack.run("up")
        shared_stack.run("destroy")
    return shared_stack


def changes(result: Result) -> dict[str, str]:
    """What an operation does to resources that it does not leave alone, by name."""
    return {step.name: step.action for step in result.steps if step.action != "same"}


def test_up_builds_everything_and_a_second_up_changes_nothing(no_stack):
    stack = no_stack
    first = stack.run("up")
    second = stack.run("up")

    assert set(changes(first).values()) == {"create"}
    assert changes(second) == {}
    deployment = stack.get("deployment", "iris", "-n", "iris")
    assert deployment["status"]["readyReplicas"] == 1
    claim = stack.get("persistentvolumeclaim", "iris-data", "-n", "iris")
    assert claim["status"]["phase"] == "Bound"
    assert claim["spec"]["storageClassName"] == "longhorn-iris"
    (pod,) = stack.get("pods", "-n", "iris")["items"]
    assert pod["status"]["phase"] == "Running"


def test_longhorn_is_told_what_the_program_decided(stack):
    def settings() -> list[Any]:
        return stack.get("settings.longhorn.io", "-n", "longhorn-system")["items"]

    wait_for(lambda: len(settings()) > 10)
    told = {setting["metadata"]["name"]: setting["value"] for setting in settings()}
    assert told["node-down-pod-deletion-policy"] == "delete-both-statefulset-and-deployment-pod"
    assert told["deleting-confirmation-flag"] == "true"
    assert told["allow-collecting-longhorn-usage-metrics"] == "false"


def test_outputs_lead_to_the_database(stack):
    outputs = stack.engine.outputs(show_secrets=True)

    assert outputs["namespace"] == "iris"
    assert outputs["username"] == "_SYSTEM"
    assert len(outputs["password"]) == 24
    context = json.loads(stack.kubectl("config", "view", "--output", "json"))["current-context"]
    assert f"--context {context}" in outputs["portForwardCommand"]
    assert outputs["portForwardCommand"].endswith("port-forward service/iris 52773 1972")


def test_a_changed_setting_changes_only_what_it_should_and_preview_shows_it_first(stack):
    stack.groups = {"iris": {"tolerationSeconds": 20}}

    planned = stack.run("preview")
    done = stack.run("up")

    assert changes(planned) == changes(done) == {"iris-deployment": "update"}


def test_a_changed_merge_file_is_a_new_secret_and_a_restart(stack):
    before = stack.get("deployment", "iris", "-n", "iris")["metadata"]["generation"]
    stack.groups = {"iris": {"globalsMib": 512}}

    planned = changes(stack.run("preview"))
    stack.run("up")

    assert planned["iris-deployment"] == "update"
    assert "replace" in planned["iris-cpf"] or planned["iris-cpf"] == "create-replacement"
    assert set(planned) == {"iris-deployment", "iris-cpf"}
    assert stack.get("deployment", "iris", "-n", "iris")["metadata"]["generation"] > before
    secrets = stack.get("secrets", "-n", "iris")["items"]
    assert len([s for s in secrets if s["metadata"]["name"].startswith("iris-cpf")]) == 1


def test_a_volume_grows_in_place(stack):
    uid = stack.claim_uid()
    stack.groups = {"iris": {"storageGib": 20}}

    planned = stack.run("preview")
    stack.run("up")

    assert changes(planned) == {"iris-data": "update"}
    assert stack.claim_uid() == uid
    claim = ("persistentvolumeclaim", "iris-data", "-n", "iris")
    wait_for(lambda: stack.get(*claim)["status"]["capacity"]["storage"] == "20Gi")
    stack.groups = {}
    with pytest.raises(EngineError):  # it never shrinks, and a preview says so
        stack.run("preview")
    stack.run("destroy")


def test_refresh_sees_an_edit_by_hand_and_up_mends_it(stack):
    stack.kubectl("scale", "deployment", "iris", "-n", "iris", "--replicas", "0")

    seen = stack.run("refresh")
    mended = stack.run("up")

    assert changes(seen).keys() == {"iris-deployment"}
    # The Service is looked at again too: no pod stood behind it.
    assert changes(mended) == {"iris-deployment": "update", "iris-service": "update"}
    assert stack.get("deployment", "iris", "-n", "iris")["spec"]["replicas"] == 1
    assert changes(stack.run("up")) == {}


def test_an_object_deleted_by_hand_comes_back(stack):
    stack.kubectl("delete", "service", "iris", "-n", "iris")

    stack.run("refresh")
    mended = stack.run("up")

    assert changes(mended) == {"iris-service": "create"}
    assert stack.get("service", "iris", "-n", "iris")


def test_destroy_leaves_nothing(no_stack):
    stack = no_stack
    kinds = "namespaces,persistentvolumes,storageclasses,customresourcedefinitions,priorityclasses"
    before = stack.kubectl("get", kinds, "--output", "name")
    stack.run("up")

    stack.run("destroy")

    assert stack.kubectl("get", kinds, "--output", "name") == before
    assert stack.engine.resources == []


@pytest.fixture
def protected(stack: Stack) -> Stack:
    """A stack whose data is protected, up and running."""
    stack.groups = {"protectData": True}
    stack.run("up")
    return stack


MISTAKES: dict[str, tuple[Operation, dict[str, Any]]] = {
    "destroy": ("destroy", {}),
    "another namespace": ("up", {"iris": {"namespace": "renamed"}}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_protected_data_survives(protected, mistake, capfd):
    operation, groups = MISTAKES[mistake]
    uid = protected.claim_uid()
    protected.groups = {"protectData": True, **groups}

    with pytest.raises(EngineError):
        protected.run(operation)

    told = capfd.readouterr()
    assert "protect" in told.out + told.err
    assert protected.claim_uid() == uid
    claim = protected.get("persistentvolumeclaim", "iris-data", "-n", "iris")
    assert claim["status"]["phase"] == "Bound"
    protected.groups = {"protectData": True}
    assert protected.run("up")
    assert protected.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1


def copy_of_the_program(folder: Path) -> Path:
    """A copy that a test may change."""
    folder.mkdir()
    for file in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.README.md"):
        shutil.copy(REPOSITORY / file, folder)
    for package in ("components", "stacks"):
        shutil.copytree(REPOSITORY / package, folder / package)
    (folder / "lab").symlink_to(REPOSITORY / "lab")
    return folder


def program_with_another_name_for(component: str, folder: Path) -> Path:
    """A copy of the program in which a component has another name, and so all of its children."""
    copy_of_the_program(folder)
    texts = {file: file.read_text() for file in (folder / "stacks").glob("*.py")}
    for file, text in texts.items():
        file.write_text(re.sub(rf'(\(\s*)"{component}",', r'\1"renamed",', text))
    assert any(file.read_text() != text for file, text in texts.items())
    return folder


def test_another_storage_class_for_protected_data_is_refused(protected, tmp_path, capfd):
    uid = protected.claim_uid()
    protected.project = copy_of_the_program(tmp_path / "program")
    file = protected.project / "Pulumi.dev.yaml"
    stack = yaml.safe_load(file.read_text())
    del stack["config"]["ha-iris:longhorn"]
    file.write_text(yaml.safe_dump(stack))
    protected.groups = {"protectData": True, "iris": {"storageClass": "standard"}}

    with pytest.raises(EngineError):
        protected.run("up")

    told = capfd.readouterr()
    assert "protect" in told.out + told.err
    assert protected.claim_uid() == uid


@pytest.mark.parametrize("component", ["iris", "longhorn"])
def test_a_refactoring_that_renames_what_holds_data_is_refused(
    protected, component, tmp_path, capfd
):
    before = protected.engine.resources
    protected.project = program_with_another_name_for(component, tmp_path / "program")

    with pytest.raises(EngineError):
        protected.run("preview")

    told = capfd.readouterr()
    assert "protect" in told.out + told.err
    assert protected.engine.resources == before


def test_a_refactoring_that_renames_the_cluster_leaves_what_is_in_it_alone(protected, tmp_path):
    protected.project = program_with_another_name_for("cluster", tmp_path / "program")

    planned = changes(protected.run("preview"))

    assert planned.keys() == {"cluster", "cluster-provider", "renamed", "renamed-provider"}


def test_another_storage_class_of_the_same_name_leaves_the_volume_alone(protected):
    uid = protected.claim_uid()
    protected.groups = {"protectData": True, "longhorn": {"replicas": 2}}

    done = changes(protected.run("up"))

    assert "iris-data" not in done
    assert protected.claim_uid() == uid
    parameters = protected.get("storageclass", "longhorn-iris")["parameters"]
    assert parameters["numberOfReplicas"] == "2"


def test_a_volume_outlives_a_claim_deleted_by_hand(no_stack):
    protected = no_stack
    protected.groups = {"protectData": True}
    protected.run("up")
    volume = protected.get("persistentvolumeclaim", "iris-data", "-n", "iris")["spec"]["volumeName"]

    protected.kubectl("delete", "namespace", "iris")

    assert protected.get("persistentvolume", volume)["status"]["phase"] == "Released"
    protected.run("refresh")


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"it did not happen within {seconds} s")


def exists(stack: Stack, *args: str) -> bool:
    """Whether the cluster has an object."""
    return bool(stack.kubectl("get", "--ignore-not-found", "--output", "name", *args))


@pytest.mark.parametrize(
    "moment",
    [("namespace", "longhorn-system"), ("persistentvolumeclaim", "iris-data", "-n", "iris")],
    ids=["early", "late"],
)
def test_an_update_that_was_killed_is_finished_by_the_next(no_stack, moment):
    stack = no_stack
    process = stack.start("up")
    wait_for(lambda: exists(stack, *moment))
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        member.kill()
    process.wait()

    stack.run("up")

    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1
    assert changes(stack.run("up")) == {}
    secrets = stack.get("secrets", "-n", "iris")["items"]
    assert len([s for s in secrets if s["metadata"]["name"].startswith("iris-cpf")]) == 1


def test_an_interrupted_update_is_finished_by_the_next(no_stack):
    stack = no_stack
    process = stack.start("up")
    wait_for(lambda: exists(stack, "namespace", "longhorn-system"))
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=60)

    stack.run("up")

    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1


def test_an_update_survives_a_restart_of_the_api_server(no_stack, control_plane):
    stack = no_stack

    def restart() -> None:
        wait_for(lambda: exists(stack, "namespace", "longhorn-system"))
        control_plane.restart_api_server()

    restarting = threading.Thread(target=restart)
    restarting.start()
    stack.run("up")
    restarting.join()

    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1


def test_no_secret_is_in_clear_in_state_log_or_event(stack, capfd):
    stack.groups = {"iris": {"globalsMib": 512}}
    stack.run("preview", "--diff")
    # From -v=4 on Pulumi itself writes what it sends, secrets too (its documentation warns).
    stack.run("up", "--diff", "--logtostderr", "-v=3")
    password = stack.engine.outputs(show_secrets=True)["password"]
    merge_file = next(
        s
        for s in stack.get("secrets", "-n", "iris")["items"]
        if s["metadata"]["name"].startswith("iris-cpf")
    )["data"]["merge.cpf"]
    key = stack.kubectl(
        "config", "view", "--raw", "--output", "jsonpath={.users[0].user.client-key-data}"
    )
    secret = {"password": password, "merge file": merge_file, "key of the kubeconfig": key}

    told = capfd.readouterr()
    files = [file for file in stack.home.root.rglob("*") if file.is_file()]
    ours = {stack.home.kubeconfig, stack.home.passphrase}
    ours |= {file for file in files if stack.home.kwok in file.parents}
    for what, text in secret.items():
        assert text not in told.out + told.err, what
        for file in files:
            if file not in ours:
                assert text.encode() not in file.read_bytes(), f"{what} in {file}"


def test_what_the_lab_keeps_is_for_its_owner_only(stack):
    assert stack.home.root.stat().st_mode & 0o077 == 0
    assert stack.home.passphrase.stat().st_mode & 0o077 == 0
    assert stack.home.kubeconfig.stat().st_mode & 0o077 == 0
