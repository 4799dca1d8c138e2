"""The program in all the shapes that register another kind of cloud resource."""

import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.conftest import Engine, Registered

MAIN = Path(__file__).parents[2] / "__main__.py"

COMMITTED = "as committed"
"""The variant that is the stack file in the repository, unchanged."""

AWS_KEY = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
AZURE_KEY = (
    "/subscriptions/0/resourceGroups/keys/providers/Microsoft.KeyVault/vaults/iris-keys/keys/iris"
)
GCP_KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
GCP_KEY_IN_THE_EU = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"
GCP_SUBNETWORK = {
    "network": "projects/host/global/networks/net",
    "subnetwork": "projects/host/regions/europe-west1/subnetworks/nodes",
}

PROGRAMS: dict[str, dict[str, Mapping[str, Mapping[str, Any]]]] = {
    "eks": {
        "own keys, ARM, administrators": {
            "cluster": {
                "nodeType": "m7g.xlarge",
                "nodes": 6,
                "diskKmsKey": AWS_KEY,
                "secretsKmsKey": AWS_KEY,
                "nodeRelease": "1.36.2-20261012",
                "addonVersions": {"vpc-cni": "v1.21.1-eksbuild.1"},
                "support": "EXTENDED",
                "deployer": "arn:aws:iam::123456789012:role/deployer",
                "admins": ["arn:aws:iam::123456789012:role/dba"],
                "loginRole": "arn:aws:iam::123456789012:role/login",
                "logs": ["api", "audit"],
                "iam": {
                    "path": "/databases/",
                    "permissionsBoundary": "arn:aws:iam::123456789012:policy/limit",
                },
            },
            "backup": {"kmsKey": AWS_KEY, "keepOnDestroy": False},
        },
        "private endpoint, one regional NAT gateway": {
            "cluster": {
                "apiEndpoint": "private",
                "apiAccessCidrs": ["192.168.0.0/24"],
                "cniIdentity": "pod",
                "logsKmsKey": AWS_KEY,
            },
            "network": {"nat": "regional", "flowLogs": True},
            "backup": {"versionsErasedBy": ["arn:aws:iam::123456789012:role/deployer"]},
        },
        "fencing": {"fencing": {"enabled": True}},
        "one NAT gateway, no logs": {"cluster": {"logs": []}, "network": {"nat": "single"}},
        "network of somebody else, backups of an earlier stack": {
            "network": {
                "zones": [],
                "existing": {
                    "vpcId": "vpc-0123",
                    "privateSubnetIds": [f"subnet-0123456789abcde{zone}" for zone in "abc"],
                },
            },
            "backup": {"bucket": "backups-of-an-earlier-stack"},
        },
    },
    "aks": {
        "ARM, own login, a rotation": {
            "cluster": {
                "nodeType": "Standard_D4ps_v6",
                "nodeSet": "b",
                "retiringNodeSet": "a",
                "retiringNodes": 3,
                "encryptionAtHost": True,
                "login": "workloadidentity",
                "tier": "Free",
                "nodes": 6,
                "sshAccess": "LocalUser",
                "nodeOsUpgradeChannel": "Unmanaged",
            },
            "network": {
                "outboundIps": [
                    "/subscriptions/0/resourceGroups/net/providers"
                    "/Microsoft.Network/publicIPAddresses/egress"
                ]
            },
            "backup": {"redundancy": "GZRS", "accessCidrs": ["198.51.100.0/24"]},
        },
        "own keys, backups that stay": {
            "cluster": {
                "diskEncryptionSetId": "/subscriptions/0/resourceGroups/keys/providers"
                "/Microsoft.Compute/diskEncryptionSets/iris",
                "secretsKmsKey": f"{AZURE_KEY}/versions/0123456789abcdef0123456789abcdef",
            },
            "backup": {"kmsKey": AZURE_KEY, "immutableDays": 30, "uploads": {"fullEvery": 4}},
        },
        "private endpoint, subnet and DNS zone of somebody else, no logs": {
            "cluster": {
                "apiEndpoint": "private",
                "apiAccessCidrs": [],
                "privateDnsZone": "/subscriptions/0/resourceGroups/dns/providers"
                "/Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io",
                "admins": [],
                "localAccounts": True,
                "controlPlaneLogs": False,
            },
            "network": {
                "existing": {
                    "subnetId": "/subscriptions/0/resourceGroups/net/providers"
                    "/Microsoft.Network/virtualNetworks/v/subnets/nodes"
                },
                "outboundType": "userDefinedRouting",
            },
        },
        "fencing": {"fencing": {"enabled": True}},
        "backups of an earlier stack": {
            "backup": {"existing": {"resourceGroup": "old", "account": "oldbackups"}}
        },
    },
    "gke": {
        "own keys, ARM, administrators": {
            "cluster": {
                "nodeType": "c4a-standard-4",
                "diskKmsKey": GCP_KEY,
                "secretsKmsKey": GCP_KEY,
                "nodeVersion": "1.36.1-gke.1000000",
                "drainTimeoutMinutes": 240,
                "nodeRoles": ["roles/artifactregistry.reader"],
                "admins": ["group:dba@example.com", "user:ada@example.com"],
                "maintenance": {"days": ["SU"], "startHour": 2, "hours": 12},
                "workloadLogs": False,
                "managedPrometheus": False,
                "releaseChannel": "EXTENDED",
                "gatewayApi": True,
            },
            "backup": {"kmsKey": GCP_KEY_IN_THE_EU, "location": "EU", "keepOnDestroy": False},
            "network": {"flowLogs": True, "natAddresses": 0},
        },
        "private endpoint in a network of somebody else, a rotation": {
            "cluster": {"apiEndpoint": "private", "nodeSet": "b", "retiringNodeSet": "a"},
            "network": {"existing": GCP_SUBNETWORK},
        },
        "fencing": {"fencing": {"enabled": True}},
        "DNS endpoint": {"cluster": {"apiEndpoint": "dns", "apiAccessCidrs": []}},
    },
}
"""Stack -> name of a variant -> settings that are put over those of the stack file, by group."""


@dataclass(frozen=True)
class Deployed:
    """One cloud resource and the variant of the stack that registered it."""

    variant: str
    resource: Registered


def over(config: Mapping[str, str], groups: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """A stack's configuration with some settings of some groups changed."""
    changed = dict(config)
    for group, settings in groups.items():
        key = f"ha-iris:{group}"
        changed[key] = json.dumps({**json.loads(config.get(key, "{}")), **settings})
    return changed


def run_program(deploy: Callable[..., Engine], stack: str, config: Mapping[str, str]) -> Engine:
    """Run the whole program with a stack's configuration."""
    return deploy(lambda: runpy.run_path(str(MAIN)), stack=stack, config=config)
