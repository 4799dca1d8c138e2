"""A cluster that somebody else made: the lab, kind, microk8s, k3s, on-premises."""

import base64
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import yaml
from pydantic import Field, ValidationInfo, field_validator

from components.capacity.disk import CopiesDisk
from components.capacity.node import NodeCapacity
from components.capacity.reserve import OTHER_PODS
from components.cluster import Architecture, Cluster, ClusterSettings
from components.settings import Gib


class ExistingClusterSettings(ClusterSettings):
    """How to reach a cluster that exists, and what it is made of."""

    kubeconfig: str = Field(default=".lab/kubeconfig", validate_default=True)
    """Path of a kubeconfig file, relative to the project folder. The default is the lab's."""

    context: str | None = Field(default=None, validate_default=True)
    """Context in that file; without it, the file's current context."""

    nodes: int = Field(default=3, ge=1)
    """Nodes that can carry Longhorn replicas."""

    zones: int = Field(default=3, ge=1, validate_default=True)
    """Zones (label topology.kubernetes.io/zone) that these nodes are spread over."""

    architecture: Architecture = "amd64"
    """Processor of the nodes (label kubernetes.io/arch)."""

    dedicated_disk: bool = False
    """Whether Longhorn's data path is a disk of its own on each node."""

    disk_size_gib: Gib | None = None
    """Size of the disk that Longhorn's data path is on, on the smallest node; None: not checked."""

    allocatable_cpus: float | None = Field(default=None, gt=0)
    """Allocatable processors of the smallest node, as `kubectl describe node` says; None: not
    checked."""

    allocatable_memory_gib: float | None = Field(default=None, gt=0)
    """Allocatable memory of the smallest node, GiB; None: not checked."""

    volume_snapshots: bool = True
    """Whether the cluster serves snapshot.storage.k8s.io/v1. kind and k3s do not by themselves."""

    def node_architecture(self) -> Architecture:
        """Processor of the nodes, as the stack file says."""
        return self.architecture

    def node_capacity(self) -> NodeCapacity:
        """What its nodes give to pods, as far as the stack file says."""
        return NodeCapacity(
            ("allocatableCpus", "allocatableMemoryGib"),
            self.allocatable_cpus,
            self.allocatable_memory_gib,
            (),
            OTHER_PODS,
        )

    def copies_disk(self) -> CopiesDisk | None:
        """The disk that the stack file tells of."""
        if self.disk_size_gib is None:
            return None
        return CopiesDisk("diskSizeGib", self.disk_size_gib, dedicated=self.dedicated_disk)

    @field_validator("kubeconfig")
    @classmethod
    def _is_a_kubeconfig(cls, path: str) -> str:
        _read(path)
        return path

    @field_validator("context")
    @classmethod
    def _exists(cls, context: str | None, info: ValidationInfo) -> str | None:
        if "kubeconfig" not in info.data:
            return context
        document = _read(info.data["kubeconfig"])
        names = sorted(entry.get("name", "") for entry in document["contexts"])
        chosen = context or document.get("current-context")
        if not chosen:
            raise ValueError(f"the kubeconfig has no current context; set one of: {_list(names)}")
        if chosen not in names:
            raise ValueError(
                f"the kubeconfig has no context {chosen!r}; set one of: {_list(names)}"
            )
        flatten(info.data["kubeconfig"], context)
        return context

    @field_validator("zones")
    @classmethod
    def _has_a_node_in_each(cls, zones: int, info: ValidationInfo) -> int:
        nodes = info.data.get("nodes")
        if nodes is not None and zones > nodes:
            raise ValueError(f"{nodes} nodes cannot fill {zones} zones; set it to {nodes} or less")
        return zones


class ExistingCluster(pulumi.ComponentResource, Cluster):
    """A cluster reached through one context of a kubeconfig file; nothing in it is created here."""

    def __init__(
        self,
        name: str,
        settings: ExistingClusterSettings,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:ExistingCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        document = flatten(settings.kubeconfig, settings.context)
        self.name = document["current-context"]
        self.kubectl = f"kubectl --kubeconfig {settings.kubeconfig} --context {self.name}"
        self.save_kubeconfig = None
        self.node_count = settings.nodes
        self.zone_count = settings.zones
        self.architecture = settings.architecture
        self.dedicated_disk = settings.dedicated_disk
        self.volume_snapshots = settings.volume_snapshots
        # Who makes load balancers here, if anybody, is not known.
        self.load_balancer_annotations = {"internal": {}, "public": {}}
        self.workloads_after = []
        self.kubeconfig = pulumi.Output.secret(yaml.safe_dump(document, sort_keys=False))
        self.provider = k8s.Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            cluster_identifier=self.name,
            # `up` takes back what somebody changed by hand, instead of failing on the conflict.
            enable_patch_force=True,
            # A new licence key or login changes its Secret in place: no new one, no restart.
            enable_secret_mutable=True,
            opts=child,
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})


def flatten(path: str, context: str | None) -> dict[str, Any]:
    """One context of a kubeconfig with its certificate files read in, so that it works anywhere.

    Does what ``kubectl config view --minify --flatten`` does, without needing kubectl.

    Raises:
        ValueError: the file is missing, is no kubeconfig, or names a file that is missing.
    """
    document = _read(path)
    chosen = context or document["current-context"]
    entry = _named(document, "contexts", chosen)
    cluster = _named(document, "clusters", entry["context"]["cluster"])
    user = _named(document, "users", entry["context"]["user"])
    folder = Path(path).expanduser().parent
    for body in (cluster["cluster"], user["user"]):
        for key in ("certificate-authority", "client-certificate", "client-key"):
            if key in body:
                file = folder / body.pop(key)
                if not file.is_file():
                    raise ValueError(
                        f"its {key} {file} does not exist; mend the kubeconfig or name another"
                    )
                body[f"{key}-data"] = base64.b64encode(file.read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [user],
        "contexts": [entry],
        "current-context": chosen,
    }


def _read(path: str) -> dict[str, Any]:
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(
            "there is no such file; run `make up` to start the lab that it belongs to, "
            "or name the kubeconfig of your own cluster"
        )
    try:
        document = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        document = None
    sections = ("clusters", "users", "contexts")
    if not isinstance(document, dict) or any(
        not isinstance(document.get(section), list) for section in sections
    ):
        raise ValueError("the file is not a kubeconfig; name one that kubectl accepts")
    return document


def _named(document: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    for entry in document[section]:
        if entry.get("name") == name:
            return entry
    raise ValueError(f"the kubeconfig has no {name!r} among its {section}")


def _list(names: list[str]) -> str:
    return ", ".join(names) or "(none: the file has no contexts)"
