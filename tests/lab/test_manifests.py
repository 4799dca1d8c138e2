"""What the program deploys fits the schemas of the API server, and no advice is left unanswered."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.manifests import ARTICLE, REASONS, Figures, reasons, tables
from lab import REPOSITORY
from lab.cluster.control_plane import ControlPlane
from lab.home import LabHome

CHARTS = {"longhorn.io"}
"""API groups whose definitions come with a chart, after the API server has started."""


@pytest.fixture(scope="module")
def figures(
    control_plane: ControlPlane, lab_home: LabHome, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What kubeconform and kube-score say, in a process of its own: it plays an engine."""
    file: Path = tmp_path_factory.mktemp("figures") / "figures.json"
    command = [sys.executable, "-m", "bench.manifests", "--kubeconfig", str(lab_home.kubeconfig)]
    done = subprocess.run(
        [*command, "--json", str(file)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert file.exists(), done.stderr
    return json.loads(file.read_text())


def test_every_object_fits_the_schema_of_its_kind(figures: dict[str, Any]):
    assert {name: one["invalid"] for name, one in figures.items() if one["invalid"]} == {}
    assert all(one["objects"] for one in figures.values())


def test_only_kinds_that_a_chart_brings_have_no_schema(figures: dict[str, Any]):
    unknown = {kind for one in figures.values() for kind in one["unknown"]}

    assert {kind.split("/")[0] for kind in unknown} <= CHARTS


def test_advice_that_is_not_followed_has_a_reason_and_no_reason_is_left_over(
    figures: dict[str, Any],
):
    ours = {name: one for name, one in figures.items() if name != ARTICLE}

    open_ones = {check for one in ours.values() for check in one["advice"]}
    assert open_ones == {*REASONS}


def test_what_the_article_lacks_is_found_and_is_there_in_ours(figures: dict[str, Any]):
    lacking = {check for check, counts in figures[ARTICLE]["advice"].items() if counts}

    ours = {check for name, one in figures.items() if name != ARTICLE for check in one["advice"]}
    assert lacking - ours == {
        "container-resources",
        "container-security-context-user-group-id",
        "pod-probes",
    }


def test_the_page_has_the_figures_and_the_reasons(figures: dict[str, Any]):
    page = (REPOSITORY / "docs" / "manifests.md").read_text()

    assert tables({name: Figures(**one) for name, one in figures.items()}) in page
    assert reasons() in page
