"""The forms in which IRIS runs: what each of them is given, and what it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.cluster import Cluster
from components.iris.settings import IrisSettings
from components.iris.surroundings import Surroundings


def form_of(settings: IrisSettings) -> "Form":
    """What runs IRIS as the settings say; no other form is loaded."""
    match settings.form:
        case "statefulset":
            from components.iris.forms.statefulset import statefulset

            return statefulset
        case "operator":
            from components.iris.operator.form import operator

            return operator
        case _:
            from components.iris.forms.deployment import deployment

            return deployment


@dataclass(frozen=True)
class Storage:
    """Where volumes come from, and how they are kept."""

    storage_class: str
    """Its name. Plain text and no Output: see forms/claims.py."""

    class_parameters: Mapping[str, str] | None
    """Its parameters; None where the class is not made by this program."""

    ready: Sequence[pulumi.Resource]
    """What must exist before a claim, and outlive it on destroy."""

    snapshot_class: str | None
    """VolumeSnapshotClass of these volumes; None where there is none."""

    protect: bool
    """Refuse every plan that would delete or replace a claim, and leave it where that is
    overridden."""

    peers: str | None
    """Name and port of the nodes that hold copies, for the guard; None: there is no guard."""


@dataclass(frozen=True)
class Instance:
    """One database."""

    service: str
    """What the Service is called that its clients connect to."""

    pods: Mapping[str, str]
    """Labels that its pod has and no other pod of the namespace."""

    members: Mapping[str, str] | None = None
    """Labels of all pods that hold its data; None: ``pods`` are all. Of a mirror they are not."""

    host: str | None = None
    """Host name of its pod, which its backups go by; None: whoever makes the pod chooses it."""

    ordinal: int | None = None
    """Its number among several; None: there can be no other."""

    named_ports: bool = True
    """Whether its containers call their ports superserver and webserver."""

    gateways: Mapping[str, str] | None = None
    """Labels of web gateways that the form itself runs; None: it runs none."""


@dataclass(frozen=True)
class Running:
    """What a form gives: databases that clients can be led to."""

    instances: Sequence[Instance]
    """At least one. They share nothing, so each has a Service and a web gateway of its own."""

    ready: Sequence[pulumi.Resource]
    """What is there once they run. A Service comes after it: it counts as created once a pod
    stands behind it, within ten minutes, and would spend them waiting for Longhorn and for the
    image."""


class Form(Protocol):
    """Runs IRIS on volumes that no mistake of ours can delete.

    Args:
        name: Prefix of every resource.
        settings: Choices of the stack.
        around: What stands around it.
        storage: Where the volumes come from.
        cluster: Where it runs.
        opts: Options of every resource: parent and provider.
    """

    def __call__(
        self,
        name: str,
        settings: IrisSettings,
        *,
        around: Surroundings,
        storage: Storage,
        cluster: Cluster,
        opts: pulumi.ResourceOptions,
    ) -> Running: ...
