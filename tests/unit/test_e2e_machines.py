"""The end-to-end machines: what they are told, what is installed on them and how they die."""

import re
import shlex
import shutil
import subprocess

import yaml

from drills.__main__ import _parse as parse_drill
from drills.scenarios import SCENARIOS
from e2e.calibrate import STEPS, main, stretches, table
from lab.cluster import Timings
from tests.unit.conftest import ROOT
from tests.unit.end_to_end import Programs, programs

__all__ = ["programs"]

NAMES = ("one", "two", "three")


def test_each_machine_has_a_name_an_address_and_a_network_card_of_its_own(programs: Programs):
    programs.stand_in("ssh-keygen", 'touch "${@: -1}"; echo ssh-ed25519 KEY >"${@: -1}.pub"')

    assert programs.run("machines.sh", "render").returncode == 0

    cards, addresses = set(), set()
    for name in NAMES:
        folder = programs.root / "machines" / name
        user = yaml.safe_load((folder / "user-data").read_text())
        network = yaml.safe_load((folder / "network-config").read_text())["ethernets"]["first"]
        assert (user["hostname"], user["ssh_authorized_keys"]) == (name, ["ssh-ed25519 KEY"])
        cards.add(network["match"]["macaddress"])
        addresses |= {address.removesuffix("/24") for address in network["addresses"]}
    assert len(cards) == 3
    doors = (ROOT / "e2e" / "haproxy.cfg").read_text()
    assert set(re.findall(r"server \w+ ([\d.]+):1972", doors)) == addresses
    assert set(re.findall(r"server \w+ ([\d.]+):6443", doors)) == addresses
    allowed = yaml.safe_load((ROOT / "e2e" / "three.yaml").read_text())
    (clients,) = allowed["config"]["ha-iris:iris"]["service"]["sourceRanges"]
    assert all(address.startswith(clients.removesuffix("0/24")) for address in addresses)


def test_power_goes_without_a_word_to_the_machine_and_comes_back(programs: Programs):
    folder = programs.root / "machines" / "two"
    folder.mkdir(parents=True)
    # It would not end for a kind word.
    machine = subprocess.Popen(["bash", "-c", "trap '' TERM; sleep 60 & wait"])
    (folder / "pid").write_text(str(machine.pid))
    programs.stand_in("ip", "exit 0")
    programs.stand_in("qemu-system-x86_64", "exit 0")

    off = subprocess.Popen(
        ["bash", programs.root / "e2e" / "machines.sh", "off", "two"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(programs.root)},
    )
    assert machine.wait(10) == -9
    assert off.wait(10) == 0
    assert not (folder / "pid").exists()
    assert programs.run("machines.sh", "on", "two").returncode == 0
    (started,) = [note for note in programs.notes if note.startswith("qemu-system")]
    assert "-name two" in started
    assert "mac=52:54:00:77:00:02" in started


def test_a_machine_that_is_none_of_them_is_refused(programs: Programs):
    done = programs.run("machines.sh", "off", "four")

    assert done.returncode == 2
    assert "four is none of one two three" in done.stderr


def test_every_drill_of_the_night_is_one_and_a_failed_one_stops_no_other(programs: Programs):
    folder = programs.root / ".venv" / "bin"
    folder.mkdir(parents=True)
    programs.stand_in("python", "[[ $* != *power-cut* ]]")
    for name in ("python", "pip"):
        shutil.copy(programs.root / "bin" / "python", folder / name)
    programs.stand_in("python", "exit 99")

    done = programs.run("drills.sh", "reports")

    assert done.returncode == 1
    assert "not kept or not run: power-cut" in done.stderr
    asked = [
        note.removeprefix("python -m drills ") for note in programs.notes if " drills " in note
    ]
    assert asked[-1] == "chart reports/history.jsonl reports/history.svg"
    scenarios = [line.split()[0] for line in asked[:-1]]
    assert "power-cut" in scenarios[:-1]
    assert set(scenarios) <= SCENARIOS.keys()
    given = parse_drill([scenarios[0], *words(asked[0])])
    assert (given.stack, given.confirm, given.runs, given.budget) == ("three", "three", 3, 300)


def words(line: str) -> list[str]:
    """Arguments of a drill as a shell would part them; commands lose their quotes in a note."""
    text = re.sub(r"--power-(off|on) (\S+ \S+ \{node\})", r"--power-\1 '\2'", line)
    return shlex.split(text)[1:]


def report(*phases):
    return {"runs": [{"phases": one} for one in phases]}


MOVED = {"detached": 61.0, "attached": 73.5, "started": 75.0, "ready": 98.0}
STAYED = {"noticed": 1.0, "started": 3.0, "ready": 20.0}


def test_what_was_measured_stands_beside_the_labs_constants():
    attach, start = STEPS

    assert stretches([report(MOVED, STAYED)], attach) == [12.5]
    assert stretches([report(MOVED), report(STAYED)], start) == [23.0, 17.0]
    page = table([report(MOVED, STAYED)])
    assert f"| `attach` | {Timings().attach:g} | 10 | 1 | 12.5 | 12.5 | 12.5 |" in page
    assert (
        f"| `database_start` | {Timings().database_start:g} | 15 | 2 | 17.0 | 20.0 | 23.0 |" in page
    )


def test_where_no_volume_moved_nothing_is_made_up():
    assert "| `attach` | 1 | 10 | 0 | - | - | - |" in table([report(STAYED)])


def test_without_a_report_there_is_no_table(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "no report.json" in capsys.readouterr().err


def test_the_documented_times_are_those_of_the_page():
    page = (ROOT / "docs" / "architecture.md").read_text()

    assert "with 10 s for\nattaching the volume and 15 s for the start of IRIS" in page
    assert [step.documented for step in STEPS] == [10.0, 15.0]
