"""A stack on a cluster that exists: the lab, kind, microk8s, k3s, on-premises."""

import pulumi
from pydantic import Field, ValidationInfo, field_validator

from components.access.settings import AccessSettings
from components.backup.store import GivenStore, GivenStoreSettings
from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.fencing.power import COMMAND, MachinePower
from components.iris import IrisSettings
from stacks.outputs import store_outputs
from stacks.platform import deploy
from stacks.settings import StackSettings


class ExistingStackSettings(StackSettings[ExistingClusterSettings, GivenStoreSettings]):
    """Settings of a stack whose cluster somebody else made."""

    cluster: ExistingClusterSettings = Field(
        default_factory=ExistingClusterSettings, validate_default=True
    )
    """How to reach it, and what it is made of."""

    backup: GivenStoreSettings = Field(default=GivenStoreSettings(), validate_default=True)
    """What leaves the cluster, and the store that it goes to."""

    @field_validator("backup")
    @classmethod
    def _longhorn_writes_to_it(
        cls, backup: GivenStoreSettings, info: ValidationInfo
    ) -> GivenStoreSettings:
        iris = info.data.get("iris")
        if iris and iris.storage_class and backup.has_store():
            raise ValueError(
                f"Longhorn alone writes to a store, and storageClass {iris.storage_class} replaces "
                "it; drop nfs or s3, or ha-iris:iris.storageClass"
            )
        return backup

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

    @field_validator("access")
    @classmethod
    def _asks_for_no_address_of_a_gateway(cls, access: AccessSettings) -> AccessSettings:
        if "address" in access.gateway.model_fields_set:
            raise ValueError(
                f"gateway.address is {access.gateway.address}, and who makes load balancers in a "
                "cluster that exists, if anybody, is not known; drop it and write in "
                "gateway.infrastructureAnnotations what yours wants"
            )
        return access


def build(settings: ExistingStackSettings) -> dict[str, pulumi.Input[object]]:
    """Longhorn and IRIS on a cluster that exists."""
    cluster = ExistingCluster("cluster", settings.cluster)
    place = settings.backup.nfs or settings.backup.s3
    store = GivenStore(place) if place and settings.backup.has_store() else None
    power = None
    if settings.fencing.enabled:
        power = MachinePower("command", {"command": [COMMAND]})
    return deploy(settings, cluster=cluster, backup_store=store, power=power) | store_outputs(store)
