"""The wait for Longhorn's copies: it believes no single look, and always comes to an end."""

import asyncio
from collections.abc import Callable

import pytest

from components.kubernetes_api import Unreachable
from components.waiting import GaveUp, Patience, wait

PATIENCE = Patience(timeout=3600, settled=90, silence=300, every=15, between_lines=60)
REBUILDING = ["pvc-1: 2 of 3 copies whole, the next one 41 % rebuilt"]


class Told(list[str]):
    """The lines of one wait, and how long it took."""

    seconds: float = 0


def waited(looks: Callable[[float], list[str] | Exception | None]) -> Told:
    """Wait with a clock that jumps; ``looks`` says what is missing after so many seconds."""
    told = Told()

    async def look() -> list[str] | None:
        found = looks(told.seconds)
        if isinstance(found, Exception):
            raise found
        return found

    async def sleep(seconds: float) -> None:
        told.seconds += seconds

    # asyncio.run would leave the other tests without the loop that they share.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(
            wait(look, PATIENCE, told.append, clock=lambda: told.seconds, sleep=sleep)
        )
    except GaveUp as reason:
        reason.add_note(str(told.seconds))
        raise
    finally:
        loop.close()
    return told


def test_a_cluster_without_longhorn_is_not_waited_for():
    assert waited(lambda _: None).seconds == 0


def test_healthy_copies_are_believed_after_they_stayed_so():
    assert waited(lambda _: []).seconds == 90


def test_a_copy_that_is_lost_while_the_wait_settles_begins_it_anew():
    assert waited(lambda at: REBUILDING if at == 75 else []).seconds == 75 + 15 + 90


def test_a_rebuild_is_waited_for_with_a_line_of_progress():
    told = waited(lambda at: [] if at >= 600 else [f"pvc-1: {at / 6:.0f} % rebuilt"])

    assert told.seconds == 600 + 90
    assert told[:3] == ["pvc-1: 0 % rebuilt", "pvc-1: 10 % rebuilt", "pvc-1: 20 % rebuilt"]
    assert told[-1] == "nothing is missing, for 90 s to be sure"


def test_a_volume_that_stays_degraded_ends_the_wait_after_its_time():
    with pytest.raises(GaveUp, match="2 of 3 copies whole") as reason:
        waited(lambda _: REBUILDING)
    assert reason.value.__notes__ == ["3600"]


def test_a_volume_that_is_healthy_now_and_then_ends_the_wait_after_its_time():
    with pytest.raises(GaveUp, match="2 of 3"):
        waited(lambda at: REBUILDING if at % 60 == 0 else [])


def test_a_cluster_that_gives_no_answer_ends_the_wait_after_minutes():
    with pytest.raises(GaveUp, match="does not answer: connection refused") as reason:
        waited(lambda _: Unreachable("connection refused"))
    assert reason.value.__notes__ == ["300"]


def test_a_control_plane_that_is_replaced_meanwhile_is_waited_for():
    told = waited(lambda at: REBUILDING if at < 400 else Unreachable("refused") if at < 600 else [])

    assert told.seconds == 600 + 90
    assert "the cluster does not answer: refused" in told
