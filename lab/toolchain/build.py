"""Building Go programs so that a half-built one is never taken for a whole one."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from lab import LabError

HEARTBEAT_SECONDS = 15
PARTIAL = ".partial-"
"""How the folder of a build that has not ended begins."""
_ROOMY_BYTES = 8 * 2**30
_FAULTS = (
    (
        r"no space left on device|disk quota exceeded",
        "the disk is full",
        "free about 6 GB (binaries, and Go's module and build caches), then run again",
    ),
    (
        r"read-only file system|permission denied",
        "a cache folder cannot be written",
        "make it writable, or choose others with HA_IRIS_CACHE, GOCACHE and GOMODCACHE",
    ),
    (
        r"checksum mismatch|SECURITY ERROR",
        "a module's content is not what go.sum pins",
        "do not go on; find out what stands between you and the module proxy",
    ),
    (
        r"dial tcp|no such host|proxyconnect|i/o timeout|TLS handshake|\b(?:403|404|5\d\d) |EOF",
        "the Go module proxy cannot be reached or does not give a module",
        "check the network, or set GOPROXY to a proxy that you reach, then run again",
    ),
)


def build(
    go: Path,
    folder: Path,
    targets: Mapping[str, Path],
    ldflags: str,
    tags: Sequence[str],
    tick: Callable[[float], None],
) -> None:
    """Build packages of the module in `folder`, each to its target, which appears whole or not.

    One call of Go for all of them: it loads their packages once, and compiles those of one program
    while it links another.

    Args:
        targets: where the program of each package goes; all in one folder.
        tick: called with the seconds so far, every 15 s and at the end.

    Raises:
        LabError: the build failed; says why in one line.
    """
    into = next(iter(targets.values())).parent
    started = time.monotonic()
    with (
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryDirectory(prefix=PARTIAL, dir=into) as partial,
    ):
        command = [str(go), "build", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", ldflags]
        command += ["-tags", ",".join(tags)] if tags else []
        process = subprocess.Popen(
            [*command, "-o", f"{partial}/", *targets],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    process.wait(HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    tick(time.monotonic() - started)
            if process.returncode:
                output.seek(0)
                raise _fault(", ".join(target.name for target in targets.values()), output.read())
            for package, target in targets.items():
                (Path(partial) / _executable(package)).rename(target)
        finally:
            process.kill()
            process.wait()
    tick(time.monotonic() - started)


def _executable(package: str) -> str:
    """What Go names a program: the last part of its package that is no major version."""
    return next(p for p in reversed(package.split("/")) if not re.fullmatch(r"v\d+", p))


def environment() -> dict[str, str]:
    """The user's environment without what would make this build differ from the next one.

    Where there is memory for it the compiler collects its garbage less often: a sixth of its time
    for some hundred MiB.
    """
    ours = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    cross = {"GOOS", "GOARCH", "GOEXPERIMENT"}
    users = {name: value for name, value in os.environ.items() if name not in cross}
    if psutil.virtual_memory().total >= _ROOMY_BYTES:
        users.setdefault("GOGC", "400")
    return users | ours


def _fault(name: str, output: str) -> LabError:
    """The one line that says what went wrong and what to do."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern, reason, cure in _FAULTS:
        if said := next((line for line in lines if re.search(pattern, line)), None):
            return LabError(name, f"{reason} ({said[:300]})", cure)
    said = next((line for line in reversed(lines)), "no output")
    return LabError(name, f"go build failed ({said[:300]})", "run `go build` there to see it all")
