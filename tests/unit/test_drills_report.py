"""What a drill writes down, and when it says that its budget is not kept."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drills import DrillError, history, report
from drills.attempts import Attempt
from drills.checker import Verdict
from drills.compare import line_of
from drills.report import Budget, Drill
from drills.run import Run
from drills.timeline import timeline
from drills.times import Recovery

CLEAN = Verdict(100, (), (7,), (8,), (), (), ())


def run(first: float | None = 30, verdict: Verdict | None = CLEAN) -> Run:
    """A run that was served again after so many seconds."""
    attempts = [
        Attempt(1, 995, 995.1, "acknowledged"),
        Attempt(2, 1001, 1011, "unknown"),
        Attempt(3, 1030, 1030.1, "acknowledged"),
    ]
    return Run(
        scenario="pod-deleted",
        began=1000,
        node="node-a",
        zone="a",
        recovery=Recovery(first, first, 30),
        phases={"noticed": 0.1, "ready": 29.0},
        verdict=verdict,
        back_on="node-b",
        attempts=attempts,
    )


def drill(*runs: Run, rto: float = 60) -> Drill:
    """A drill of these runs."""
    where, versions = "cluster test", {"commit": "abc", "Kubernetes": "v1.36.3"}
    return Drill("pod-deleted", "prod", where, Budget(rto), list(runs), versions, "1")


def test_a_budget_is_kept_if_every_run_keeps_it():
    assert drill(run(30), run(59)).kept
    assert not drill(run(30), run(61)).kept
    assert not drill(run(None)).kept
    assert not drill().kept, "no run is no proof"


def test_a_run_in_which_a_controller_of_the_lab_ended_shows_nothing():
    spoiled = replace(run(20), ended=("kube-controller-manager",))

    assert Budget(60).faults(spoiled) == [
        "kube-controller-manager of the lab ended meanwhile: run it again"
    ]


def test_one_lost_commit_breaks_the_budget_however_quick_it_was():
    lost = replace(CLEAN, missing=(41,))

    assert not drill(run(1, lost)).kept
    assert "1 acknowledged commits are missing" in Budget(60).faults(run(1, lost))[0]
    assert not Budget(60, rpo=1).faults(run(1, lost))


@pytest.mark.parametrize(
    "bad", [{"two_writers": (("a", "b"),)}, {"duplicates": (3,)}, {"ghosts": (3,)}]
)
def test_two_writers_and_commits_that_nobody_made_break_every_budget(bad: dict[str, tuple]):
    assert Budget(60, rpo=100).faults(run(1, replace(CLEAN, **bad)))


def test_the_report_has_the_spread_and_never_one_number(tmp_path: Path):
    page = report.write(drill(run(10), run(20), run(None)), tmp_path).read_text()

    assert "| 10.0 | 15.0 | 20.0 | 2 of 3 |" in page
    assert "budget NOT kept" in page
    assert "SynchCommit 1" in page
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["rto"] == {"min": 10, "median": 15, "max": 20, "measured": 2, "runs": 3}
    assert found["rpo"]["max"] == 0
    assert [bool(one["faults"]) for one in found["runs"]] == [False, False, True]


def test_where_no_commit_is_made_the_report_says_so(tmp_path: Path):
    page = report.write(drill(run(10, None)), tmp_path).read_text()

    assert "commits: not measured here" in page
    assert "RPO" not in page


def test_a_build_server_sees_the_run_that_failed(tmp_path: Path):
    report.write(drill(run(10), run(90)), tmp_path)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()

    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "90.0 s, and the budget is 60 s" in suite[1][0].attrib["message"]


def test_the_picture_names_the_phases_and_shades_the_outage():
    picture = ElementTree.fromstring(timeline(run(30), "cluster test"))
    texts = [item.text or "" for item in picture.iter() if item.tag.endswith("text")]

    assert "served again after 30.0 s" in texts
    assert {"noticed 0.1 s", "ready 29.0 s"} <= set(texts)
    strokes = {item.get("stroke") for item in picture.iter() if item.tag.endswith("line")}
    assert {"#2b7a4b", "#b26a00"} <= strokes, "acknowledged and unknown are told apart"
    never = timeline(run(None), "cluster test")
    assert "not served again" in never


def test_the_history_grows_by_one_line_for_each_drill_and_can_be_drawn(tmp_path: Path):
    file = tmp_path / "history.jsonl"
    report.remember(drill(run(10)), file)
    report.remember(drill(run(20, replace(CLEAN, missing=(3,)))), file)
    report.remember(drill(run(None)), file)

    found = history.read(file)
    assert [one["rto"]["median"] for one in found] == [10, 20, None]
    picture = ElementTree.fromstring(history.chart(found))
    dots = [item for item in picture.iter() if item.tag.endswith("circle")]
    assert [dot.get("stroke") for dot in dots] == [None, "#b3261e"], "a loss is ringed in red"


def test_a_file_that_is_no_history_is_refused(tmp_path: Path):
    (tmp_path / "other").write_text('{"a": 1}\n')

    with pytest.raises(DrillError, match="is no history of drills"):
        history.read(tmp_path / "other")


def test_beside_one_that_never_recovered_the_ratio_is_a_bound():
    drills = {
        "article": drill(run(None), run(None)),
        "ours": drill(run(100), run(150)),
        "fenced": drill(run(50)),
    }

    line = line_of("power-cut", drills, ["article", "ours", "fenced"], 300)
    assert "not recovered within 300 s, 2 of 2 runs" in line
    assert line.endswith("| 125.0 (100.0 to 150.0) | 50.0 (50.0 to 50.0) | over 2.4 | over 6.0 |")


def test_what_only_one_lab_shows_has_no_ratio():
    found = {"article": drill(run(40)), "ours": drill(run(20))}

    assert line_of("x", found, ["article", "ours"], 300).endswith("| 2.00 |")
    only = {"fenced": drill(run(20))}
    assert line_of("x", only, ["ours", "fenced"], 300) == "| x | - | 20.0 (20.0 to 20.0) | - |"
