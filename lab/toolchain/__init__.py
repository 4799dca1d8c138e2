"""The lab's programs, built from pinned Go modules into the user's cache folder.

Each folder here is a Go module whose `tool` directives name what it builds; versions stand in its
go.mod and nowhere else. Kubernetes has the minor version that the cloud stacks pin.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from lab import LabError
from lab.toolchain import golang
from lab.toolchain.build import build

FOLDER = Path(__file__).parent
NOTICE_SECONDS = 15
"""How often a build that waits for another one says so."""
Report = Callable[[str], None]


@dataclass(frozen=True)
class Tool:
    """One program: the folder of its go.mod, its package and how its version is stamped."""

    module_folder: str
    module: str
    package: str
    stamps: tuple[str, ...] = ()
    """Go variables (`-ldflags -X`), each with the {version} it is set to."""

    @property
    def version(self) -> str:
        """Version without the leading v, as go.mod requires it."""
        go_mod = (FOLDER / self.module_folder / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(self.module)} v(\S+)", go_mod, re.MULTILINE)
        if not found:
            raise LookupError(f"{self.module_folder}/go.mod does not require {self.module}")
        return found[1]

    @property
    def ldflags(self) -> str:
        """Linker flags: no debug tables, and the version that the program shall report."""
        major, minor, _ = self.version.split(".", 2)
        stamps = [s.format(version=self.version, major=major, minor=minor) for s in self.stamps]
        return " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in stamps)])


def _kubernetes(command: str) -> Tool:
    return Tool(
        "kubernetes",
        "k8s.io/kubernetes",
        f"k8s.io/kubernetes/cmd/{command}",
        (
            "k8s.io/component-base/version.gitVersion=v{version}",
            "k8s.io/component-base/version.gitMajor={major}",
            "k8s.io/component-base/version.gitMinor={minor}",
            "k8s.io/component-base/version.gitTreeState=clean",
        ),
    )


_PULUMI_MODULE = "github.com/pulumi/pulumi/pkg/v3"

TOOLS: dict[str, Tool] = {
    "etcd": Tool("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    "kwok": Tool("kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "kwokctl": Tool("kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    "helm": Tool(
        "helm",
        "helm.sh/helm/v3",
        "helm.sh/helm/v3/cmd/helm",
        (
            "helm.sh/helm/v3/internal/version.version=v{version}",
            "helm.sh/helm/v3/internal/version.gitTreeState=clean",
        ),
    ),
    "pulumi": Tool(
        "pulumi",
        _PULUMI_MODULE,
        f"{_PULUMI_MODULE}/cmd/pulumi",
        ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}",),
    ),
    "kubectl": _kubernetes("kubectl"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "actionlint": Tool(
        "actionlint", "github.com/rhysd/actionlint", "github.com/rhysd/actionlint/cmd/actionlint"
    ),
}
LAB_TOOLS = tuple(name for name in TOOLS if name != "actionlint")
"""What the lab needs; actionlint is built only when asked for."""


@dataclass(frozen=True)
class Toolchain:
    """Where the built programs are."""

    bin: Path
    """Folder to put first on PATH."""
    pulumi: Path
    """The Pulumi CLI: the one on PATH if it is new enough, else the built one."""


def cache_folder() -> Path:
    """$HA_IRIS_CACHE, or `ha-iris` in the platform's cache folder of this user."""
    chosen = os.environ.get("HA_IRIS_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("ha-iris"))


def key(go_version: str) -> str:
    """Name of the folder for this set of sources: go.mod, go.sum, build flags and Go version."""
    digest = hashlib.sha256(go_version.encode())
    for path in sorted(FOLDER.glob("*/go.*")):
        digest.update(f"\0{path.parent.name}/{path.name}\0".encode() + path.read_bytes())
    for name, tool in TOOLS.items():
        digest.update(f"\0{name} {tool.package} {tool.ldflags}".encode())
    return digest.hexdigest()[:16]


def ensure(*tools: str, report: Report = print) -> Toolchain:
    """Build what is missing of `tools` (default: all that the lab needs) and say where it is.

    Takes a few minutes the first time and some milliseconds from then on. May be killed at any
    moment and run by several clones at once.

    Args:
        tools: names from `TOOLS`.
        report: gets one line of progress at a time.

    Raises:
        LabError: no usable Go, no module proxy, no space, or a cache folder that is read-only.
    """
    wanted = tools or LAB_TOOLS
    if unknown := [name for name in wanted if name not in TOOLS]:
        raise ValueError(f"the toolchain has no {', '.join(unknown)}")
    cache = cache_folder()
    pulumi = _pulumi_on_path() if "pulumi" in wanted else None
    to_build = [name for name in wanted if not (name == "pulumi" and pulumi)]
    try:
        go = golang.find(FOLDER, cache, report)
        bin_folder = cache / "toolchain" / key(go.version) / "bin"
        if not all((bin_folder / name).exists() for name in to_build):
            bin_folder.mkdir(parents=True, exist_ok=True)
            with _lock(bin_folder.parent / "lock", report):
                _build_missing(to_build, bin_folder, go, report)
    except OSError as error:
        raise LabError(
            f"HA_IRIS_CACHE ({cache})",
            f"the cache folder cannot be used: {error.strerror or error}",
            "make room or make it writable, or set HA_IRIS_CACHE to a folder that is",
        ) from error
    return Toolchain(bin=bin_folder, pulumi=pulumi or bin_folder / "pulumi")


def _build_missing(names: list[str], bin_folder: Path, go: golang.Go, report: Report) -> None:
    for leftover in bin_folder.glob(".*.partial"):
        leftover.unlink(missing_ok=True)
    for number, name in enumerate(names, 1):
        if (bin_folder / name).exists():
            continue
        tool = TOOLS[name]
        title = f"[{number}/{len(names)}] {name} {tool.version}"
        build(
            go.executable,
            FOLDER / tool.module_folder,
            tool.package,
            tool.ldflags,
            bin_folder / name,
            lambda seconds, title=title: report(f"{title} ... {seconds} s"),
        )


def _lock(path: Path, report: Report) -> FileLock:
    """The lock on one toolchain folder, held; says so while another build has it."""
    lock = FileLock(path)
    started = time.monotonic()
    while True:
        try:
            lock.acquire(timeout=NOTICE_SECONDS)
            return lock
        except Timeout:
            waited = time.monotonic() - started
            report(f"another build of the toolchain is running, waiting ... {waited:.0f} s")


def _pulumi_on_path() -> Path | None:
    """The `pulumi` on PATH, if it is of our major version and at least the pinned one."""
    found = shutil.which("pulumi")
    if not found:
        return None
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [found, "version"], capture_output=True, text=True, timeout=20, env=env, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", answer.strip())
    pinned = [int(part) for part in TOOLS["pulumi"].version.split(".")]
    if not version or int(version[1]) != pinned[0] or [int(p) for p in version.groups()] < pinned:
        return None
    return Path(found)
