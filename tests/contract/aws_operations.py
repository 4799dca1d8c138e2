"""The request that creates each AWS resource of compute, Kubernetes and IAM."""

from tests.contract.aws import TEMPLATE_DATA, block_devices, tag_list, tag_specifications
from tests.contract.botocore_shapes import Operation
from tests.contract.cloudformation import capitalised


def log_setup(types: list[str]) -> list[dict[str, object]]:
    """Logs of the control plane that are switched on."""
    return [{"types": types, "enabled": True}]


def one(value: object) -> list[object]:
    """A block of which Pulumi takes one and the API a list."""
    return [value]


OPERATIONS: dict[str, Operation] = {
    "aws:eks/cluster:Cluster": Operation(
        "eks",
        "CreateCluster",
        renamed={
            "vpcConfig": "resourcesVpcConfig",
            "enabledClusterLogTypes": "logging.clusterLogging",
        },
        converted={"enabledClusterLogTypes": log_setup, "encryptionConfig": one},
    ),
    "aws:eks/nodeGroup:NodeGroup": Operation(
        "eks",
        "CreateNodegroup",
        renamed={
            "nodeGroupName": "nodegroupName",
            "nodeRoleArn": "nodeRole",
            "subnetIds": "subnets",
        },
        # Belongs to UpdateNodegroupVersion.
        provider_only=frozenset({"forceUpdateVersion", "nodeGroupNamePrefix"}),
        computed={"nodegroupName": "generated"},
    ),
    "aws:eks/addon:Addon": Operation(
        "eks",
        "CreateAddon",
        renamed={"resolveConflictsOnCreate": "resolveConflicts"},
        # Belong to UpdateAddon and DeleteAddon.
        provider_only=frozenset({"resolveConflictsOnUpdate", "preserve"}),
    ),
    "aws:eks/accessEntry:AccessEntry": Operation(
        "eks", "CreateAccessEntry", renamed={"userName": "username"}
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Operation(
        "eks", "AssociateAccessPolicy"
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Operation(
        "eks", "CreatePodIdentityAssociation"
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": Operation(
        "ec2",
        "CreateLaunchTemplate",
        renamed={
            **{key: f"LaunchTemplateData.{key[0].upper()}{key[1:]}" for key in TEMPLATE_DATA},
            "vpcSecurityGroupIds": "LaunchTemplateData.SecurityGroupIds",
            "name": "LaunchTemplateName",
            "description": "VersionDescription",
        },
        converted={
            **dict.fromkeys(TEMPLATE_DATA, capitalised),
            "blockDeviceMappings": block_devices,
            "tagSpecifications": tag_specifications,
        },
        provider_only=frozenset({"updateDefaultVersion", "namePrefix", "tags"}),
        computed={"LaunchTemplateName": "generated"},
    ),
    "aws:iam/role:Role": Operation(
        "iam",
        "CreateRole",
        renamed={
            "name": "RoleName",
            "path": "Path",
            "description": "Description",
            "assumeRolePolicy": "AssumeRolePolicyDocument",
            "permissionsBoundary": "PermissionsBoundary",
            "maxSessionDuration": "MaxSessionDuration",
            "tags": "Tags",
        },
        converted={"tags": tag_list},
        provider_only=frozenset({"forceDetachPolicies", "namePrefix"}),
        computed={"RoleName": "generated"},
    ),
    "aws:iam/rolePolicy:RolePolicy": Operation(
        "iam",
        "PutRolePolicy",
        renamed={"role": "RoleName", "name": "PolicyName", "policy": "PolicyDocument"},
        computed={"PolicyName": "generated"},
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Operation(
        "iam", "AttachRolePolicy", renamed={"role": "RoleName", "policyArn": "PolicyArn"}
    ),
}
