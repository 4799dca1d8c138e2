"""An older IRIS image on the volume of a newer one, planned and deployed by the real engine."""

import pytest

from components.iris.image import IMAGE
from lab.engine import EngineError
from tests.lab.stack import changes

OLDER = IMAGE.rsplit(":")[0] + ":2025.1"


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

    assert changes(done) == {"iris-deployment": "update"}
    assert image(stack) == OLDER
    # An update ends when the new instance runs, not when the old one is gone.
    status = stack.get("deployment", "iris", "-n", "iris")["status"]
    assert status["updatedReplicas"] == status["availableReplicas"] == status["replicas"] == 1
    stack.groups = {}
    stack.run("destroy")
