"""Helm releases, through the ``helm`` program on PATH."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lab.plugins.kubernetes.cluster import Cluster

RELEASE = "kubernetes:helm.sh/v3:Release"
KNOWN = {
    "name",
    "namespace",
    "chart",
    "version",
    "repositoryOpts",
    "values",
    "maxHistory",
    "timeout",
    "compat",
    "checksum",
}
TIMEOUT_SECONDS = 300
"""Helm's own default."""
POLL_SECONDS = 0.2
UNREACHABLE_SECONDS = 60
UNREACHABLE = "Kubernetes cluster unreachable"
"""What helm says when the API server does not answer its first question."""
REFUSED = "connection refused"
"""What it says when the API server has gone in the middle."""

Inputs = dict[str, Any]


class HelmError(Exception):
    """What helm said."""


class Helm:
    """Installs, upgrades and removes releases in one cluster."""

    def __init__(self, cluster: Cluster, cancelled: threading.Event) -> None:
        self._cluster = cluster
        self._cancelled = cancelled

    @staticmethod
    def check(inputs: Inputs) -> Iterator[tuple[str, str]]:
        """Complete the inputs of a release and find what is wrong with them."""
        for key in sorted(set(inputs) - KNOWN):
            yield key, "the lab's stand-in for the Kubernetes provider does not know it"
        for key in ("name", "namespace"):
            if not inputs.get(key):
                yield key, "the lab's stand-in for the Kubernetes provider needs it"
        chart = Path(str(inputs.get("chart", "")))
        if "/" in str(chart):
            if chart.exists():
                inputs["checksum"] = _checksum(chart)
            else:
                yield "chart", f"there is no {chart}"

    @staticmethod
    def replaces(path: tuple[str | int, ...]) -> bool:
        """Whether a change at this place makes another release."""
        return path[0] in ("name", "namespace")

    def template(self, inputs: Inputs) -> None:
        """Render a release without a cluster, which finds values that its chart refuses."""
        self._run("template", inputs["name"], *_chart(inputs), values=inputs)

    def deploy(self, inputs: Inputs, *, new: bool) -> None:
        """Install or upgrade a release, and wait until it is ready."""
        arguments = [inputs["name"], *_chart(inputs), *_wait(inputs)]
        if new:
            try:
                self._run("install", *arguments, values=inputs)
                return
            except HelmError as error:
                if REFUSED not in str(error):
                    raise
        self._forget_cut_short(inputs)
        # A first installation that was cut short has left objects and perhaps no release.
        arguments += ["--install", "--take-ownership", *_history(inputs)]
        self._run("upgrade", *arguments, values=inputs)

    def read(self, inputs: Inputs) -> tuple[Inputs | None, Inputs, list[str]]:
        """A release as it is: outputs or None, inputs, and what keeps it from being deployed."""
        status = self.status(inputs)
        if status is None:
            return None, inputs, []
        waiting = []
        if status["status"] != "deployed":
            waiting.append(f"the release is {status['status']}, not deployed")
        found = json.loads(self._run("get", "values", *_place(inputs), "--output", "json"))
        inputs = {**inputs, "values": found or {}}
        return {**inputs, "status": status}, inputs, waiting

    def uninstall(self, inputs: Inputs, timeout: float) -> None:
        """Remove a release, and wait until its objects are gone."""
        seconds = int(timeout or inputs.get("timeout") or TIMEOUT_SECONDS)
        self._run(
            "uninstall", *_place(inputs), "--ignore-not-found", "--wait", f"--timeout={seconds}s"
        )

    def status(self, inputs: Inputs) -> Inputs | None:
        """Name, revision and state of a release, or None."""
        try:
            text = self._run("status", *_place(inputs), "--output", "json")
        except HelmError as error:
            if "release: not found" in str(error):
                return None
            raise
        release = json.loads(text)
        return {
            "name": release["name"],
            "namespace": release["namespace"],
            "revision": release["version"],
            "status": release["info"]["status"],
        }

    def _forget_cut_short(self, inputs: Inputs) -> None:
        """Drop helm's note of an operation that was killed; its objects stay."""
        status = self.status(inputs)
        if status and status["status"].startswith(("pending", "uninstalling")):
            note = f"sh.helm.release.v1.{inputs['name']}.v{status['revision']}"
            self._cluster.delete(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": note, "namespace": inputs["namespace"]},
                },
                # At once: dependents, of which it has none, are the controller manager's to find.
                propagation="Background",
            )

    def _run(self, *arguments: str, values: Inputs | None = None) -> str:
        if values is not None:
            arguments += ("--namespace", values["namespace"], "--values", "-")
        given = yaml.safe_dump(values.get("values") or {}) if values else ""
        if shutil.which("helm") is None:
            raise HelmError("there is no `helm` on PATH")
        deadline = time.monotonic() + UNREACHABLE_SECONDS
        while True:
            code, output, errors = self._call(arguments, given)
            # Helm asks for the version first and once: nothing has been done yet.
            if UNREACHABLE not in errors or time.monotonic() > deadline:
                break
            if self._cancelled.wait(POLL_SECONDS):
                break
        if code:
            raise HelmError(f"helm {arguments[0]}: {errors.strip().removeprefix('Error: ')}")
        return output

    def _call(self, arguments: tuple[str, ...], given: str | None) -> tuple[int, str, str]:
        with self._cluster.kubeconfig_file() as kubeconfig:
            process = subprocess.Popen(
                ["helm", *arguments, "--kubeconfig", str(kubeconfig)],
                env={**os.environ, **_own_caches()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            while True:
                try:
                    output, errors = process.communicate(given, timeout=POLL_SECONDS)
                    return process.returncode, output, errors
                except subprocess.TimeoutExpired:
                    given = None
                    if self._cancelled.is_set():
                        # Helm notes in the release that it was interrupted.
                        process.terminate()


def _own_caches() -> dict[str, str]:
    """Environment that keeps helm out of the user's own folders."""
    home = Path(os.environ.get("PULUMI_HOME", ".")) / "helm"
    folders = {f"HELM_{kind}_HOME": str(home / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    return {**folders, "KUBECACHEDIR": str(home / "kube")}


def _place(inputs: Inputs) -> list[str]:
    return [inputs["name"], "--namespace", inputs["namespace"]]


def _chart(inputs: Inputs) -> list[str]:
    chart = [inputs["chart"]]
    if inputs.get("version"):
        chart += ["--version", inputs["version"]]
    if repository := (inputs.get("repositoryOpts") or {}).get("repo"):
        chart += ["--repo", repository]
    return chart


def _wait(inputs: Inputs) -> list[str]:
    return ["--wait", f"--timeout={inputs.get('timeout') or TIMEOUT_SECONDS}s"]


def _history(inputs: Inputs) -> list[str]:
    return ["--history-max", str(inputs["maxHistory"])] if "maxHistory" in inputs else []


def _checksum(chart: Path) -> str:
    """Digest of a chart in a folder or an archive, so that a changed chart is a change."""
    digest = hashlib.sha256()
    files = sorted(chart.rglob("*")) if chart.is_dir() else [chart]
    for file in files:
        if file.is_file():
            digest.update(f"\0{file.relative_to(chart)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
