"""The working copy of a project: what the committed files say, and never a write to them."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from lab import LabError
from lab.engine.project_copy import MADE_UP_SECRET, copy_project, merge, read_config, stacks_of
from lab.home import write

SEALED = {"secure": "v1:c2VhbGVk"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with two stacks."""
    folder = tmp_path / "project"
    (folder / "lab").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: ha-iris\n")
    config = {"ha-iris:iris": {"storageGib": 20, "service": {"type": "ClusterIP"}}}
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))
    (folder / "Pulumi.eks.yaml").write_text("config:\n  ha-iris:cloud: aws\n")
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The lab's folder for the copy."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def seal(project: Path, **groups: object) -> None:
    """Make the project's dev stack one with encrypted values."""
    config = {f"ha-iris:{name}": group for name, group in groups.items()}
    (project / "Pulumi.dev.yaml").write_text(
        yaml.safe_dump({"encryptionsalt": "v1:theirs", "config": config})
    )


def copied(work: Path, stack: str = "dev") -> dict:
    """The stack file in the working copy."""
    return yaml.safe_load((work / f"Pulumi.{stack}.yaml").read_text())


def test_settings_are_laid_over_the_stack_file_and_the_rest_of_a_group_stays(project, work):
    settings = {"ha-iris:iris": {"storageGib": 40}, "ha-iris:protectData": False}

    copy_project(project, work, "dev", settings, preview=False)

    assert copied(work)["config"] == {
        "ha-iris:iris": {"storageGib": 40, "service": {"type": "ClusterIP"}},
        "ha-iris:protectData": False,
    }


def test_a_list_is_replaced_and_not_joined():
    assert merge({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": 4}) == {"a": [3], "b": 4}


def test_the_committed_files_stay_as_they_are(project, work):
    before = {file: file.read_bytes() for file in project.iterdir() if file.is_file()}

    copy_project(project, work, "dev", {"ha-iris:iris": {"storageGib": 40}}, preview=True)

    assert {file: file.read_bytes() for file in project.iterdir() if file.is_file()} == before


def test_the_salt_of_the_labs_own_passphrase_survives_a_second_run(project, work):
    copy_project(project, work, "dev", {}, preview=False)
    noted = {**copied(work), "encryptionsalt": "v1:ours"}
    (work / "Pulumi.dev.yaml").write_text(yaml.safe_dump(noted))

    copy_project(project, work, "dev", {}, preview=False)

    assert copied(work)["encryptionsalt"] == "v1:ours"


def test_the_salt_of_somebody_elses_passphrase_is_not_taken_over(project, work):
    seal(project, iris={"storageGib": 20})

    copy_project(project, work, "dev", {}, preview=True)

    assert "encryptionsalt" not in copied(work)


def test_a_preview_makes_encrypted_values_up_wherever_they_are(project, work):
    seal(project, iris={"password": SEALED, "keys": [SEALED, "clear"]}, access=SEALED, plain="x")

    made_up = copy_project(project, work, "dev", {}, preview=True)

    assert made_up == ["ha-iris:access", "ha-iris:iris"]
    assert copied(work)["config"] == {
        "ha-iris:access": MADE_UP_SECRET,
        "ha-iris:iris": {"keys": [MADE_UP_SECRET, "clear"], "password": MADE_UP_SECRET},
        "ha-iris:plain": "x",
    }


def test_an_update_is_never_given_a_made_up_secret(project, work):
    seal(project, iris={"password": SEALED})

    with pytest.raises(LabError) as refused:
        copy_project(project, work, "dev", {}, preview=False)

    assert str(refused.value).startswith("Pulumi.dev.yaml: ha-iris:iris: encrypted with a key")
    assert [*work.iterdir()] == []


def test_a_group_with_more_than_a_ciphertext_is_a_group(project, work):
    seal(project, iris={"secure": "v1:x", "storageGib": 20})

    assert copy_project(project, work, "dev", {}, preview=True) == []


@pytest.mark.parametrize("chart", ["./lab/charts/longhorn", "mirror/longhorn.tgz"])
@pytest.mark.parametrize("whose", ["longhorn", "operator"])
def test_a_chart_named_by_a_relative_path_is_found_from_the_copy(project, work, chart, whose):
    (project / "mirror").mkdir()
    settings = (
        {"ha-iris:longhorn": {"chart": chart}}
        if whose == "longhorn"
        else {
            "ha-iris:longhorn": {"chart": "longhorn"},
            "ha-iris:iris": {"operator": {"chart": chart}},
        }
    )
    copy_project(project, work, "dev", settings, preview=False)
    copy_project(project, work, "dev", settings, preview=False)

    folder = "lab" if "lab" in chart else "mirror"
    assert (work / folder).resolve() == project / folder


@pytest.mark.parametrize("chart", ["longhorn", "/srv/longhorn", "../longhorn", "oci://r/longhorn"])
def test_nothing_is_linked_for_a_chart_from_elsewhere(project, work, chart):
    copy_project(project, work, "dev", {"ha-iris:longhorn": {"chart": chart}}, preview=False)

    assert not any(entry.is_symlink() for entry in work.iterdir())


def test_stacks_are_the_stack_files(project):
    (project / "Pulumi.README.md").write_text("")

    assert stacks_of(project) == ["dev", "eks"]


FAULTS = {
    "no YAML": ("a: [", "Pulumi.torn.yaml: not YAML (while parsing a flow"),
    "a list": ("[1]", "Pulumi.torn.yaml: no stack file; write `config:`"),
    "config that is text": ("config: x", "Pulumi.torn.yaml: no stack file; write `config:`"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_no_stack_file_is_named(project, fault):
    content, expected = FAULTS[fault]
    (project / "Pulumi.torn.yaml").write_text(content)

    with pytest.raises(LabError) as refused:
        read_config(project, "torn")

    assert str(refused.value).startswith(expected)


def test_a_file_without_settings_is_a_stack_file(project):
    (project / "Pulumi.bare.yaml").write_text("")

    assert read_config(project, "bare") == {}


def test_an_unknown_stack_is_answered_with_the_known_ones(project):
    with pytest.raises(LabError, match=r"stack prod: there is no Pulumi.prod.yaml; .*dev, eks"):
        read_config(project, "prod")


def test_what_is_written_is_for_its_owner_only_and_leaves_no_draft(tmp_path):
    before = os.umask(0)
    try:
        write(tmp_path / "secret", "text")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_stand_ins_for_plugins_are_named_in_the_copy_alone(project, work, tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "pulumi-resource-random").touch()
    before = (project / "Pulumi.yaml").read_text()

    copy_project(project, work, "dev", {}, preview=False, plugins=plugins)

    copy = yaml.safe_load((work / "Pulumi.yaml").read_text())
    assert copy.pop("plugins") == {"providers": [{"name": "random", "path": str(plugins)}]}
    assert copy == yaml.safe_load(before)
    assert (project / "Pulumi.yaml").read_text() == before
