"""The programs that the lab runs: where each comes from, and in which version.

Versions stand in the go.mod files beside this file and nowhere else. Kubernetes has the minor
version that the cloud stacks pin; etcd, kwok and Helm share its module, so that what they have in
common is compiled once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Tool:
    """One program: the folder of its go.mod, its package and how its version is stamped."""

    module_folder: str
    module: str
    package: str
    stamps: tuple[str, ...] = ()
    """Go variables (`-ldflags -X`), each with the {version} it is set to."""
    tags: tuple[str, ...] = ()
    """Build tags, the same for all programs of a module."""

    @property
    def version(self) -> str:
        """Version without the leading v, as go.mod requires it."""
        go_mod = (FOLDER / self.module_folder / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(self.module)} v(\S+)", go_mod, re.MULTILINE)
        if not found:
            raise LookupError(f"{self.module_folder}/go.mod does not require {self.module}")
        return found[1]

    @property
    def settings(self) -> list[str]:
        """Linker settings that make the program report its version."""
        major, minor, _ = self.version.split(".", 2)
        stamps = [s.format(version=self.version, major=major, minor=minor) for s in self.stamps]
        return [f"-X {stamp}" for stamp in stamps]


def _kubernetes(command: str) -> Tool:
    return Tool(
        "cluster",
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
    "etcd": Tool("cluster", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    "kwok": Tool("cluster", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    "kwokctl": Tool("cluster", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    "helm": Tool(
        "cluster",
        "helm.sh/helm/v3",
        "helm.sh/helm/v3/cmd/helm",
        (
            "helm.sh/helm/v3/internal/version.version=v{version}",
            "helm.sh/helm/v3/internal/version.gitTreeState=clean",
        ),
    ),
    "kubectl": _kubernetes("kubectl"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "pulumi": Tool(
        "pulumi",
        _PULUMI_MODULE,
        f"{_PULUMI_MODULE}/cmd/pulumi",
        ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}",),
    ),
    "actionlint": Tool(
        "actionlint", "github.com/rhysd/actionlint", "github.com/rhysd/actionlint/cmd/actionlint"
    ),
    "kubeconform": Tool(
        "manifests", "github.com/yannh/kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"
    ),
    "kube-score": Tool(
        "manifests", "github.com/zegl/kube-score", "github.com/zegl/kube-score/cmd/kube-score"
    ),
    "promtool": Tool(
        "promtool",
        "github.com/prometheus/prometheus",
        "github.com/prometheus/prometheus/cmd/promtool",
        ("github.com/prometheus/common/version.Version={version}",),
        # Without what finds targets in each cloud: rules need none of it.
        ("remove_all_sd",),
    ),
}
CHECKERS = ("actionlint", "kubeconform", "kube-score", "promtool")
LAB_TOOLS = tuple(name for name in TOOLS if name not in CHECKERS)
"""What the lab needs; what checks workflows, manifests and alerts is built only when asked for."""
