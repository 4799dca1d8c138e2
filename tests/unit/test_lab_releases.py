"""Release binaries for the lab, from a download server on loopback: only whole and right ones."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab import LabError
from lab.toolchain import LAB_TOOLS, TOOLS, releases
from lab.toolchain.releases import RELEASES, fetch

PARTS = {"arch": "amd64", "pulumi_arch": "x64"}


def archive(member: str, content: bytes) -> bytes:
    """A tar archive that holds a program in a folder, as etcd's and Helm's do."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(f"release/{member}")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Hosts:
    """All download hosts in one server, each in a folder of its name, as a mirror has them."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.trouble: dict[str, str] = {}
        for name in LAB_TOOLS:
            self.publish(name)
        hosts = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hosts.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Address of the mirror."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def path(self, name: str) -> str:
        """Where a program's file is."""
        return RELEASES[name].url.format(version=TOOLS[name].version, **PARTS)

    def publish(self, name: str) -> None:
        """Publish a program with its SHA-256, as its project does."""
        release, version = RELEASES[name], TOOLS[name].version
        program = f"{name} {version}".encode() * 1000
        file = archive(release.member, program) if release.member else program
        digest = hashlib.sha256(file).hexdigest()
        self.files[self.path(name)] = file
        sums = release.checksums.format(version=version, **PARTS)
        basename = self.path(name).rsplit("/", 1)[1]
        if sums.startswith("api.github.com"):
            known = json.loads(self.files.get(sums, b'{"assets": []}'))
            known["assets"].append({"name": basename, "digest": f"sha256:{digest}"})
            self.files[sums] = json.dumps(known).encode()
        else:
            self.files[sums] = f"{digest}  {basename}\n".encode()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request, with the trouble that a test made."""
        path = request.path.lstrip("/")
        self.asked.append(path)
        trouble = self.trouble.get(path) or self.trouble.get("everything")
        body = self.files.get(path)
        if trouble == "403" or body is None:
            request.send_error(403 if trouble else 404)
            return
        if trouble == "wrong checksum":
            body = b"another program" + body
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if trouble == "cut short":
            body = body[: len(body) // 2]
        if trouble == "silent":
            time.sleep(1)
        with contextlib.suppress(OSError):  # whoever asked has had enough
            while trouble == "trickle" and body:
                request.wfile.write(body[:100])
                body = body[100:]
                time.sleep(0.02)
            request.wfile.write(body)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    """Download hosts that work."""
    hosts = Hosts()
    monkeypatch.setenv("HA_IRIS_LAB_RELEASES", hosts.address)
    monkeypatch.setattr(releases.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(releases.sys, "platform", "linux")
    yield hosts
    hosts.server.shutdown()
    hosts.server.server_close()


class Fetched:
    """A cache folder and what a person was told."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.bin = folder / "bin"
        self.cache.mkdir()
        self.bin.mkdir()
        self.said: list[str] = []

    def fetch(self, *names: str) -> list[str]:
        """Fetch programs; gives the names of those that are there then."""
        fetch(list(names or LAB_TOOLS), self.bin, self.cache, self.said.append)
        return [file.name for file in sorted(self.bin.iterdir())]


@pytest.fixture
def fetched(tmp_path: Path) -> Fetched:
    """Nothing fetched yet."""
    return Fetched(tmp_path)


def test_each_program_of_the_lab_comes_as_its_project_published_it(hosts, fetched):
    assert fetched.fetch() == sorted(LAB_TOOLS)

    for name in LAB_TOOLS:
        program = fetched.bin / name
        assert program.read_bytes().startswith(f"{name} {TOOLS[name].version}".encode())
        assert program.stat().st_mode & 0o777 == 0o755
    assert len(fetched.said) == 1 + len(LAB_TOOLS)
    assert all("SHA-256" in line and "as published" in line for line in fetched.said[1:])


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("403", "127.0.0.1 answers 403; it will be built"),
        ("wrong checksum", "its SHA-256 is not the published one, so it is not used"),
        ("cut short", "it does not come whole"),
        ("silent", "it does not come whole"),
    ],
)
def test_a_program_that_is_not_whole_and_right_is_left_to_the_build(
    hosts, fetched, monkeypatch, trouble, told
):
    monkeypatch.setattr(releases, "STALL_SECONDS", 0.2)
    hosts.trouble[hosts.path("helm")] = trouble

    assert fetched.fetch("etcd", "helm", "kubectl") == ["etcd", "kubectl"]

    assert told in fetched.said[2]


def test_a_program_that_trickles_is_left_to_the_build(hosts, fetched, monkeypatch):
    monkeypatch.setattr(releases, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(releases, "_CHUNK", 100)
    hosts.trouble[hosts.path("kubectl")] = "trickle"

    assert fetched.fetch("kubectl") == []

    assert "it comes too slowly" in fetched.said[1]


def test_a_program_without_a_published_sum_is_left_to_the_build(hosts, fetched):
    release = RELEASES["kwok"].checksums.format(version=TOOLS["kwok"].version)
    hosts.files[release] = b'{"assets": [{"name": "kwok-linux-amd64", "digest": null}]}'

    assert fetched.fetch("kwok", "kubectl") == ["kubectl"]

    assert "no SHA-256 of kwok-linux-amd64 is published" in fetched.said[1]


@pytest.mark.parametrize("trouble", ["403", "silent"])
def test_hosts_that_cannot_be_reached_are_asked_once_and_then_no_more(
    hosts, fetched, monkeypatch, trouble
):
    monkeypatch.setattr(releases, "ASK_SECONDS", 0.2)
    hosts.trouble["everything"] = trouble

    assert fetched.fetch() == []
    assert fetched.fetch() == []

    assert len(hosts.asked) == 1
    assert "not to be had here" in fetched.said[-1]
    assert "building from the Go modules" in fetched.said[-1]


def test_hosts_that_do_not_exist_are_told_of_in_one_line(fetched, monkeypatch, hosts):
    hosts.server.server_close()

    assert fetched.fetch("etcd") == []

    assert len(fetched.said) == 2
    assert "not to be had here" in fetched.said[1]


def test_another_version_asks_again(hosts, fetched):
    hosts.trouble["everything"] = "403"
    fetched.fetch()
    answer = fetched.cache / "releases"
    answer.write_text(answer.read_text().replace(TOOLS["helm"].version, "3.0.0"))
    hosts.trouble.clear()

    assert fetched.fetch("helm") == ["helm"]


def test_nothing_is_downloaded_where_a_person_says_off(hosts, fetched, monkeypatch):
    monkeypatch.setenv("HA_IRIS_LAB_RELEASES", "off")

    assert fetched.fetch() == []

    assert hosts.asked == []


def test_a_system_without_release_binaries_builds_without_asking(hosts, fetched, monkeypatch):
    monkeypatch.setattr(releases.sys, "platform", "darwin")

    assert fetched.fetch() == []

    assert hosts.asked == []


def test_a_mirror_that_is_no_address_is_refused(fetched, monkeypatch):
    monkeypatch.setenv("HA_IRIS_LAB_RELEASES", "yes")

    with pytest.raises(LabError, match=r"HA_IRIS_LAB_RELEASES \(yes\): no such source"):
        fetched.fetch()
