"""A checker that accepts everything proves nothing: each refuses what its cloud would refuse."""

from typing import Any

import pytest

from tests.contract.aws import AWS
from tests.contract.azure import AZURE
from tests.contract.gcp import GCP

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ROUTES = "aws:ec2/routeTable:RouteTable"
AKS = "azure-native:containerservice:ManagedCluster"
GRANT = "azure-native:authorization:RoleAssignment"
ACCOUNT = "azure-native:storage:StorageAccount"
GKE = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
NAT = "gcp:compute/routerNat:RouterNat"

GOOD: dict[str, dict[str, Any]] = {
    CLUSTER: {
        "name": "iris",
        "version": "1.35",
        "roleArn": "arn:aws:iam::123456789012:role/eks",
        "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"], "endpointPrivateAccess": True},
        "upgradePolicy": {"supportType": "STANDARD"},
        "accessConfig": {"authenticationMode": "API"},
        "enabledClusterLogTypes": ["api", "audit"],
        "tags": {"owner": "database"},
    },
    NODE_GROUP: {
        "clusterName": "iris",
        "nodeRoleArn": "arn:aws:iam::123456789012:role/node",
        "subnetIds": ["subnet-1"],
        "amiType": "AL2023_x86_64_STANDARD",
        "scalingConfig": {"desiredSize": 1, "minSize": 1, "maxSize": 1},
        "updateConfig": {"maxUnavailable": 1},
        "labels": {"node.longhorn.io/create-default-disk": "true"},
    },
    LOGS: {"name": "/aws/eks/iris/cluster", "retentionInDays": 90},
    TEMPLATE: {
        "userData": "TUlNRQ==",
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [
            {"deviceName": "/dev/xvda", "ebs": {"volumeType": "gp3", "encrypted": "true"}}
        ],
        "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "node"}}],
    },
    ROUTES: {"vpcId": "vpc-1", "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}]},
    AKS: {
        "resourceGroupName": "iris",
        "location": "westeurope",
        "dnsPrefix": "iris",
        "sku": {"name": "Base", "tier": "Standard"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": ["/subscriptions/0/id"]},
        "agentPoolProfiles": [{"name": "sys1", "count": 3, "osSKU": "Ubuntu", "mode": "System"}],
        "autoUpgradeProfile": {"nodeOSUpgradeChannel": "None"},
    },
    GRANT: {
        "principalId": "p",
        "principalType": "ServicePrincipal",
        "roleDefinitionId": "/roles/r",
        "scope": "/subscriptions/0",
    },
    ACCOUNT: {
        "resourceGroupName": "iris",
        "kind": "StorageV2",
        "sku": {"name": "Standard_ZRS"},
        "minimumTlsVersion": "TLS1_2",
    },
    GKE: {
        "location": "europe-west1",
        "network": "net",
        "datapathProvider": "ADVANCED_DATAPATH",
        "releaseChannel": {"channel": "REGULAR"},
        "maintenancePolicy": {
            "recurringWindow": {
                "startTime": "2026-01-03T01:00:00Z",
                "endTime": "2026-01-03T07:00:00Z",
                "recurrence": "FREQ=WEEKLY;BYDAY=SA",
            },
            "maintenanceExclusions": [
                {
                    "exclusionName": "nodes",
                    "startTime": "2026-01-01T00:00:00Z",
                    "exclusionOptions": {"scope": "NO_MINOR_OR_NODE_UPGRADES"},
                }
            ],
        },
    },
    POOL: {
        "cluster": "iris",
        "nodeCount": 1,
        "nodeConfig": {"machineType": "e2-standard-4", "diskSizeGb": 300},
        "upgradeSettings": {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0},
        "nodeDrainConfigs": [{"pdbTimeoutDuration": "14400s"}],
    },
    NAT: {"router": "router", "region": "europe-west1", "natIpAllocateOption": "AUTO_ONLY"},
}

MODELS = {**AWS, **AZURE, **GCP}


def changed(value: Any, path: str, new: Any) -> Any:
    """A copy of a value with one place changed; ``None`` takes it away."""
    key, _, rest = path.partition(".")
    place: Any = int(key) if isinstance(value, list) else key
    copy = value.copy()
    if rest:
        copy[place] = changed(copy[place], rest, new)
    elif new is None:
        del copy[place]
    else:
        copy[place] = new
    return copy


@pytest.mark.parametrize("token", GOOD)
def test_a_resource_as_the_clouds_document_it_is_accepted(token):
    assert MODELS[token].faults(GOOD[token]) == []


@pytest.mark.parametrize(
    ("token", "path", "new", "said"),
    [
        pytest.param(LOGS, "name", "/aws/eks/iris cluster", "match", id="bad-pattern"),
        pytest.param(CLUSTER, "name", "i" * 101, "too long", id="too-long"),
        pytest.param(LOGS, "retentionInDays", 91, "not one of", id="bad-number"),
        pytest.param(CLUSTER, "upgradePolicy.supportType", "NEVER", "not one of", id="bad-enum"),
        pytest.param(CLUSTER, "enabledClusterLogTypes", ["kubelet"], "not one of", id="bad-log"),
        pytest.param(CLUSTER, "upgradePolcy", {}, "UpgradePolcy", id="unknown-field"),
        pytest.param(CLUSTER, "vpcConfig.subnets", [], "Subnets", id="unknown-nested-field"),
        pytest.param(CLUSTER, "roleArn", None, "required", id="missing-required"),
        pytest.param(CLUSTER, "vpcConfig.endpointPrivateAccess", "yes", "boolean", id="wrong-type"),
        pytest.param(NODE_GROUP, "amiType", "AL2027", "not one of", id="unknown-image"),
        pytest.param(NODE_GROUP, "updateConfig.maxUnavailable", 0, "minimum", id="too-small"),
        pytest.param(NODE_GROUP, "labels", ["a"], "object", id="labels-are-a-map"),
        pytest.param(TEMPLATE, "metadataOptions.httpTokns", "required", "HttpTokns", id="typing"),
        pytest.param(TEMPLATE, "blockDeviceMappings.0.ebs.encrypted", "yes", "boolean", id="text"),
        pytest.param(TEMPLATE, "blockDeviceMappings.0.ebs.size", 9, "Size", id="unknown-in-list"),
        pytest.param(ROUTES, "routes.0.gateway", "igw-1", "Gateway", id="route-unknown-field"),
        pytest.param(AKS, "sku.tier", "Gold", "not one of", id="azure-bad-enum"),
        pytest.param(AKS, "nodeGroup", "x", "not a field", id="azure-unknown-field"),
        pytest.param(AKS, "dnsPrefix", 7, "not str", id="azure-wrong-type"),
        pytest.param(AKS, "fqdn", "a.example", "only be read", id="azure-read-only"),
        pytest.param(AKS, "agentPoolProfiles.0.name", None, "missing", id="azure-missing"),
        pytest.param(AKS, "agentPoolProfiles.0.osSKU", "Flatcr", "not one of", id="azure-in-list"),
        pytest.param(AKS, "agentPoolProfiles.0.count", "3", "not int", id="azure-text-for-number"),
        pytest.param(AKS, "agentPoolProfiles", {}, "not a list", id="azure-not-a-list"),
        pytest.param(GRANT, "principalType", "Robot", "not one of", id="msrest-bad-enum"),
        pytest.param(GRANT, "principalId", None, "missing", id="msrest-missing"),
        pytest.param(GRANT, "principal", "x", "not a field", id="msrest-unknown-field"),
        pytest.param(GRANT, "principalId", 7, "not str", id="msrest-wrong-type"),
        pytest.param(ACCOUNT, "kind", None, "missing", id="storage-missing"),
        pytest.param(ACCOUNT, "minimumTlsVersion", "TLS9", "not one of", id="storage-bad-enum"),
        pytest.param(GKE, "datapathProvider", "CILIUM", "CILIUM", id="google-bad-enum"),
        pytest.param(GKE, "releaseChanel", {}, "releaseChanel", id="google-unknown-field"),
        pytest.param(GKE, "network", 7, "network", id="google-wrong-type"),
        pytest.param(
            GKE,
            "maintenancePolicy.maintenanceExclusions.0.exclusionOptions.scope",
            "NOTHING",
            "NOTHING",
            id="google-bad-exclusion",
        ),
        pytest.param(
            GKE, "maintenancePolicy.weekly", {}, "weekly", id="google-unknown-maintenance"
        ),
        pytest.param(POOL, "nodeConfig.diskSizeGb", "big", "big", id="google-text-for-number"),
        pytest.param(POOL, "upgradeSettings.strategy", "FAST", "FAST", id="google-bad-strategy"),
        pytest.param(NAT, "natIpAllocateOption", "SOME", "not one of", id="compute-text-enum"),
    ],
)
def test_what_a_cloud_would_refuse_is_refused(token, path, new, said):
    faults = MODELS[token].faults(changed(GOOD[token], path, new))

    assert said in " ".join(faults), faults
