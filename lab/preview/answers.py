"""What clouds would answer when a program asks them something during a preview.

Made up, and it looks made up: the account, subscription and project are the ones of the clouds'
own documentation. A function that is not listed here is an error that names it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

AWS_ACCOUNT = "123456789012"
AWS_REGION = "eu-west-1"
AZURE_ID = "00000000-0000-0000-0000-000000000000"
GCP_PROJECT = "example-project"
GCP_REGION = "europe-west1"


def kubeconfig(context: str = "preview") -> str:
    """A kubeconfig that leads nowhere: the top-level domain is reserved (RFC 2606)."""
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: preview
  cluster: {{server: "https://preview.invalid"}}
contexts:
- name: {context}
  context: {{cluster: preview, user: preview}}
current-context: {context}
users:
- name: preview
  user: {{token: made-up-for-a-preview}}
"""


def _zones(arguments: Arguments) -> Answer:
    region = arguments.get("region", AWS_REGION)
    names = [f"{region}{letter}" for letter in "abcdef"]
    ids = [f"{region}-az{number}" for number in range(1, 7)]
    return {"names": names, "zoneIds": ids, "groupNames": [region], "state": "available"}


def _offerings(arguments: Arguments) -> Answer:
    return {"locations": _zones(arguments)["names"], "instanceTypes": [], "locationTypes": []}


ANSWERS: dict[str, Callable[[Arguments], Answer]] = {
    "aws:index/getPartition:getPartition": lambda _: {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
        "id": AWS_ACCOUNT,
        "accountId": AWS_ACCOUNT,
        "arn": f"arn:aws:sts::{AWS_ACCOUNT}:assumed-role/deployer/preview",
        "userId": "AROAEXAMPLE:preview",
    },
    "aws:iam/getSessionContext:getSessionContext": lambda arguments: {
        "id": arguments["arn"],
        "arn": arguments["arn"],
        "issuerArn": f"arn:aws:iam::{AWS_ACCOUNT}:role/deployer",
        "issuerId": "AROAEXAMPLE",
        "issuerName": "deployer",
        "sessionName": "preview",
    },
    "aws:index/getRegion:getRegion": lambda arguments: {
        "id": arguments.get("region", AWS_REGION),
        "name": arguments.get("region", AWS_REGION),
        "region": arguments.get("region", AWS_REGION),
        "endpoint": f"ec2.{arguments.get('region', AWS_REGION)}.amazonaws.com",
    },
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": _offerings,
    "aws:eks/getClusters:getClusters": lambda _: {"id": AWS_REGION, "names": []},
    "aws:ec2/getSubnet:getSubnet": lambda arguments: {
        "id": arguments["id"],
        # Three subnets whose ids end in a, b and c, or in 0, 1 and 2, are in three zones.
        "availabilityZone": (
            f"{arguments.get('region', AWS_REGION)}{'abc'[int(arguments['id'][-1], 16) % 3]}"
        ),
        "vpcId": "vpc-00000000",
    },
    "aws:eks/getAddonVersion:getAddonVersion": lambda arguments: {
        "id": arguments["addonName"],
        "addonName": arguments["addonName"],
        "kubernetesVersion": arguments["kubernetesVersion"],
        "version": "v0.0.0-eksbuild.0",
    },
    "azure-native:authorization:getClientConfig": lambda _: dict.fromkeys(
        ("clientId", "objectId", "subscriptionId", "tenantId"), AZURE_ID
    ),
    "azure-native:containerservice:listManagedClusterUserCredentials": lambda _: {
        "kubeconfigs": [
            {"name": "clusterUser", "value": base64.b64encode(kubeconfig().encode()).decode()}
        ]
    },
    "azure-native:storage:listStorageAccountKeys": lambda _: {
        "keys": [
            {
                "keyName": "key1",
                "permissions": "FULL",
                "value": base64.b64encode(b"made up for a preview").decode(),
            }
        ]
    },
    "gcp:organizations/getClientConfig:getClientConfig": lambda _: {
        "id": f"projects/{GCP_PROJECT}",
        "accessToken": "made-up-for-a-preview",
        "project": GCP_PROJECT,
        "region": GCP_REGION,
        "zone": f"{GCP_REGION}-b",
    },
    "gcp:organizations/getProject:getProject": lambda arguments: {
        "id": f"projects/{arguments.get('projectId', GCP_PROJECT)}",
        "projectId": arguments.get("projectId", GCP_PROJECT),
        "number": "123456789012",
        "name": "example",
    },
    "gcp:compute/getZones:getZones": lambda arguments: {
        "id": f"projects/{GCP_PROJECT}/regions/{arguments.get('region', GCP_REGION)}",
        "names": [f"{arguments.get('region', GCP_REGION)}-{letter}" for letter in "bcd"],
    },
}
"""Provider functions by token, with the arguments they were called with."""
