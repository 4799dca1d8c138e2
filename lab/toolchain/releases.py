"""The projects' own release binaries, where their download hosts can be reached.

A closed network does not reach them. That is asked once, with a short time-out, and remembered in
the cache folder. A program counts only if it has the SHA-256 that its project publishes; one that
does not, or does not come whole, is built from its Go module instead.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import urllib3
from urllib3.util import parse_url

from lab import LabError
from lab.home import write
from lab.toolchain.build import PARTIAL
from lab.toolchain.tools import TOOLS

VARIABLE = "HA_IRIS_LAB_RELEASES"
"""`off`, or the address of a mirror that keeps each host's files in a folder of its name."""

ASK_SECONDS = 3.0
"""How long a download host may take to answer the first question."""
STALL_SECONDS = 20.0
"""How long a download may bring nothing, or less than a trickle, before it is given up."""
TRICKLE = 200_000
"""Bytes a second below which building is sooner done."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Release:
    """One program as its project publishes it for Linux."""

    url: str
    """Address without the scheme; {version} and {arch} are filled in."""
    checksums: str
    """Address of what says the file's SHA-256: its own file, or GitHub's answer on the release."""
    member: str = ""
    """Name in the archive; empty if the file is the program."""


def _github(repository: str, file: str, member: str = "") -> Release:
    return Release(
        f"github.com/{repository}/releases/download/v{{version}}/{file}",
        f"api.github.com/repos/{repository}/releases/tags/v{{version}}",
        member,
    )


def _kubernetes(name: str) -> Release:
    url = f"dl.k8s.io/release/v{{version}}/bin/linux/{{arch}}/{name}"
    return Release(url, f"{url}.sha256")


_HELM = "get.helm.sh/helm-v{version}-linux-{arch}.tar.gz"

RELEASES: dict[str, Release] = {
    "etcd": _github("etcd-io/etcd", "etcd-v{version}-linux-{arch}.tar.gz", "etcd"),
    "kwok": _github("kubernetes-sigs/kwok", "kwok-linux-{arch}"),
    "kwokctl": _github("kubernetes-sigs/kwok", "kwokctl-linux-{arch}"),
    "helm": Release(_HELM, f"{_HELM}.sha256sum", "helm"),
    "kubectl": _kubernetes("kubectl"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "pulumi": _github("pulumi/pulumi", "pulumi-v{version}-linux-{pulumi_arch}.tar.gz", "pulumi"),
}
_ARCHITECTURES = {"x86_64": ("amd64", "x64"), "aarch64": ("arm64", "arm64")}


class NotPublished(Exception):
    """A file could not be had whole, or is not the one that its project published."""


def fetch(names: list[str], bin_folder: Path, cache: Path, report: Callable[[str], None]) -> None:
    """Download those of the programs that can be had; those that cannot are simply not there.

    Args:
        names: programs that are missing in `bin_folder`.
        bin_folder: where they go; each appears whole or not at all.
        cache: where the answer of the download hosts is remembered.
        report: gets one line of progress at a time.

    Raises:
        LabError: HA_IRIS_LAB_RELEASES is neither `off` nor an address.
    """
    mirror = os.environ.get(VARIABLE, "")
    if mirror and mirror != "off" and not re.fullmatch(r"https?://\S+", mirror):
        raise LabError(f"{VARIABLE} ({mirror})", "no such source", "set off, or a mirror's address")
    wanted = [name for name in names if name in RELEASES]
    architectures = _ARCHITECTURES.get(platform.machine())
    if not wanted or mirror == "off" or sys.platform != "linux" or not architectures:
        return
    source = _Source(mirror, *architectures)
    answer = cache / "releases"
    question = f"{mirror or 'official'} {' '.join(f'{n} {TOOLS[n].version}' for n in RELEASES)}"
    known, _, result = answer.read_text().partition(": ") if answer.exists() else ("", "", "")
    if known == question and result == "no":
        return
    if known != question:
        report("Asking for the projects' own release binaries ...")
    try:
        source.published_sum("kubectl")
    except NotPublished as fault:
        write(answer, f"{question}: no")
        report(f"Release binaries: not to be had here ({fault}); building from the Go modules")
        return
    write(answer, f"{question}: yes")
    for number, name in enumerate(wanted, 1):
        title = f"[{number}/{len(wanted)}] {name} {TOOLS[name].version}"
        try:
            published = source.published_sum(name)
            source.download(name, published, bin_folder / name)
            report(f"{title}: the project's release, SHA-256 {published[:12]}... as published")
        except NotPublished as fault:
            report(f"{title}: {fault}; it will be built")


class _Source:
    """The download hosts, or a mirror of them."""

    def __init__(self, mirror: str, arch: str, pulumi_arch: str) -> None:
        self.base = mirror.rstrip("/") + "/" if mirror else "https://"
        self.parts = {"arch": arch, "pulumi_arch": pulumi_arch}
        self.pool = urllib3.PoolManager(retries=urllib3.Retry(3, connect=0, read=0, redirect=3))

    def published_sum(self, name: str) -> str:
        """The SHA-256 that the project publishes for its file, in hex.

        Raises:
            NotPublished: it cannot be had, or does not name the file.
        """
        release = RELEASES[name]
        file = self._address(name, release.url).rsplit("/", 1)[1]
        text = self._get(self._address(name, release.checksums)).decode(errors="replace")
        if "api.github.com" in release.checksums:
            try:
                digests = {asset["name"]: asset["digest"] for asset in json.loads(text)["assets"]}
            except (ValueError, KeyError, TypeError):
                raise NotPublished("GitHub's answer on the release cannot be read") from None
            text = str(digests.get(file)).removeprefix("sha256:")
        found = re.match(r"[0-9a-f]{64}\b", text)
        if not found:
            raise NotPublished(f"no SHA-256 of {file} is published")
        return found[0]

    def download(self, name: str, published: str, target: Path) -> None:
        """Put a program where it belongs if its file has the published SHA-256.

        Raises:
            NotPublished: the file does not come, comes in part, or is another one.
        """
        release = RELEASES[name]
        address = self._address(name, release.url)
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=target.parent) as folder:
            file = Path(folder) / "download"
            digest = hashlib.sha256()
            started = time.monotonic()
            try:
                with self._open(address, STALL_SECONDS) as response, file.open("wb") as to:
                    for chunk in response.stream(_CHUNK):
                        digest.update(chunk)
                        waited = time.monotonic() - started
                        if to.tell() < (waited - STALL_SECONDS) * TRICKLE:
                            raise NotPublished(f"it comes too slowly ({to.tell()} bytes so far)")
                        to.write(chunk)
            except (urllib3.exceptions.HTTPError, TimeoutError) as error:
                raise NotPublished(f"it does not come whole ({_brief(error)})") from None
            if digest.hexdigest() != published:
                raise NotPublished("its SHA-256 is not the published one, so it is not used")
            if release.member:
                file = _unpacked(file, release.member, Path(folder) / "program")
            file.chmod(0o755)
            file.rename(target)

    def _get(self, address: str) -> bytes:
        try:
            with self._open(address, ASK_SECONDS) as response:
                return response.data
        except (urllib3.exceptions.HTTPError, TimeoutError) as error:
            raise NotPublished(_brief(error)) from None

    def _open(self, address: str, seconds: float) -> urllib3.BaseHTTPResponse:
        timeout = urllib3.Timeout(connect=ASK_SECONDS, read=seconds)
        response = self.pool.request("GET", address, timeout=timeout, preload_content=False)
        if response.status != 200:
            response.drain_conn()
            raise NotPublished(f"{parse_url(address).host} answers {response.status}")
        return response

    def _address(self, name: str, url: str) -> str:
        return self.base + url.format(version=TOOLS[name].version, **self.parts)


def _unpacked(archive: Path, member: str, target: Path) -> Path:
    """One program out of a tar archive, wherever in it its folder is."""
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isfile() and entry.name.rsplit("/", 1)[-1] == member:
                source = tar.extractfile(entry)
                assert source
                with source, target.open("wb") as to:
                    shutil.copyfileobj(source, to)
                return target
    raise NotPublished(f"the archive holds no {member}")


def _brief(error: Exception) -> str:
    return str(error).rsplit(": ", 1)[-1][:100] or type(error).__name__
