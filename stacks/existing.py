"""A stack on a cluster that exists: the lab, kind, microk8s, k3s, on-premises."""

import pulumi
from pydantic import Field

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from stacks.platform import deploy
from stacks.settings import StackSettings


class ExistingStackSettings(StackSettings[ExistingClusterSettings]):
    """Settings of a stack whose cluster somebody else made."""

    cluster: ExistingClusterSettings = Field(
        default_factory=ExistingClusterSettings, validate_default=True
    )
    """How to reach it, and what it is made of."""


def build(settings: ExistingStackSettings) -> dict[str, pulumi.Input[object]]:
    """Longhorn and IRIS on a cluster that exists."""
    cluster = ExistingCluster("cluster", settings.cluster)
    return deploy(settings, cluster=cluster)
