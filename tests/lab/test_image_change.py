"""Another IRIS image on a volume that was written, planned and deployed by the real engine."""

import shlex

import pytest

from components.iris.image import IMAGE
from lab import REPOSITORY
from lab.engine import EngineError
from tests.lab.stack import changes

OLDER, BEFORE, NEWER = (f"{IMAGE.rsplit(':')[0]}:{tag}" for tag in ("2025.1", "2026.1", "2027.1"))
PAGE = REPOSITORY / "docs" / "upgrades.md"


def image(stack):
    """The image that the Deployment in the cluster has."""
    deployment = stack.get("deployment", "iris", "-n", "iris")
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_it_is_refused_and_nothing_is_changed(stack, operation, capfd):
    stack.groups = {"iris": {"image": OLDER}}

    with pytest.raises(EngineError):
        stack.run(operation)

    told = capfd.readouterr()
    assert f"ha-iris:iris.image is {OLDER}, which is older than {IMAGE}" in told.out + told.err
    assert image(stack) == IMAGE


def test_it_is_deployed_once_somebody_says_that_the_volume_was_put_back(no_stack):
    stack = no_stack
    stack.run("up")
    stack.groups = {"iris": {"image": OLDER, "allowOlderImage": True}}

    done = stack.run("up")

    # The rehearsal starts the same image.
    assert changes(done) == {
        "iris-deployment": "update",
        "iris-images": "update",
        "rehearsal-program": "delete-replaced",
        "rehearsal-cron-job": "update",
    }
    assert image(stack) == OLDER
    # An update ends when the new instance runs, not when the old one is gone.
    status = stack.get("deployment", "iris", "-n", "iris")["status"]
    assert status["updatedReplicas"] == status["availableReplicas"] == status["replicas"] == 1
    stack.groups = {}
    stack.run("destroy")


def test_the_commands_of_the_page_on_upgrades_do_what_it_says(no_stack, capfd):
    stack = no_stack
    stack.groups = {"iris": {"image": BEFORE}}
    stack.run("up")
    claim = stack.claim_uid()
    told: dict[str, str] = {}

    for command in commands():
        capfd.readouterr()
        done = run(stack, command)
        told[" ".join(command[:2])] = "".join(capfd.readouterr()) + done

    assert "wait until the nodes have it, stop IRIS, which must be ready" in told["pulumi preview"]
    steps = ("waiting until the nodes have", "IRIS has stopped, after", "is the way back")
    places = [told["pulumi up"].index(step) for step in steps]
    assert places == sorted(places)
    holders = stack.get("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris-images")["items"]
    assert [pod["spec"]["containers"][0]["image"] for pod in holders] == [IMAGE] * 3
    (snapshot,) = stack.get("volumesnapshots", "-n", "iris")["items"]
    assert snapshot["spec"]["source"] == {"persistentVolumeClaimName": "iris-data"}
    assert snapshot["metadata"]["annotations"]["ha-iris/image-before"] == BEFORE
    (running,) = stack.get("pods", "-n", "iris", "-l", "app.kubernetes.io/name=iris")["items"]
    assert snapshot["status"]["creationTime"] <= running["metadata"]["creationTimestamp"]
    assert image(stack) == IMAGE
    assert stack.claim_uid() == claim
    assert changes(stack.run("up")) == {}

    (delete,) = commands("The snapshot takes space")
    run(stack, delete)
    assert not stack.get("volumesnapshots", "-n", "iris")["items"]


def test_an_instance_that_somebody_stopped_gets_no_other_image(stack, capfd):
    stack.kubectl("scale", "deployment", "iris", "-n", "iris", "--replicas", "0")
    stack.groups = {"iris": {"image": NEWER}}

    with pytest.raises(EngineError):
        stack.run("up")

    assert "whether it was stopped cleanly is not known" in "".join(capfd.readouterr())
    assert image(stack) == IMAGE


def commands(after: str = "The commands of an upgrade") -> list[list[str]]:
    """The commands of the page on upgrades in the first block after some words."""
    block = PAGE.read_text().partition(after)[2].partition("```bash\n")[2].partition("```")[0]
    lines = block.replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines]
    assert any(found)
    return [command for command in found if command]


def run(stack, command: list[str]) -> str:
    """Do to this lab's stack what a command of the page does to a person's."""
    match command:
        case ["kubectl", *arguments]:
            return stack.kubectl(*arguments)
        case ["pulumi", "config", "set", "--path", "ha-iris:iris.image", image, "--stack", _]:
            stack.groups = {"iris": {"image": image}}
        case ["pulumi", ("preview" | "up") as operation, *_]:
            stack.run(operation)
        case _:
            raise AssertionError(f"the lab cannot run {command}")
    return ""
