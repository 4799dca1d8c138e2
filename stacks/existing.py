"""A stack on a cluster that exists: the lab, kind, microk8s, k3s, on-premises."""

import pulumi
from pydantic import Field, field_validator

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import IrisSettings
from stacks.platform import deploy
from stacks.settings import StackSettings


class ExistingStackSettings(StackSettings[ExistingClusterSettings]):
    """Settings of a stack whose cluster somebody else made."""

    cluster: ExistingClusterSettings = Field(
        default_factory=ExistingClusterSettings, validate_default=True
    )
    """How to reach it, and what it is made of."""

    @field_validator("iris")
    @classmethod
    def _asks_for_no_address(cls, iris: IrisSettings) -> IrisSettings:
        services = {"service": iris.service, "webGateway.service": iris.web_gateway.service}
        for key, service in services.items():
            if "address" in service.model_fields_set:
                raise ValueError(
                    f"{key}.address is {service.address}, and who makes load balancers in a "
                    "cluster that exists, if anybody, is not known; drop it and write in "
                    f"{key}.annotations what yours wants"
                )
        return iris


def build(settings: ExistingStackSettings) -> dict[str, pulumi.Input[object]]:
    """Longhorn and IRIS on a cluster that exists."""
    cluster = ExistingCluster("cluster", settings.cluster)
    return deploy(settings, cluster=cluster)
