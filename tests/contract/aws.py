"""How each AWS resource of the program is said in CloudFormation's words."""

from collections.abc import Mapping
from typing import Any

from tests.contract.cloudformation import (
    CloudFormation,
    capitalised,
    only,
    tag_list,
    verbatim,
)

TAGS = {"tags": tag_list}


def log_types(types: list[str]) -> list[dict[str, str]]:
    """Names of control plane logs as CloudFormation wants them."""
    return [{"Type": name} for name in types]


def block_devices(devices: list[dict[str, Any]]) -> list[Any]:
    """Volumes of a launch template: the provider takes its booleans as text."""
    booleans = {"true": True, "false": False}
    return [
        capitalised({**device, "ebs": {k: booleans.get(v, v) for k, v in device["ebs"].items()}})
        for device in devices
    ]


def tag_specifications(specifications: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tags that a launch template gives to what is made from it."""
    return [
        {
            **capitalised({k: v for k, v in specification.items() if k != "tags"}),
            "Tags": tag_list(specification["tags"]),
        }
        for specification in specifications
    ]


def template_tags(tags: dict[str, str]) -> list[dict[str, Any]]:
    """Tags of the launch template itself."""
    return [{"ResourceType": "launch-template", "Tags": tag_list(tags)}]


def of_a_vpc(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Flow logs, whose kind of source the provider takes from the input that names it."""
    return {**inputs, "resourceType": "VPC"}


TEMPLATE_DATA = (
    "blockDeviceMappings",
    "ebsOptimized",
    "iamInstanceProfile",
    "imageId",
    "instanceType",
    "keyName",
    "maintenanceOptions",
    "metadataOptions",
    "monitoring",
    "networkInterfaces",
    "placement",
    "privateDnsNameOptions",
    "tagSpecifications",
    "userData",
)


def routes(routes: list[dict[str, Any]]) -> list[Any]:
    """Routes inside a route table; each is a resource of its own in CloudFormation."""
    renamed = {"cidrBlock": "DestinationCidrBlock", "ipv6CidrBlock": "DestinationIpv6CidrBlock"}
    return [capitalised({renamed.get(k, k): v for k, v in route.items()}) for route in routes]


def access_policy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """An access policy, which CloudFormation lists inside the access entry."""
    policy = {key: inputs[key] for key in inputs if key in ("policyArn", "accessScope")}
    return {**{k: v for k, v in inputs.items() if k not in policy}, "accessPolicies": [policy]}


def encryption_rules(rules: list[dict[str, Any]]) -> list[Any]:
    """How a bucket encrypts: CloudFormation writes its abbreviations in capitals."""
    names = {
        "applyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault",
        "sseAlgorithm": "SSEAlgorithm",
        "kmsMasterKeyId": "KMSMasterKeyID",
    }
    return [capitalised(_with_names(rule, names)) for rule in rules]


def lifecycle_rules(rules: list[dict[str, Any]]) -> list[Any]:
    """What becomes of objects: CloudFormation has no block around prefix and expiration."""
    expiration: dict[str, str] = {"days": "ExpirationInDays", "date": "ExpirationDate"}
    said = []
    for rule in rules:
        flat: dict[str, Any] = {k: v for k, v in rule.items() if k not in ("filter", "expiration")}
        flat.update(rule.get("filter", {}))
        for key, value in rule.get("expiration", {}).items():
            flat[expiration.get(str(key), str(key))] = value
        said.append(capitalised(flat))
    return said


def _with_names(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(key, key): _with_names(item, names) for key, item in value.items()}
    return value


AWS: dict[str, CloudFormation] = {
    "aws:ec2/vpc:Vpc": CloudFormation("AWS::EC2::VPC", converted=TAGS),
    "aws:ec2/subnet:Subnet": CloudFormation("AWS::EC2::Subnet", converted=TAGS),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": CloudFormation(
        "AWS::EC2::SecurityGroup",
        renamed={"ingress": "SecurityGroupIngress", "egress": "SecurityGroupEgress"},
        converted=TAGS,
        # The VPC made it and described it.
        part=True,
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": CloudFormation(
        "AWS::EC2::SecurityGroupIngress",
        renamed={
            "securityGroupId": "GroupId",
            "cidrIpv4": "CidrIp",
            "cidrIpv6": "CidrIpv6",
            "prefixListId": "SourcePrefixListId",
            "referencedSecurityGroupId": "SourceSecurityGroupId",
        },
        # CloudFormation knows no tags of a rule; EC2 has one kind of tags for everything.
        separate={"tags": ("AWS::EC2::VPC", lambda tags: [{"Tags": tag_list(tags)}])},
    ),
    "aws:ec2/internetGateway:InternetGateway": CloudFormation(
        "AWS::EC2::InternetGateway",
        converted=TAGS,
        # CloudFormation attaches it by a resource of its own, whose one other field is this.
        provider_only=frozenset({"vpcId"}),
    ),
    "aws:ec2/eip:Eip": CloudFormation("AWS::EC2::EIP", converted=TAGS),
    "aws:ec2/natGateway:NatGateway": CloudFormation("AWS::EC2::NatGateway", converted=TAGS),
    "aws:ec2/routeTable:RouteTable": CloudFormation(
        "AWS::EC2::RouteTable",
        converted=TAGS,
        separate={"routes": ("AWS::EC2::Route", routes)},
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": CloudFormation(
        "AWS::EC2::SubnetRouteTableAssociation"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": CloudFormation(
        "AWS::EC2::VPCEndpoint",
        renamed={"policy": "PolicyDocument"},
        converted=TAGS,
        policies={"policy": "policy_resource"},
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": CloudFormation(
        "AWS::EC2::LaunchTemplate",
        renamed={
            **{key: f"LaunchTemplateData.{key[0].upper()}{key[1:]}" for key in TEMPLATE_DATA},
            "vpcSecurityGroupIds": "LaunchTemplateData.SecurityGroupIds",
            "name": "LaunchTemplateName",
            "description": "VersionDescription",
            "tags": "TagSpecifications",
        },
        converted={
            "blockDeviceMappings": block_devices,
            "tagSpecifications": tag_specifications,
            "tags": template_tags,
        },
        provider_only=frozenset({"updateDefaultVersion", "namePrefix"}),
    ),
    "aws:iam/role:Role": CloudFormation(
        "AWS::IAM::Role",
        renamed={"assumeRolePolicy": "AssumeRolePolicyDocument", "name": "RoleName"},
        converted=TAGS,
        policies={"assumeRolePolicy": "policy_trust"},
        provider_only=frozenset({"namePrefix", "forceDetachPolicies"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": CloudFormation(
        "AWS::IAM::RolePolicy",
        renamed={"policy": "PolicyDocument", "name": "PolicyName", "role": "RoleName"},
        policies={"policy": "policy_identity"},
        part=True,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": CloudFormation(
        "AWS::IAM::Role",
        renamed={"role": "RoleName", "policyArn": "ManagedPolicyArns"},
        converted={"policyArn": only},
        part=True,
    ),
    "aws:cloudwatch/logGroup:LogGroup": CloudFormation(
        "AWS::Logs::LogGroup",
        renamed={"name": "LogGroupName"},
        converted=TAGS,
        provider_only=frozenset({"skipDestroy"}),
    ),
    "aws:ec2/flowLog:FlowLog": CloudFormation(
        "AWS::EC2::FlowLog",
        renamed={"vpcId": "ResourceId", "iamRoleArn": "DeliverLogsPermissionArn"},
        converted=TAGS,
        prepared=of_a_vpc,
    ),
    "aws:eks/cluster:Cluster": CloudFormation(
        "AWS::EKS::Cluster",
        renamed={
            "vpcConfig": "ResourcesVpcConfig",
            "enabledClusterLogTypes": "Logging.ClusterLogging.EnabledTypes",
        },
        converted={**TAGS, "encryptionConfig": only, "enabledClusterLogTypes": log_types},
    ),
    "aws:eks/nodeGroup:NodeGroup": CloudFormation(
        "AWS::EKS::Nodegroup",
        renamed={
            "nodeRoleArn": "NodeRole",
            "subnetIds": "Subnets",
            "nodeGroupName": "NodegroupName",
            "forceUpdateVersion": "ForceUpdateEnabled",
        },
        converted={"labels": verbatim, "tags": verbatim},
    ),
    "aws:eks/addon:Addon": CloudFormation(
        "AWS::EKS::Addon",
        renamed={"resolveConflictsOnCreate": "ResolveConflicts", "preserve": "PreserveOnDelete"},
        converted=TAGS,
        # Says for updates what resolveConflictsOnCreate says for the creation.
        provider_only=frozenset({"resolveConflictsOnUpdate"}),
    ),
    "aws:eks/accessEntry:AccessEntry": CloudFormation(
        "AWS::EKS::AccessEntry", renamed={"userName": "Username"}, converted=TAGS
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": CloudFormation(
        "AWS::EKS::AccessEntry", prepared=access_policy
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": CloudFormation(
        "AWS::EKS::PodIdentityAssociation", converted=TAGS
    ),
    "aws:s3/bucket:Bucket": CloudFormation(
        "AWS::S3::Bucket",
        renamed={"bucket": "BucketName", "bucketPrefix": "BucketNamePrefix"},
        converted=TAGS,
        provider_only=frozenset({"forceDestroy"}),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": CloudFormation(
        "AWS::S3::Bucket",
        renamed={
            "bucket": "BucketName",
            **{
                key: f"PublicAccessBlockConfiguration.{key[0].upper()}{key[1:]}"
                for key in (
                    "blockPublicAcls",
                    "blockPublicPolicy",
                    "ignorePublicAcls",
                    "restrictPublicBuckets",
                )
            },
        },
        provider_only=frozenset({"skipDestroy"}),
        part=True,
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        CloudFormation(
            "AWS::S3::Bucket",
            renamed={
                "bucket": "BucketName",
                "rules": "BucketEncryption.ServerSideEncryptionConfiguration",
            },
            converted={"rules": encryption_rules},
            part=True,
        )
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": CloudFormation(
        "AWS::S3::Bucket",
        renamed={"bucket": "BucketName", "rules": "LifecycleConfiguration.Rules"},
        converted={"rules": lifecycle_rules},
        part=True,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": CloudFormation(
        "AWS::S3::Bucket", renamed={"bucket": "BucketName"}, part=True
    ),
    "aws:s3/bucketPolicy:BucketPolicy": CloudFormation(
        "AWS::S3::BucketPolicy",
        renamed={"policy": "PolicyDocument"},
        policies={"policy": "policy_resource"},
    ),
}
