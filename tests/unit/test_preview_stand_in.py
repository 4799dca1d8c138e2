"""What the stand-in for providers answers in a preview, and what the warm-up loads."""

import sys
from types import ModuleType
from typing import Any, get_args

import pytest
from google.protobuf import json_format

from lab.engine import sdk_classes
from lab.plugins.markers import SIGNATURE, UNKNOWN
from lab.plugins.protocol import provider_pb2
from lab.preview.stand_in import PreviewStandIn
from stacks.settings import Cloud

SECRET = "kubernetes:core/v1:Secret"
NO_CALL: Any = None
"""Stands for the context of a call, which nothing that is tested here looks at."""


def checked(type_token: str, inputs: dict[str, Any], urn: str = "urn:a") -> dict[str, Any]:
    """A resource's inputs as Check gives them back."""
    request = provider_pb2.CheckRequest(type=type_token, name="iris-cpf", urn=urn)
    request.news.update(inputs)
    return json_format.MessageToDict(PreviewStandIn().Check(request, NO_CALL).inputs)


def created(type_token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """A resource's outputs in a preview."""
    request = provider_pb2.CreateRequest(type=type_token, name="x", preview=True)
    request.properties.update(inputs)
    return json_format.MessageToDict(PreviewStandIn().Create(request, NO_CALL).properties)


@pytest.mark.parametrize("metadata", [{}, {"metadata": {}}, {"metadata": {"labels": {"a": "b"}}}])
def test_a_kubernetes_object_without_a_name_gets_one_that_stays(metadata):
    names = [
        checked(SECRET, {"kind": "Secret", **metadata}, urn)["metadata"]["name"]
        for urn in ("urn:a", "urn:a", "urn:b")
    ]

    assert names[0] == names[1] != names[2]
    assert names[0].startswith("iris-cpf-")
    assert len(names[0]) == len("iris-cpf-") + 8


@pytest.mark.parametrize(
    "metadata",
    [{"name": "mine"}, {"generateName": "mine-"}, {"name": UNKNOWN}, UNKNOWN, {SIGNATURE: "1"}],
)
def test_a_name_that_is_given_or_not_yet_known_stays(metadata):
    inputs = {"kind": "Secret", "metadata": metadata}

    assert checked(SECRET, inputs) == inputs


@pytest.mark.parametrize("token", ["kubernetes:helm.sh/v3:Release", "aws:s3/bucket:Bucket"])
def test_what_is_no_kubernetes_object_is_not_named(token):
    assert checked(token, {"chart": "longhorn"}) == {"chart": "longhorn"}


def test_inputs_come_back_and_nothing_is_made_up():
    assert created("aws:s3/bucket:Bucket", {"bucketPrefix": "x-"}) == {"bucketPrefix": "x-"}


def test_what_eks_adds_to_its_vpc_configuration_is_unknown():
    outputs = created("aws:eks/cluster:Cluster", {"vpcConfig": {"subnetIds": ["a"]}})

    assert outputs["vpcConfig"]["subnetIds"] == ["a"]
    assert outputs["vpcConfig"]["clusterSecurityGroupId"] == UNKNOWN


def test_the_identity_of_aks_which_comes_back_in_another_form_is_unknown():
    inputs = {"identity": {"userAssignedIdentities": ["id"]}, "location": "westeurope"}

    outputs = created("azure-native:containerservice:ManagedCluster", inputs)

    assert outputs == {"location": "westeurope"}


def test_the_warm_up_knows_the_module_of_every_cloud():
    assert sdk_classes.MODULES.keys() == set(get_args(Cloud))


class Lazy(ModuleType):
    """A module of an SDK that notes what is asked of it."""

    def __init__(self, name: str, asked: list[str]) -> None:
        super().__init__(name)
        self.asked = asked

    def __getattr__(self, name: str) -> "Lazy":
        if name.startswith("_"):
            raise AttributeError(name)
        self.asked.append(f"{self.__name__}.{name}")
        return Lazy(f"{self.__name__}.{name}", self.asked)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Writes the program's module for a cloud; returns what was asked of its SDK when loaded."""

    def write(source: str) -> list[str]:
        asked: list[str] = []
        (tmp_path / "stacks_of_a_test.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setitem(sys.modules, "pulumi_stars", Lazy("pulumi_stars", asked))
        monkeypatch.setitem(sdk_classes.MODULES, "stars", "stacks_of_a_test")
        monkeypatch.setattr(sdk_classes, "PROGRAM_PACKAGES", ("stacks_of_a_test",))
        sys.modules.pop("stacks_of_a_test", None)
        try:
            sdk_classes.load("stars")
        finally:
            sys.modules.pop("stacks_of_a_test", None)
        return asked

    return write


@pytest.mark.parametrize(
    "source",
    [
        "import pulumi_stars as s\ndef f(): return s.core.v1.Sun()",
        "import pulumi_stars\ndef f(): return pulumi_stars.core.v1.Sun()",
        "from pulumi_stars import core\ndef f(): return core.v1.Sun()",
        "from pulumi_stars import (\n    core as c,\n)\ndef f(): return c.v1.Sun()",
    ],
)
def test_the_warm_up_finds_classes_however_the_sdk_is_imported(program, source):
    assert "pulumi_stars.core.v1.Sun" in program(source)


def test_the_warm_up_leaves_a_broken_program_to_its_run(program):
    assert program("import pulumi_stars\nraise RuntimeError('broken')") == []


def test_the_warm_up_leaves_a_program_of_another_shape_alone(monkeypatch):
    monkeypatch.setitem(sdk_classes.MODULES, "stars", "no_such_module_anywhere")

    sdk_classes.load("stars")
