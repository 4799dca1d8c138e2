"""How each Google Cloud resource of the program is said in the messages of Google's API."""

from typing import Any

from google.cloud import compute_v1, container_v1, iam_admin_v1
from google.cloud._storage_v2 import types as storage_v2
from google.iam.v1 import policy_pb2

from tests.contract.google_protos import GoogleProto


def one_member(member: str) -> list[str]:
    """The only member of a binding that Pulumi says one by one."""
    return [member]


def windows(policy: dict[str, Any]) -> dict[str, Any]:
    """Maintenance windows: the API keeps exclusions by name and nests the times."""
    window: dict[str, Any] = {}
    for key, value in policy.items():
        match key:
            case "recurringWindow":
                times = {k: v for k, v in value.items() if k != "recurrence"}
                window[key] = {"window": times, "recurrence": value["recurrence"]}
            case "maintenanceExclusions":
                window[key] = {
                    item["exclusionName"]: {
                        {"exclusionOptions": "maintenanceExclusionOptions"}.get(k, k): v
                        for k, v in item.items()
                        if k != "exclusionName"
                    }
                    for item in value
                }
            case _:
                window[key] = value
    return {"window": window}


def authorized_networks(networks: dict[str, Any]) -> dict[str, Any]:
    """Who may reach the API server; naming anybody is what enables the list."""
    return {"enabled": True, **networks}


def first(blocks: list[Any]) -> Any:
    """The only block of what the provider takes as a list."""
    (block,) = blocks
    return block


def seconds(count: int) -> str:
    """A duration as JSON has it."""
    return f"{count}s"


COMPONENTS = {
    "enableComponents": "componentConfig",
    "managedPrometheus": "managedPrometheusConfig",
}
"""Blocks of logging and monitoring that the provider names by what is in them."""


def observed(config: dict[str, Any]) -> dict[str, Any]:
    """Logging and monitoring: the API has a message around the list of components."""
    return {
        COMPONENTS.get(key, key): {key: value} if key == "enableComponents" else value
        for key, value in config.items()
    }


def protocols(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Protocols and ports of a firewall."""
    return [{{"protocol": "IPProtocol"}.get(k, k): v for k, v in rule.items()} for rule in rules]


def lifecycle(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules of a bucket's life cycle; withState is isLive in the API."""
    live = {"LIVE": True, "ARCHIVED": False}
    said = []
    for rule in rules:
        condition = {{"age": "ageDays"}.get(k, k): v for k, v in rule["condition"].items()}
        state = condition.pop("withState", "ANY")
        if state != "ANY":
            condition["isLive"] = live[state]
        said.append({**rule, "condition": condition})
    return said


GCP: dict[str, GoogleProto] = {
    "gcp:compute/network:Network": GoogleProto(
        compute_v1.Network,
        renamed={"routingMode": "routingConfig.routingMode"},
        provider_only=frozenset({"project", "deleteDefaultRoutesOnCreate"}),
    ),
    "gcp:compute/subnetwork:Subnetwork": GoogleProto(
        compute_v1.Subnetwork, provider_only=frozenset({"project"})
    ),
    "gcp:compute/router:Router": GoogleProto(
        compute_v1.Router, provider_only=frozenset({"project"})
    ),
    "gcp:compute/address:Address": GoogleProto(
        compute_v1.Address, provider_only=frozenset({"project"})
    ),
    "gcp:compute/routerNat:RouterNat": GoogleProto(
        compute_v1.RouterNat, provider_only=frozenset({"project", "region", "router"})
    ),
    "gcp:compute/firewall:Firewall": GoogleProto(
        compute_v1.Firewall,
        renamed={"allows": "allowed", "denies": "denied"},
        converted={"allows": protocols, "denies": protocols},
        provider_only=frozenset({"project"}),
    ),
    "gcp:container/cluster:Cluster": GoogleProto(
        container_v1.Cluster,
        renamed={
            "nodeLocations": "locations",
            "minMasterVersion": "initialClusterVersion",
            "datapathProvider": "networkConfig.datapathProvider",
            "enableIntranodeVisibility": "networkConfig.enableIntraNodeVisibility",
            "dnsConfig": "networkConfig.dnsConfig",
            "gatewayApiConfig": "networkConfig.gatewayApiConfig",
            "enableShieldedNodes": "shieldedNodes.enabled",
        },
        converted={
            "maintenancePolicy": windows,
            "loggingConfig": observed,
            "monitoringConfig": observed,
            "masterAuthorizedNetworksConfig": authorized_networks,
        },
        provider_only=frozenset(
            {"project", "deletionProtection", "removeDefaultNodePool", "networkingMode"}
        ),
    ),
    "gcp:container/nodePool:NodePool": GoogleProto(
        container_v1.NodePool,
        renamed={
            "nodeCount": "initialNodeCount",
            "nodeConfig": "config",
            "nodeLocations": "locations",
            "nodeDrainConfigs": "nodeDrainConfig",
        },
        converted={"nodeDrainConfigs": first},
        provider_only=frozenset({"project", "cluster", "location"}),
    ),
    "gcp:projects/iAMMember:IAMMember": GoogleProto(
        policy_pb2.Binding,
        renamed={"member": "members"},
        converted={"member": one_member},
        provider_only=frozenset({"project"}),
    ),
    "gcp:projects/iAMCustomRole:IAMCustomRole": GoogleProto(
        iam_admin_v1.CreateRoleRequest,
        renamed={
            "title": "role.title",
            "permissions": "role.includedPermissions",
            "stage": "role.stage",
        },
        provider_only=frozenset({"project"}),
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": GoogleProto(
        policy_pb2.Binding,
        renamed={"member": "members"},
        converted={"member": one_member},
        provider_only=frozenset({"serviceAccountId"}),
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": GoogleProto(
        policy_pb2.Binding,
        renamed={"member": "members"},
        converted={"member": one_member},
        provider_only=frozenset({"bucket"}),
    ),
    "gcp:serviceaccount/account:Account": GoogleProto(
        iam_admin_v1.CreateServiceAccountRequest,
        renamed={
            "displayName": "serviceAccount.displayName",
            "description": "serviceAccount.description",
        },
        provider_only=frozenset({"project", "createIgnoreAlreadyExists"}),
    ),
    "gcp:storage/bucket:Bucket": GoogleProto(
        storage_v2.Bucket,
        renamed={
            "uniformBucketLevelAccess": "iamConfig.uniformBucketLevelAccess.enabled",
            "publicAccessPrevention": "iamConfig.publicAccessPrevention",
            "lifecycleRules": "lifecycle.rule",
        },
        converted={
            "lifecycleRules": lifecycle,
            "encryption": lambda keys: {
                {"defaultKmsKeyName": "defaultKmsKey"}.get(k, k): v for k, v in keys.items()
            },
            "softDeletePolicy": lambda policy: {
                "retentionDuration": seconds(policy["retentionDurationSeconds"])
            },
        },
        provider_only=frozenset({"project", "forceDestroy"}),
    ),
}
