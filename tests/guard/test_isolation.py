"""What the isolation guard does on a node that is cut off, and on one that only looks like it."""

import pytest

from components.iris.guard.timing import EARLIER_THAN_ENGINE, dead_after
from components.longhorn.settings import GUARDED_ENGINE_TIMEOUT as ENGINE_TIMEOUT
from tests.guard import cases, restarts

during = pytest.mark.during.with_args
SECONDS = 15
IN_TIME = ENGINE_TIMEOUT - EARLIER_THAN_ENGINE


@during(cases.cut_off)
def test_iris_is_dead_before_the_engine_goes_on_alone_and_acknowledges_nothing_after_the_cut(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= dead_after(SECONDS) <= IN_TIME
    assert "; IRIS is killed" in seen.log
    assert not seen.decided or seen.dead - seen.decided < 1, "the guard left it to the kubelet"
    assert seen.acknowledged == []


@during(cases.reset)
def test_where_connections_are_refused_iris_goes_on_for_no_longer_than_the_guards_own_time(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= dead_after(SECONDS)
    assert seen.verdict.startswith("this node has reached nobody for ")
    # The window that a guard cannot close, so that a page that says otherwise is found out.
    assert max(seen.acknowledged) > SECONDS - 2


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(None, marks=during(cases.flapping), id="once"),
        pytest.param(None, marks=during(cases.flapping_early), id="again and again"),
    ],
    indirect=True,
)
def test_a_link_that_comes_back_for_a_second_saves_nobody(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= IN_TIME
    assert seen.acknowledged == []


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(None, marks=during(case), id=case.__name__)
        for case in (
            cases.left_alone,
            cases.one_peer_left,
            cases.only_the_api_server,
            cases.replica_lost,
            cases.slow_answers,
            cases.short_cut,
            cases.storage_upgrade,
            cases.control_plane_away,
            cases.mostly_up,
            cases.never_asked_the_api_server,
            cases.starved,
        )
    ],
    indirect=True,
)
def test_iris_lives_on_where_somebody_answers_or_the_cut_is_short(seen):
    assert seen.dead is None, seen.verdict
    assert seen.acknowledged


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(None, marks=during(cases.too_slow_answers), id="answers too late"),
        pytest.param(None, marks=during(cases.only_managers_known), id="API server never asked"),
    ],
    indirect=True,
)
def test_an_answer_that_comes_too_late_or_was_never_to_be_had_saves_nobody(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= IN_TIME


@during(cases.frozen_healthy)
def test_a_machine_that_stood_still_for_half_a_minute_and_is_well_keeps_its_iris(seen):
    assert seen.dead is None, seen.verdict
    assert seen.acknowledged


@during(cases.frozen_and_cut_off)
def test_a_machine_that_stood_still_and_is_cut_off_loses_it(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= 12


@during(cases.cut_off_before_it_froze)
def test_a_machine_that_was_cut_off_before_it_stood_still_loses_it_at_once(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= 6


@during(cases.kubelet_alone)
def test_the_kubelet_ends_iris_in_time_where_the_guard_itself_cannot(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= dead_after(SECONDS) <= IN_TIME


@during(cases.guard_killed)
def test_a_guard_that_is_killed_is_begun_anew_and_knows_since_when_the_write_hangs(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead <= IN_TIME


@during(restarts.restarted_while_cut_off)
def test_a_container_that_is_restarted_there_waits_until_others_have_answered_for_a_while(seen):
    assert not seen.ran_while_cut_off
    assert "IRIS waits" in seen.log
    assert seen.waited_after_the_heal is not None, "IRIS never started"
    assert seen.waited_after_the_heal >= SECONDS


@during(restarts.egress_denied)
def test_a_pod_that_a_policy_cuts_off_loses_its_iris_and_waits_until_somebody_deletes_it(seen):
    assert seen.dead is not None, "IRIS lived on"
    assert seen.dead >= SECONDS - 1
    assert seen.waited >= restarts.LONGER_THAN_A_NEW_POD_WAITS
    assert "IRIS waits" in seen.log
    # Half a policy taken back is enough, and nothing is remembered that would make it wait.
    assert seen.new_pod_after is not None, "the new pod waits as well"
    assert seen.new_pod_after < SECONDS - 5


@during(restarts.nobody_ever_answered)
def test_a_new_pod_that_reaches_nobody_starts_unguarded_after_a_minute(seen):
    assert seen.new_pod_after is not None, "IRIS never started"
    assert seen.new_pod_after >= 58  # its clock begins after the container's
    assert "nobody has ever answered this pod; IRIS starts without a guard" in seen.log
    assert seen.guarded


@during(restarts.instance_gone)
def test_an_instance_that_runs_no_more_is_told_to_stop_after_six_questions_and_not_killed(seen):
    assert seen.probe_before == 0
    assert seen.told_to_stop_after is not None, "nobody told it"
    assert 5 <= seen.told_to_stop_after <= 14
