"""Scripts that drills hand to machines: they work, or their pod fails, and end by themselves."""

from pathlib import Path

import pytest

from drills import DrillError, hosts
from drills.hosts import Hosts, host_pod, partition, registries
from tests.unit.drilled_cluster import Played, shell


def test_a_partition_without_iptables_is_not_taken_for_one(tmp_path: Path):
    script = partition(["10.0.0.1", "fd00::1"], 0)

    done = shell(tmp_path, script, iptables="", ip6tables="")
    assert done.returncode == 0
    notes = (tmp_path / "notes").read_text()
    assert "iptables -w -A HA-IRIS-DRILL -d 10.0.0.1 -j DROP" in notes
    assert "ip6tables -w -A HA-IRIS-DRILL -d fd00::1 -j DROP" in notes
    assert notes.splitlines()[-1] == "ip6tables -w -X HA-IRIS-DRILL", "and it is healed"

    assert shell(tmp_path, script, iptables='[ "$2" != -I ]', ip6tables="").returncode == 1
    with pytest.raises(DrillError, match="no address"):
        partition([], 0)


def test_a_script_that_does_not_get_to_work_fails_its_pod(tmp_path: Path):
    handed = host_pod("a", "partition", "work", "busybox", "check")
    command = handed["spec"]["containers"][0]["command"]
    script = " ".join(f"'{word}'" for word in command[command.index("--") + 1 :])
    quick = {"sleep": "", "systemd-run": ""}

    assert shell(tmp_path, script, check="", **quick).returncode == 0
    assert shell(tmp_path, script, check="exit 1", **quick).returncode == 1
    assert shell(tmp_path, script, check="", **{**quick, "systemd-run": "exit 1"}).returncode == 1
    assert (
        "systemd-run --collect --unit=ha-iris-drill-partition /bin/sh -c work"
        in (tmp_path / "notes").read_text()
    )


def test_a_script_that_no_machine_took_does_not_start_later(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hosts, "START_SECONDS", 0.3)

    class Pending(Played):
        def get(self, path: str) -> dict:
            return {"status": {"phase": "Pending"}}

    api = Pending()
    with pytest.raises(DrillError, match="is Pending after"):
        Hosts(api).panic("a", 60)  # pyright: ignore[reportArgumentType]
    assert api.asked[-1].startswith("DELETE /api/v1/namespaces/ha-iris-drills/pods/panic-")


def test_the_registry_that_is_taken_away_is_that_of_the_image():
    assert registries("containers.intersystems.com/intersystems/iris:2026.1") == [
        "containers.intersystems.com"
    ]
    assert registries("registry.test:5000/iris") == ["registry.test"]
    assert registries("intersystems/iris") == ["registry-1.docker.io", "auth.docker.io"]
    assert registries("docker.io/intersystems/iris") == registries("iris")


def test_a_partition_ends_by_itself_and_leaves_no_rule():
    script = partition(["10.0.0.1", "fd00::1"], 300)

    assert script.index("trap heal EXIT") < script.index("-w -N HA-IRIS-DRILL")
    assert "sleep 300" in script


def test_a_script_is_handed_to_the_machines_own_systemd():
    pod = host_pod("a", "partition", "echo hello", "busybox")

    assert pod["spec"]["nodeName"] == "a"
    command = pod["spec"]["containers"][0]["command"]
    assert command[-2:] == ["echo hello", "true"]
