"""A stack on Google Cloud: a VPC, a regional GKE cluster and a bucket for backups."""

import re
from typing import Annotated, NamedTuple

import pulumi
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.access.settings import AccessSettings
from components.gcp import (
    GcpNetwork,
    GcpNetworkSettings,
    GcsBackupStore,
    GcsBackupStoreSettings,
    GkeCluster,
    GkeClusterSettings,
)
from components.gcp.settings import CLUSTER_NAME
from stacks.faults import refusal
from stacks.outputs import cloud_outputs
from stacks.platform import deploy
from stacks.settings import StackSettings, cluster_name

LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]


class GkeStackSettings(StackSettings[GkeClusterSettings, GcsBackupStoreSettings]):
    """Settings of a stack on Google Cloud. Project and region are gcp:project and gcp:region."""

    cluster: GkeClusterSettings
    """The GKE cluster. apiAccessCidrs has no default that would be right."""

    network: GcpNetworkSettings = Field(default=GcpNetworkSettings(), validate_default=True)
    """The VPC that the cluster is in."""

    backup: GcsBackupStoreSettings = Field(default=GcsBackupStoreSettings(), validate_default=True)
    """The bucket that Longhorn writes backups to."""

    labels: dict[LabelKey, LabelValue] = Field(default={}, max_length=60)
    """Labels of the cluster, its nodes with their disks, and the bucket (for cost reports)."""

    @field_validator("network")
    @classmethod
    def _can_be_reached(
        cls, network: GcpNetworkSettings, info: ValidationInfo
    ) -> GcpNetworkSettings:
        cluster = info.data.get("cluster")
        if cluster and cluster.api_endpoint == "private" and not network.existing:
            raise ValueError(
                "cluster.apiEndpoint is private, and nobody can run `pulumi up` in a VPC that it "
                "has yet to make; name a subnetwork of yours in network.existing, or set "
                "cluster.apiEndpoint to dns, which needs no network"
            )
        return network

    @field_validator("network")
    @classmethod
    def _has_room_for_two_sets_of_nodes(
        cls, network: GcpNetworkSettings, info: ValidationInfo
    ) -> GcpNetworkSettings:
        cluster = info.data.get("cluster")
        if not cluster or network.existing:
            return network
        nodes = cluster.nodes + (cluster.retiring_nodes or cluster.nodes)
        if nodes > network.pod_blocks():
            raise ValueError(
                f"podsRange {network.pods_range} has the addresses of {network.pod_blocks()} "
                f"nodes, and {nodes} are there while one set of {cluster.nodes} takes the place "
                f"of another; make podsRange a /{24 - (nodes - 1).bit_length()} or larger"
            )
        return network

    @field_validator("access")
    @classmethod
    def _has_its_gateway_controller(
        cls, access: AccessSettings, info: ValidationInfo
    ) -> AccessSettings:
        cluster = info.data.get("cluster")
        if cluster and access.is_of_gke() and not cluster.gateway_api:
            raise ValueError(
                f"gateway.className is {access.gateway.class_name}, which GKE's own controller "
                "serves, and it is off; set cluster.gatewayApi to true"
            )
        return access


class _Place(NamedTuple):
    project: str
    region: str


def build(settings: GkeStackSettings) -> dict[str, pulumi.Input[object]]:
    """Longhorn and IRIS on a GKE cluster of their own."""
    project, region = _place(settings)
    name = cluster_name(
        settings.cluster.name,
        pattern=CLUSTER_NAME,
        rule="GKE cluster name (lower-case letters, digits and hyphens, at most 40)",
    )
    network = GcpNetwork("network", settings.network, project=project, region=region)
    cluster = GkeCluster(
        "cluster",
        settings.cluster,
        cluster_name=name,
        network=network,
        labels=settings.labels,
        protect_data=settings.protect_data,
        project=project,
        region=region,
    )
    backup_store = None
    if settings.backup.enabled:
        backup_store = GcsBackupStore(
            "backup",
            settings.backup,
            cluster_name=name,
            labels=settings.labels,
            protect_data=settings.protect_data,
            project=project,
            region=region,
        )
    power = None
    if settings.fencing.enabled:
        # Not imported where it is not wanted.
        from components.gcp.power import GcePower

        power = GcePower("fencing-power", cluster_name=name, project=project).power
    return deploy(
        settings, cluster=cluster, backup_store=backup_store, power=power
    ) | cloud_outputs(
        region=region,
        network=network.network,
        subnets=[network.subnetwork],
        egress_addresses=network.egress_addresses,
        node_identity=cluster.node_account,
        backup_store=backup_store,
    )


def _place(settings: GkeStackSettings) -> _Place:
    """Project and region, which are the provider's own settings, and that the others fit them."""
    config = pulumi.Config("gcp")
    project, region = config.get("project"), config.get("region")
    faults = []
    if not project:
        faults.append(
            "gcp:project is missing: the Google Cloud project that everything is created in; "
            "run `pulumi config set gcp:project PROJECT`"
        )
    if not region:
        faults.append(
            "gcp:region is missing: the region whose three zones hold the copies; "
            "run `pulumi config set gcp:region europe-west1`"
        )
    if not project or not region:
        raise refusal(*faults)
    if not re.fullmatch(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", project):
        faults.append(
            f"gcp:project is {project}: this is no project ID; "
            "`gcloud projects list` shows it beside the project's name"
        )
    if not re.fullmatch(r"[a-z]+-[a-z]+\d+", region):
        faults.append(
            f"gcp:region is {region}: this is no region; write it as in europe-west1, without the "
            "letter of a zone"
        )
        raise refusal(*faults)
    faults += _strangers(settings, region)
    zones, existing = settings.cluster.zones, settings.network.existing
    if any(not zone.startswith(f"{region}-") for zone in zones):
        faults.append(
            f"ha-iris:cluster.zones is {', '.join(zones)}: gcp:region is {region}; "
            "name zones of it, or none"
        )
    if existing and f"/regions/{region}/" not in existing.subnetwork:
        faults.append(
            f"ha-iris:network.existing.subnetwork is {existing.subnetwork}: "
            f"gcp:region is {region}; name a subnetwork of it"
        )
    if faults:
        raise refusal(*faults)
    return _Place(project, region)


def _strangers(settings: GkeStackSettings, region: str) -> list[str]:
    """Keys of another place than what they encrypt, and a subnetwork of another network."""
    place = (settings.backup.location or region).lower()
    keys = {
        "cluster.diskKmsKey": (settings.cluster.disk_kms_key, region),
        "cluster.secretsKmsKey": (settings.cluster.secrets_kms_key, region),
        "backup.kmsKey": (settings.backup.kms_key, place),
    }
    faults = [
        f"ha-iris:{path} is {key}: what it encrypts is in {where}; name a key of that location"
        for path, (key, where) in keys.items()
        if key and key.split("/")[3].lower() != where
    ]
    existing = settings.network.existing
    if existing and existing.network.split("/")[1] != existing.subnetwork.split("/")[1]:
        faults.append(
            f"ha-iris:network.existing.subnetwork is {existing.subnetwork}: the network is "
            f"{existing.network}, of another project; name a subnetwork of that network"
        )
    return faults
