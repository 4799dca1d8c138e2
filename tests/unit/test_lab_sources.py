"""Official parts or the lab's own: asked for once, never half used, kept under a database."""

import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import REPOSITORY, LabError
from lab.home import LabHome
from lab.plugins import chart
from lab.plugins.provide import provide
from lab.toolchain import Toolchain

CONFIG = {"ha-iris:longhorn": {"chart": chart.STAND_IN}}

HELM = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$ANSWER $1" in
  "slow pull") sleep 5 ;;
  "absent pull") exit 1 ;;
  *" pull") cp "$ARCHIVE" "${7:-$9}/longhorn-1.12.1.tgz" ;;
  *" show") tar tzf "$3" > /dev/null ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabHome:
    """A lab that was never up, with a cache folder of its own."""
    monkeypatch.setenv("HA_IRIS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HA_IRIS_LAB_PLUGINS", raising=False)
    monkeypatch.delenv("HA_IRIS_LAB_CHART", raising=False)
    home = LabHome(tmp_path / "lab")
    home.prepare()
    return home


@pytest.fixture
def repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Toolchain, Path]]:
    """``repository(answer)``: programs whose helm meets a chart repository like that."""

    def behaving(answer: str) -> tuple[Toolchain, Path]:
        archive, calls = tmp_path / "chart.tgz", tmp_path / "calls"
        with tarfile.open(archive, "w:gz") as file:
            file.add(REPOSITORY / "lab/charts/longhorn", "longhorn")
        if answer == "cut short":
            archive.write_bytes(archive.read_bytes()[:500])
        helm = tmp_path / "helm"
        helm.write_text(HELM.replace("${7:-$9}", "$8"))
        helm.chmod(0o755)
        calls.touch()
        monkeypatch.setenv("ANSWER", answer)
        monkeypatch.setenv("ARCHIVE", str(archive))
        monkeypatch.setenv("CALLS", str(calls))
        monkeypatch.setattr(chart, "DOWNLOAD_SECONDS", 1)
        return Toolchain(bin=tmp_path, pulumi=tmp_path / "pulumi"), calls

    return behaving


def holding(home: LabHome) -> None:
    """Let the lab hold an object."""
    file = home.state / ".pulumi/stacks/ha-iris/dev.json"
    file.parent.mkdir(parents=True)
    resource = {"urn": "urn", "type": "kubernetes:core/v1:Namespace"}
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [resource]}}}))


def test_longhorns_own_chart_is_fetched_once_where_its_repository_answers(home, repository):
    programs, calls = repository("good")
    told: list[str] = []

    first = chart.choose(home, CONFIG, programs, told.append)
    asked = calls.read_text()
    second = chart.choose(home, CONFIG, programs, told.append)

    assert first == second == "official"
    assert calls.read_text() == asked
    assert told[-1] == "Longhorn chart: 1.12.1 of https://charts.longhorn.io"
    settings = chart.laid_over(home, CONFIG)
    assert tarfile.is_tarfile(settings["ha-iris:longhorn"]["chart"])


@pytest.mark.parametrize("answer", ["absent", "slow", "cut short"])
def test_the_stand_in_is_used_where_the_repository_does_not_give_the_chart(
    home, repository, answer
):
    programs, calls = repository(answer)
    told: list[str] = []

    chosen = chart.choose(home, CONFIG, programs, told.append)
    asked = calls.read_text()

    assert chosen == chart.choose(home, CONFIG, programs, told.append) == "stand-in"
    assert calls.read_text() == asked, "asked a second time"
    assert told[-1] == "Longhorn chart: the lab's stand-in for 1.12.1"
    assert chart.laid_over(home, CONFIG) == {}
    assert not list(Path(home.root.parent / "cache/charts").glob("*.tgz"))


def test_longhorns_own_chart_is_asked_for_again_when_it_is_demanded(home, repository, monkeypatch):
    programs, _ = repository("absent")
    chart.choose(home, CONFIG, programs, print)
    monkeypatch.setenv("HA_IRIS_LAB_CHART", "official")

    with pytest.raises(LabError, match="does not give chart longhorn"):
        chart.choose(home, CONFIG, programs, print)
    programs, _ = repository("good")
    assert chart.choose(home, CONFIG, programs, print) == "official"


def test_a_stack_file_that_names_a_chart_of_its_own_keeps_it(home, repository):
    programs, calls = repository("good")
    own = {"ha-iris:longhorn": {"chart": "/charts/longhorn"}}

    assert chart.choose(home, own, programs, print) is None
    assert chart.choose(home, {}, programs, print) is None
    assert calls.read_text() == ""


@pytest.mark.parametrize("used", ["absent", "good"])
def test_a_lab_keeps_the_chart_that_its_longhorn_was_installed_from(
    home, repository, monkeypatch, used
):
    programs, _ = repository(used)
    before = chart.choose(home, CONFIG, programs, print)
    holding(home)
    other = {"absent": "good", "good": "absent"}[used]
    programs, calls = repository(other)
    calls.write_text("")

    assert chart.choose(home, CONFIG, programs, print) == before
    assert calls.read_text() == ""
    monkeypatch.setenv("HA_IRIS_LAB_CHART", "official" if used == "absent" else "stand-in")
    with pytest.raises(LabError, match="make down"):
        chart.choose(home, CONFIG, programs, print)


def plugins(home: LabHome, answer: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which plugins the lab gets where the download host gives them (0) or not."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, answer)

    monkeypatch.setattr("lab.plugins.provide.subprocess.run", run)
    return provide(home, Toolchain(bin=home.bin, pulumi=home.bin / "pulumi"), print)


@pytest.mark.parametrize(("used", "other"), [("stand-in", "official"), ("official", "stand-in")])
def test_a_lab_keeps_the_plugins_that_made_its_objects(home, monkeypatch, used, other):
    monkeypatch.setenv("HA_IRIS_LAB_PLUGINS", used)
    assert plugins(home, 0, monkeypatch) == used
    monkeypatch.setenv("HA_IRIS_LAB_PLUGINS", other)
    assert plugins(home, 0, monkeypatch) == other, "nothing is there yet that could be replaced"
    monkeypatch.setenv("HA_IRIS_LAB_PLUGINS", used)
    plugins(home, 0, monkeypatch)
    holding(home)

    monkeypatch.setenv("HA_IRIS_LAB_PLUGINS", other)
    with pytest.raises(LabError, match=r"the database's volume too; run `make down` first"):
        plugins(home, 0, monkeypatch)
    monkeypatch.delenv("HA_IRIS_LAB_PLUGINS")
    assert plugins(home, 0, monkeypatch) == used
