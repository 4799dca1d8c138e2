"""Checks what the program deploys, beside what the article deploys that it began with.

``python -m bench.manifests`` renders every form with a played engine, starts the lab's API server
for the schemas of its own kinds, and prints two tables: kubeconform (does each object fit its
schema, with no field that is unknown) and kube-score (what it advises). Longhorn's chart is not
in it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.openapi import write_schemas
from bench.rendered import render
from lab.toolchain import ensure

ROOT = Path(__file__).resolve().parent.parent
ARTICLE = "the article's"
ICR = "containers.intersystems.com/intersystems"
LICENSED = {
    "image": f"{ICR}/iris:2026.2",
    "licenseKey": "a key",
    "registryLogin": {"username": "somebody", "password": "a token"},
}
FORMS: dict[str, dict[str, Any]] = {
    "default": {},
    "licensed, with web gateways": {"iris": LICENSED},
    "reached from outside": {
        "iris": {
            **LICENSED,
            "service": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]},
            "webGateway": {"service": {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}},
        }
    },
}
"""What a stack file may ask for, by the name in the tables."""

GRADES = {1: "critical", 5: "warning"}

REASONS = {
    "container-image-pull-policy": "Always would ask the registry at each failover, and one that "
    "is out would keep the database down; the tag of a release or a digest is what moves nothing",
    "container-ephemeral-storage-request-and-limit": "of the database alone: a kubelet evicts a "
    "pod that passes such a limit",
    "container-security-context-readonlyrootfilesystem": "IRIS and the web gateway write beside "
    "their programs",
    "deployment-strategy": "Recreate: never two instances on one volume",
    "deployment-replicas": "one instance on one volume; what makes it available is its move",
    "deployment-has-host-podantiaffinity": "topology spread constraints do it, over zones too",
    "pod-networkpolicy": "what pods may reach is a setting, `iris.networkPolicy.egress`",
    "pod-probes-identical": "both ask the gateway's port, with other patience: a page would ask "
    "IRIS, whose failover must not restart gateways",
    "networkpolicy-targets-pod": "the rehearsal's job makes the pods that its policy is for",
    "service-targets-pod": "Longhorn's chart brings the managers behind `longhorn-peers`",
}
"""Why advice of kube-score stays open, by its check."""


@dataclass
class Figures:
    """What the two programs say of one form."""

    objects: int
    invalid: list[str]
    """What kubeconform finds, one for each object that does not fit."""
    unknown: list[str] = field(default_factory=list)
    """Objects of kinds that the API server does not serve, as their chart brings them."""
    advice: dict[str, dict[str, int]] = field(default_factory=dict)
    """By kube-score's check: how many objects are critical, and how many a warning."""

    def count(self, grade: str) -> int:
        """How often kube-score gives a grade."""
        return sum(counts.get(grade, 0) for counts in self.advice.values())


def measure(tools: Path, kubeconfig: Path) -> dict[str, Figures]:
    """The figures of every form and of the article's manifest.

    Args:
        tools: folder of kubectl, kubeconform and kube-score.
        kubeconfig: of the cluster that is asked for its schemas, and for nothing else.
    """
    manifests = {
        name: render(ROOT, {"cluster": {"kubeconfig": str(kubeconfig)}, **groups})
        for name, groups in FORMS.items()
    }
    manifests[ARTICLE] = [*yaml.safe_load_all((ROOT / "bench" / "article.yaml").read_text())]
    with tempfile.TemporaryDirectory() as name:
        kinds = {
            (one["apiVersion"], one["kind"]) for objects in manifests.values() for one in objects
        }
        schemas = write_schemas(
            _served(tools / "kubectl", kubeconfig), kinds, Path(name) / "schemas"
        )
        return {form: _figures(tools, schemas, objects) for form, objects in manifests.items()}


def _figures(tools: Path, schemas: str, objects: list[dict[str, Any]]) -> Figures:
    text = yaml.safe_dump_all(objects)
    fits = subprocess.run(
        [tools / "kubeconform", "-strict", "-output", "json", "-schema-location", schemas],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    invalid, unknown = [], []
    for found in json.loads(fits.stdout)["resources"] or []:
        if found["msg"].startswith("could not find schema"):
            unknown.append(f"{found['version']} {found['kind']}")
        else:
            invalid.append(f"{found['kind']} {found['name']}: {found['msg']}")
    advises = subprocess.run(
        [tools / "kube-score", "score", "--output-format", "json", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    advice: dict[str, dict[str, int]] = {}
    for found in json.loads(advises.stdout):
        for check in found["checks"]:
            grade = GRADES.get(check["grade"])
            if grade and not check["skipped"]:
                counts = advice.setdefault(check["check"]["id"], {})
                counts[grade] = counts.get(grade, 0) + 1
    return Figures(len(objects), invalid, unknown, advice)


def tables(figures: Mapping[str, Figures]) -> str:
    """Both tables, in Markdown. kube-score's figures are numbers of objects."""
    lines = ["| manifest | objects | invalid | no schema | critical | warnings |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [
        f"| {name} | {one.objects} | {len(one.invalid)} | {len(one.unknown)} "
        f"| {one.count('critical')} | {one.count('warning')} |"
        for name, one in figures.items()
    ]
    checks = sorted({check for one in figures.values() for check in one.advice})
    lines += ["", f"| kube-score: critical/warning | {' | '.join(figures)} |"]
    lines += ["|---|" + "---|" * len(figures)]
    lines += [
        f"| {check} | "
        + " | ".join(_cell(one.advice.get(check)) for one in figures.values())
        + " |"
        for check in checks
    ]
    return "\n".join(lines)


def reasons() -> str:
    """Why advice stays open, in Markdown."""
    return "\n".join(f"- `{check}`: {reason}." for check, reason in sorted(REASONS.items()))


def _cell(counts: Mapping[str, int] | None) -> str:
    return f"{counts.get('critical', 0)}/{counts.get('warning', 0)}" if counts else "-"


def main() -> int:
    """Print the tables; 1 where an object of the program does not fit its schema."""
    parser = argparse.ArgumentParser(prog="python -m bench.manifests", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, help="cluster whose schemas count (a new lab's)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    tools = ensure("kubectl", "kubeconform", "kube-score", report=_say).bin
    if options.kubeconfig:
        figures = measure(tools, options.kubeconfig.resolve())
    else:
        with _lab() as kubeconfig:
            figures = measure(tools, kubeconfig)
    print(tables(figures))
    if options.json:
        options.json.write_text(json.dumps({name: asdict(one) for name, one in figures.items()}))
    faults = [fault for name, one in figures.items() if name != ARTICLE for fault in one.invalid]
    _say("\n".join(faults))
    return 1 if faults else 0


@contextmanager
def _lab() -> Iterator[Path]:
    """Kubeconfig of an API server that lives as long as this."""
    from lab.cluster.control_plane import ControlPlane
    from lab.home import LabHome

    with tempfile.TemporaryDirectory() as folder:
        home = LabHome(Path(folder) / "lab")
        plane = ControlPlane(home, ensure(report=_say))
        try:
            plane.start()
            yield home.kubeconfig
        finally:
            plane.stop(delete=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _served(kubectl: Path, kubeconfig: Path) -> dict[str, Any]:
    """The schemas that an API server serves, those of its custom resources too."""
    command = [kubectl, "--kubeconfig", kubeconfig, "get", "--raw", "/openapi/v2"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
