"""What holds data stays where its protection is ignored or changed, on the real engine."""

import json
from collections.abc import Callable, Iterator

import pytest

from lab import LabError
from lab.cluster.control_plane import ControlPlane
from lab.engine import EngineError
from tests.lab.stack import Stack, changes, exists
from tests.lab.waiting import eventually

CLAIM = ("persistentvolumeclaim", "iris-data", "-n", "iris")
DEPLOYMENT = ("deployment", "iris", "-n", "iris")
CLASS = ("storageclass", "longhorn-iris")
KEPT = {
    CLAIM,
    ("namespace", "iris"),
    ("namespace", "longhorn-system"),
    ("daemonset", "longhorn-manager", "-n", "longhorn-system"),
}
A_CLASS = (
    "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: any}, provisioner: a/b}"
)
NO_CLASSES = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-classes}
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [storage.k8s.io]
        apiVersions: [v1]
        resources: [storageclasses]
        operations: [CREATE]
  validations: [{expression: "false", message: no classes today}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-classes}
spec: {policyName: no-classes, validationActions: [Deny]}
"""


class Refusal:
    """An API server that takes no new StorageClass while this is on."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    def on(self) -> None:
        self.plane.kubectl("apply", "-f", "-", stdin=NO_CLASSES)
        eventually(lambda: not self._takes_a_class())

    def off(self) -> None:
        self.plane.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=NO_CLASSES)
        eventually(self._takes_a_class)

    def _takes_a_class(self) -> bool:
        try:
            self.plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=A_CLASS)
        except LabError as error:
            if "no classes today" not in str(error):
                raise
            return False
        return True


@pytest.fixture
def no_new_class(control_plane: ControlPlane) -> Iterator[Refusal]:
    """Lets a test forbid new StorageClasses for a while."""
    refusal = Refusal(control_plane)
    yield refusal
    refusal.off()


@pytest.fixture
def switch(no_stack: Stack):
    """``switch(True)`` protects the data of the stack and says what that update did."""

    def run(protect: bool) -> dict[str, str]:
        no_stack.groups = {"protectData": protect}
        return changes(no_stack.run("up"))

    return run


def locks(stack: Stack) -> set[tuple[bool, bool]]:
    """The two locks of the claim, the namespaces and the release, as the state has them."""
    names = ("iris-data", "iris-namespace", "longhorn-namespace", "longhorn-release")
    return {
        (resource.get("protect", False), resource.get("retainOnDelete", False))
        for resource in stack.engine.resources
        if resource["urn"].endswith(names)
    }


def test_protection_is_switched_without_touching_the_claim(no_stack, switch):
    switch(True)
    uid = no_stack.claim_uid()

    for protect in (False, True):
        done = switch(protect)

        assert "replace" in done["longhorn-storage-class"]
        assert "iris-data" not in done
        policy = no_stack.get(*CLASS)["reclaimPolicy"]
        assert policy == ("Retain" if protect else "Delete")
        assert locks(no_stack) == {(protect, protect)}
    assert no_stack.claim_uid() == uid
    assert switch(True) == {}


@pytest.mark.parametrize("protect", [True, False], ids=["on", "off"])
def test_a_switch_of_protection_that_stops_halfway_is_finished_by_the_next(
    no_stack, switch, no_new_class, protect
):
    switch(not protect)
    uid = no_stack.claim_uid()
    no_new_class.on()

    with pytest.raises(EngineError):
        switch(protect)

    assert not exists(no_stack, *CLASS)
    assert no_stack.claim_uid() == uid
    no_new_class.off()
    switch(protect)
    assert no_stack.get(*CLASS)["reclaimPolicy"] == ("Retain" if protect else "Delete")
    assert no_stack.get(*DEPLOYMENT)["status"]["readyReplicas"] == 1
    assert no_stack.claim_uid() == uid
    assert locks(no_stack) == {(protect, protect)}


def test_data_that_may_go_goes(no_stack, switch):
    switch(True)
    switch(False)

    no_stack.run("destroy")

    assert not any(exists(no_stack, *kept) for kept in KEPT)


def destroy_unprotected(stack: Stack) -> None:
    """What a person does who reads in the refusal how to get past it."""
    stack.pulumi("state", "unprotect", "--all", "--yes")
    stack.run("destroy")


def destroy_ignoring_protection(stack: Stack) -> None:
    """What a person does who knows Pulumi well, from 3.256 on."""
    stack.run("destroy", "--ignore-protect")


def ways(stack: Stack) -> list[Callable[[Stack], None]]:
    """Those that this Pulumi knows."""
    if "--ignore-protect" in stack.pulumi("destroy", "--help"):
        return [destroy_unprotected, destroy_ignoring_protection]
    return [destroy_unprotected]


def test_a_destroy_past_the_first_lock_leaves_the_data_and_the_old_state_brings_it_back(
    no_stack, switch
):
    switch(True)
    uid = no_stack.claim_uid()
    password = no_stack.engine.outputs(show_secrets=True)["password"]
    before = json.loads(no_stack.pulumi("stack", "export"))

    for destroy in ways(no_stack):
        destroy(no_stack)

        assert no_stack.engine.resources == []
        assert all(exists(no_stack, *kept) for kept in KEPT)
        assert not exists(no_stack, *DEPLOYMENT)
        assert no_stack.claim_uid() == uid
        assert no_stack.get(*CLAIM)["status"]["phase"] == "Bound"

        file = no_stack.home.root / "before.json"
        file.write_text(json.dumps(before))
        no_stack.pulumi("stack", "import", "--file", str(file))
        no_stack.run("refresh")
        switch(True)
        assert no_stack.get(*DEPLOYMENT)["status"]["readyReplicas"] == 1
        assert no_stack.claim_uid() == uid
        assert no_stack.engine.outputs(show_secrets=True)["password"] == password
        assert locks(no_stack) == {(True, True)}


def test_a_destroy_of_all_but_the_protected_leaves_a_database_that_comes_back(no_stack, switch):
    switch(True)
    uid = no_stack.claim_uid()

    no_stack.run("destroy", "--exclude-protected")

    assert all(exists(no_stack, *kept) for kept in KEPT)
    assert not exists(no_stack, *DEPLOYMENT)
    switch(True)
    assert no_stack.get(*DEPLOYMENT)["status"]["readyReplicas"] == 1
    assert no_stack.claim_uid() == uid


def test_a_namespace_renamed_together_with_the_switch_leaves_the_old_claim(no_stack, switch):
    switch(True)
    uid = no_stack.claim_uid()

    no_stack.groups = {"protectData": False, "iris": {"namespace": "renamed"}}
    no_stack.run("up")

    assert no_stack.claim_uid() == uid
    assert exists(no_stack, "persistentvolumeclaim", "iris-data", "-n", "renamed")
    no_stack.kubectl("delete", "namespace", "iris")
    no_stack.run("destroy")
