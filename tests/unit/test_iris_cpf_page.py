"""The page about the configuration of IRIS holds what others rely on."""

import re

import yaml

from components.iris.pod import SCRIPTS
from tests.unit.conftest import ROOT
from tests.unit.iris_configuration import HASH, settings

PAGE = (ROOT / "docs" / "cpf.md").read_text()


def test_the_example_is_a_stack_file_that_is_taken():
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    said = yaml.safe_load(example.replace("HASH,SALT,10000,SHA512", HASH))

    read = settings(
        **said["config"]["ha-iris:iris"],
        image="containers.intersystems.com/intersystems/irishealth:2026.1",
    )

    assert [database.name for database in read.actions.databases] == ["APP"]
    assert read.cpf == {"SQL": ("LockTimeout=20",)}


def test_the_log_of_a_container_leads_to_a_heading_that_exists():
    assert "docs/cpf.md, Was it applied?" in SCRIPTS["merge_errors.sh"]
    assert "\n## Was it applied?\n" in PAGE


def test_each_mark_has_its_source_and_each_source_is_used():
    text, _, table = PAGE.partition("## Sources")
    marks = set(
        re.findall(r"\[([a-z0-9]+)\](?!\()", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    )
    sources = set(re.findall(r"\[([a-z0-9]+)\]", table))

    # Sections of the CPF stand in brackets too.
    assert marks - {"config"} == sources
