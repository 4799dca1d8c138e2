"""The benchmarks tell what they measured, beside a floor of the same run."""

import pytest

from bench.__main__ import missed
from bench.beside import Figure, in_turn
from bench.imports import REST, shares
from bench.measures import DATABASES, PARTS, per_database
from bench.page import BEGIN, END, PAGE, circumstances, refreshed, table
from tests.unit.conftest import ROOT


def figure(what, seconds, floor_seconds=(1.0,), **facts):
    return Figure("group", what, [*seconds], "the floor", [*floor_seconds], facts)


def test_what_is_measured_and_its_floor_take_turns():
    done = []

    def measure(name, seconds):
        def run():
            done.append(name)
            return seconds

        return run

    (found,) = in_turn(
        "group", {"floor": measure("floor", 2.0), "slow": measure("slow", 5.0)},
        floor="floor", runs=2,
    )  # fmt: skip

    # One of each first, which fills caches and counts for nothing.
    assert done == ["floor", "slow"] * 3
    assert (found.what, found.median, found.floor_median, found.ratio) == ("slow", 5.0, 2.0, 2.5)


def test_the_table_says_ratio_resources_load_and_versions():
    facts = circumstances(3, (4.21, 3.0, 2.0))

    told = table([figure("preview of eks", [2.0, 9.0, 3.0], [1.5], resources=69)], facts)

    assert "| preview of eks | 69 | 3.00 | the floor | 1.50 | 2.00 |" in told
    assert f"{facts['cores']} cores, load 4.2 (1 min; 3.0 in 5), 3 runs in turn" in told
    assert f"Pulumi {facts['Pulumi']}, engine" in told
    assert "?" not in told


def test_what_each_further_database_adds_is_told_where_least_and_most_were_measured():
    least, most = min(DATABASES), max(DATABASES)
    named = {least: "preview of 1 database", most: f"preview of {most} databases"}
    figures = [figure(named[least], [2.0]), figure(named[most], [2.7])]

    assert per_database(figures) == pytest.approx(0.1)
    assert per_database(figures[:1]) is None
    assert "Each further database adds 100 ms" in table(figures, circumstances(1, (0, 0, 0)))


def test_a_new_run_takes_the_place_of_the_last_and_of_nothing_else():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert refreshed(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="has no place for figures"):
        refreshed("before", "new")
    assert refreshed(PAGE.read_text(), "new").count("\nnew\n") == 1


def test_the_goal_of_previews_is_missed_by_either_of_its_two_measures():
    assert not missed([figure("preview of eks", [1.9])])
    assert missed([figure("preview of eks", [2.1])])
    assert missed([figure("preview of eks", [3.3], [2.0])])
    assert not missed([figure("preview of aks", [9.0])])


def test_an_import_is_accounted_for_by_whose_modules_take_its_time():
    account = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:    120000 |     120000 |   pulumi_kubernetes.core.v1._inputs\n"
        "import time:     50000 |     170000 | components.iris.settings\n"
        "import time:      1000 |       1000 | encodings.utf_8\n"
    )

    assert shares(account) == {
        "pulumi-kubernetes: its classes": 0.12,
        "this program: its modules and its models of settings": 0.05,
        REST: 0.001,
    }


def test_the_page_and_the_command_line_name_every_part():
    assert {"previews", "imports", "growth", "boot", "up"} == PARTS.keys()
    for number in DATABASES:
        assert (ROOT / "bench" / "many" / f"Pulumi.many-{number}.yaml").exists()
