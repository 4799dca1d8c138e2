"""An update that is killed, interrupted or loses its API server is finished by the next."""

import os
import signal
import threading

import psutil
import pytest

from tests.lab.stack import changes, exists
from tests.lab.waiting import eventually


@pytest.mark.parametrize(
    "moment",
    [("namespace", "longhorn-system"), ("persistentvolumeclaim", "iris-data", "-n", "iris")],
    ids=["early", "late"],
)
def test_an_update_that_was_killed_is_finished_by_the_next(no_stack, moment):
    stack = no_stack
    process = stack.start("up")
    eventually(lambda: exists(stack, *moment))
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        member.kill()
    process.wait()

    stack.run("up")

    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1
    assert changes(stack.run("up")) == {}
    secrets = stack.get("secrets", "-n", "iris")["items"]
    assert len([s for s in secrets if s["metadata"]["name"].startswith("iris-cpf")]) == 1


def test_a_state_is_read_although_a_kill_cut_off_what_is_noted_beside_it(stack):
    notes = [*stack.home.state.glob(".pulumi/stacks/*/dev.json.attrs")]
    assert len(notes) == 1
    notes[0].write_text("")

    assert changes(stack.run("up")) == {}


def test_an_interrupted_update_is_finished_by_the_next(no_stack):
    stack = no_stack
    process = stack.start("up")
    eventually(lambda: exists(stack, "namespace", "longhorn-system"))
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=60)

    stack.run("up")

    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1


def test_an_update_survives_a_restart_of_the_api_server(no_stack, control_plane):
    stack = no_stack

    def restart() -> None:
        eventually(lambda: exists(stack, "namespace", "longhorn-system"))
        control_plane.restart_api_server()

    restarting = threading.Thread(target=restart)
    restarting.start()
    stack.run("up")
    restarting.join()

    assert stack.get("deployment", "iris", "-n", "iris")["status"]["readyReplicas"] == 1
