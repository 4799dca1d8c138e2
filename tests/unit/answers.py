"""What the mock engine answers where a program needs to know something that a cloud computes."""

import base64
from typing import Any


def computed(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs that a new resource has beside its inputs."""
    match token:
        case "random:index/randomPassword:RandomPassword":
            return {"result": f"generated-{name}"}
        case "random:index/randomBytes:RandomBytes":
            return {"hex": "ab" * 64}
        case "gcp:container/cluster:Cluster":
            return {
                "endpoint": "203.0.113.9",
                "masterAuth": {**inputs["masterAuth"], "clusterCaCertificate": "Q0E="},
                "controlPlaneEndpointsConfig": {
                    "dnsEndpointConfig": {"endpoint": "gke-1a2b.europe-west1.gke.goog"}
                },
            }
        case "gcp:serviceaccount/account:Account":
            email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
            return {"email": email, "member": f"serviceAccount:{email}"}
        case "gcp:storage/hmacKey:HmacKey":
            return {"accessId": "GOOG1EXAMPLE", "secret": f"generated-{name}"}
        case "gcp:compute/address:Address":
            return {"address": "198.51.100.7", "selfLink": f"https://compute.invalid/{name}"}
        case "gcp:storage/bucket:Bucket" | "gcp:compute/router:Router":
            return {"name": f"{name}-autonamed"}
        case "aws:eks/cluster:Cluster":
            return {
                "endpoint": "https://1A2B.gr7.eu-west-1.eks.amazonaws.com",
                "certificateAuthority": {"data": "Q0E="},
                "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-0123456789"},
            }
        case "aws:cloudwatch/logGroup:LogGroup":
            return {"arn": f"arn:aws:logs:eu-west-1:123456789012:log-group:{inputs['name']}"}
        case "aws:eks/nodeGroup:NodeGroup":
            group = {"status": "ACTIVE", "nodeGroupName": f"{name}-1a2b"}
            return {**group, "releaseVersion": "1.36.2-20261012"}
        case "aws:ec2/launchTemplate:LaunchTemplate":
            return {"latestVersion": 1}
        case "aws:ec2/natGateway:NatGateway" if inputs.get("availabilityMode") == "regional":
            known = [{"publicIp": f"regional-address-of-{name}"}]
            return {"publicIp": "", "regionalNatGatewayAddresses": known}
        case "aws:ec2/natGateway:NatGateway":
            return {"publicIp": f"address-of-{name}", "regionalNatGatewayAddresses": []}
        case "aws:iam/role:Role":
            path = inputs.get("path", "/")
            name = f"{name}-autonamed"
            return {"name": name, "arn": f"arn:aws:iam::123456789012:role{path}{name}"}
        case "aws:s3/bucket:Bucket":
            return {"arn": f"arn:aws:s3:::{name}-id"}
        case _ if token.startswith("kubernetes:") and "metadata" in inputs:
            metadata = inputs["metadata"]
            return {"metadata": {"name": f"{name}-autonamed", **metadata}}
        case _ if token.startswith("azure-native:"):
            return _azure(token, name, inputs)
        case _:
            return {}


def _azure(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    # Azure calls a resource by the one input that names it, whose own name differs by type.
    key = token.rsplit(":", 1)[1]
    named = {
        "ManagedCluster": "resourceName",
        "ResourceGroup": "resourceGroupName",
        "UserAssignedIdentity": "resourceName",
        "VirtualNetwork": "virtualNetworkName",
    }.get(key, "name")
    outputs = {"name": inputs.get(named, f"{name}1a2b3c4d")}
    if "identity" in inputs:
        # A list going in, a map coming out.
        ids = inputs["identity"]["userAssignedIdentities"]
        outputs["identity"] = {
            **inputs["identity"],
            "userAssignedIdentities": {identity: {} for identity in ids},
        }
    if key == "UserAssignedIdentity":
        outputs["principalId"] = f"{name}-principal"
    return outputs


AZURE_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: aks
  cluster: {server: "https://aks.invalid:443", certificate-authority-data: Q0E=}
contexts:
- name: aks
  context: {cluster: aks, user: clusterUser}
current-context: aks
users:
- name: clusterUser
  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
"""


def answer(token: str, args: dict[str, Any]) -> dict[str, Any]:
    """Result of a provider function; an unknown one is an error of the test."""
    match token:
        case "azure-native:authorization:getClientConfig":
            return {"subscriptionId": "sub", "tenantId": "tenant", "clientId": "c", "objectId": "o"}
        case "azure-native:containerservice:listManagedClusterUserCredentials":
            value = base64.b64encode(AZURE_KUBECONFIG.encode()).decode()
            return {"kubeconfigs": [{"name": "clusterUser", "value": value}]}
        case "azure-native:network:getPublicIPAddress":
            return {"ipAddress": f"address-of-{args['publicIpAddressName']}"}
        case "azure-native:storage:listStorageAccountKeys":
            return {"keys": [{"keyName": "key1", "value": f"key-of-{args['accountName']}"}]}
        case "aws:index/getAvailabilityZones:getAvailabilityZones":
            return {"names": [f"eu-west-1{letter}" for letter in "abcd"]}
        case "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings":
            return {"locations": [f"eu-west-1{letter}" for letter in "abcd"]}
        case "aws:eks/getClusters:getClusters":
            return {"names": []}
        case "aws:eks/getNodeGroup:getNodeGroup":
            return {
                "status": "ACTIVE",
                "releaseVersion": "1.36.2-20261012",
                "launchTemplates": [{"id": "cluster-nodes-template-id", "version": "1"}],
            }
        case "aws:index/getPartition:getPartition":
            return {"partition": "aws"}
        case "aws:index/getCallerIdentity:getCallerIdentity":
            return {"arn": "arn:aws:sts::123456789012:assumed-role/deployer/session"}
        case "aws:iam/getSessionContext:getSessionContext":
            return {"issuerArn": "arn:aws:iam::123456789012:role/deployer"}
        case "aws:ec2/getSubnet:getSubnet":
            return {"availabilityZone": f"eu-west-1{args['id'][-1]}", "vpcId": "vpc-0123"}
        case "aws:eks/getAddonVersion:getAddonVersion":
            return {"version": "v1.0.0-eksbuild.1"}
    raise LookupError(f"the mock engine has no answer to {token} {args}")
