"""Building one Go program so that a half-built one is never taken for a whole one."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab import LabError

HEARTBEAT_SECONDS = 15
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
    package: str,
    ldflags: str,
    target: Path,
    tick: Callable[[int], None],
) -> None:
    """Build `package` of the module in `folder` to `target`, which appears whole or not at all.

    Args:
        tick: called with the seconds so far, every 15 s and at the end.

    Raises:
        LabError: the build failed; says why in one line.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    command = [str(go), "build", "-trimpath", "-ldflags", ldflags, "-o", str(partial), package]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    process.wait(HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    tick(round(time.monotonic() - started))
            if process.returncode:
                output.seek(0)
                raise _fault(target.name, output.read())
            partial.rename(target)
        finally:
            process.kill()
            process.wait()
            partial.unlink(missing_ok=True)
    tick(round(time.monotonic() - started))


def environment() -> dict[str, str]:
    """The user's environment without what would make this build differ from the next one."""
    ours = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    cross = {"GOOS", "GOARCH", "GOEXPERIMENT"}
    return {name: value for name, value in os.environ.items() if name not in cross} | ours


def _fault(name: str, output: str) -> LabError:
    """The one line that says what went wrong and what to do."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern, reason, cure in _FAULTS:
        if said := next((line for line in lines if re.search(pattern, line)), None):
            return LabError(name, f"{reason} ({said[:300]})", cure)
    said = next((line for line in reversed(lines)), "no output")
    return LabError(name, f"go build failed ({said[:300]})", "run `go build` there to see it all")
