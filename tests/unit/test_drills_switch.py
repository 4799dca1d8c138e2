"""The switch of real machines: what is off comes on again, whatever stands in the way of some."""

from pathlib import Path

import pytest

from drills import DrillError, undo
from drills.switch import OFF, Switch
from tests.unit.drilled_cluster import Played, node, without_waits


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    without_waits(monkeypatch)


class Machines:
    """A cluster with three machines and the two commands of their switch."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.broken = folder / "broken"
        self.api = Played(
            **{f"/api/v1/nodes/{name}": {"spec": {"providerID": f"i-{name}"}} for name in "abc"}
        )
        body = f'echo $0 $1 >>{self.log}; ! grep -qx "$0 $1" {self.broken}'
        self.off = f"sh -c '{body}' off {{node}}"
        self.on = f"sh -c '{body}' on {{id}}"

    def breaks(self, *commands: str) -> None:
        """These fail from now on."""
        self.broken.write_text("".join(f"{command}\n" for command in commands))

    def switch(self) -> Switch:
        return Switch(self.api, off=self.off, on=self.on)  # pyright: ignore[reportArgumentType]

    def ran(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def three(tmp_path: Path) -> Machines:
    found = Machines(tmp_path)
    found.breaks()
    return found


def test_without_a_switch_no_power_is_cut():
    with pytest.raises(DrillError, match="--power-off and --power-on"):
        Switch(Played(), off=None, on=None).off(["a"]).__enter__()  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("command", ["aws --query {State:x}", "virsh start '{node}", " "])
def test_a_command_that_cannot_be_read_is_refused_before_any_power_is_cut(
    three: Machines, command: str
):
    three.on = command

    with pytest.raises(DrillError, match="any other brace twice"):
        three.switch().off(["a"]).__enter__()

    assert not three.log.exists()
    assert not [line for line in three.api.asked if OFF in line]


def test_power_comes_back_when_the_drill_is_interrupted(three: Machines):
    with pytest.raises(KeyboardInterrupt), three.switch().off(["a"]):
        raise KeyboardInterrupt

    assert three.ran() == ["off a", "on i-a"]
    marks = [line for line in three.api.asked if OFF in line]
    assert ["'i-a'" in line for line in marks] == [True, False]


def test_a_machine_that_does_not_start_leaves_the_others_of_its_zone_on(three: Machines):
    three.breaks("on i-a")

    left = pytest.raises(DrillError, match=r"not undone: power of a: .* ended with 1")
    with left, three.switch().off(["a", "b", "c"]):
        pass

    assert three.ran()[3:6] == ["on i-a", "on i-b", "on i-c"]
    unmarked = [line for line in three.api.asked if f"'{OFF}': None" in line]
    assert ["nodes/a" in line for line in unmarked] == [False, False]


def test_a_machine_that_is_still_stopping_is_switched_on_later(
    three: Machines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(undo, "UNDO_SECONDS", 30)
    three.breaks("on i-a")

    def stopped(_: float) -> None:
        if three.ran().count("on i-a") == 3:
            three.breaks()

    monkeypatch.setattr(undo.time, "sleep", stopped)
    with three.switch().off(["a"]):
        pass
    assert three.ran() == ["off a", *["on i-a"] * 4]


def test_a_machine_that_was_never_off_need_not_be_switched_on(three: Machines):
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    three.api.get = lambda path: {"spec": {"providerID": f"i-{path[-1]}"}, "status": ready}
    three.breaks("off b", "on i-b")

    with pytest.raises(DrillError, match=r"^sh: ended with 1"):
        three.switch().off(["a", "b", "c"]).__enter__()
    assert three.ran() == ["off a", "off b", "on i-a", "on i-b"]


def test_a_machine_whose_node_the_cloud_has_taken_comes_back_all_the_same(three: Machines):
    with three.switch().off(["a"]):
        three.api.gone("/api/v1/nodes/a")
    assert three.ran() == ["off a", "on i-a"]


def test_what_a_killed_drill_has_switched_off_is_switched_on_by_clean(three: Machines):
    three.api = Played(nodes=[node("a"), node("b", **{OFF: "i-b"})])
    assert three.switch().on_again() == ["power on for b"]
    assert three.ran() == ["on i-b"]

    alone = Switch(three.api, off=None, on=None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DrillError, match="b: a drill has switched these machines off"):
        alone.on_again()
