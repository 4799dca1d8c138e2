"""Editors and people are told the truth about stack files."""

import jsonschema
import pytest
import yaml

from stacks.schema import REFERENCE_FILE, SCHEMA_FILE, reference_text, schema_text, stack_schema
from tests.unit.conftest import ROOT

STACKS = ["dev", "aks", "eks", "gke"]


def test_the_schema_is_that_of_the_settings():
    assert SCHEMA_FILE.read_text() == schema_text(), "run `make schema`"


def test_the_reference_is_that_of_the_settings():
    assert REFERENCE_FILE.read_text() == reference_text(), "run `make schema`"


def test_the_reference_shows_where_the_number_of_an_instance_goes():
    assert "`ha-iris:iris.restore.instances.N.system.snapshot`" in reference_text()


@pytest.mark.parametrize("stack", STACKS)
def test_a_committed_stack_file_fits_the_schema_and_names_it(stack):
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()

    assert text.startswith("# yaml-language-server: $schema=stacks/stack.schema.json\n")
    jsonschema.validate(yaml.safe_load(text), stack_schema())


@pytest.mark.parametrize(
    "config",
    [
        {"ha-iris:irsi": {}},
        {"ha-iris:iris": {"storageGb": 10}},
        {"ha-iris:cloud": "aws", "ha-iris:cluster": {"kubeconfig": "k"}},
        {"ha-iris:iris": {"password": "in clear"}},
    ],
)
def test_the_schema_marks_what_the_program_refuses(config):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, stack_schema())


def test_an_encrypted_secret_is_no_fault():
    jsonschema.validate(
        {"config": {"ha-iris:iris": {"password": {"secure": "v1:abc"}}}}, stack_schema()
    )


@pytest.mark.parametrize("stack", STACKS)
def test_no_committed_stack_file_holds_a_secret(stack):
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()

    assert "secure:" not in text
    assert "encryptionsalt" not in text
