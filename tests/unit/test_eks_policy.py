"""What a deployer may do on AWS: enough for this program, and no more than it needs."""

import json
import re

import pytest

from components.aws.backup_store import BUCKET_PREFIX
from components.aws.iam import AwsIamSettings
from components.aws.nodes import NODE_POLICIES
from tests.unit.conftest import ROOT

FILE = ROOT / "docs" / "policies" / "eks-deployer.json"

# Actions that are called otherwise than "Create" and the resource's type.
ACTIONS = {
    "aws:cloudwatch/logGroup:LogGroup": "logs:CreateLogGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "ec2:RevokeSecurityGroupEgress",
    "aws:ec2/eip:Eip": "ec2:AllocateAddress",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "ec2:AssociateRouteTable",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": "eks:AssociateAccessPolicy",
    "aws:eks/nodeGroup:NodeGroup": "eks:CreateNodegroup",
    "aws:iam/rolePolicy:RolePolicy": "iam:PutRolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "iam:AttachRolePolicy",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "s3:PutLifecycleConfiguration"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": "s3:PutBucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:PutEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "s3:PutBucketVersioning",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "ec2:AuthorizeSecurityGroupIngress"
    ),
}


@pytest.fixture(scope="module")
def statements():
    """Statements of the policy by Sid."""
    policy = json.loads(FILE.read_text())
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    return {statement["Sid"]: statement for statement in policy["Statement"]}


@pytest.fixture(scope="module")
def allowed(statements):
    """All actions of the policy."""
    return {action for statement in statements.values() for action in statement["Action"]}


def creating(token: str) -> str:
    """The action that makes a resource of a type."""
    service, kind = token.removeprefix("aws:").split("/")
    return ACTIONS.get(token, f"{service}:Create{kind.split(':')[1]}")


def test_the_deployer_may_create_every_kind_of_resource_of_the_program(eks, allowed):
    private = {"apiEndpoint": "private", "apiAccessCidrs": ["10.8.0.0/16"]}
    for engine in (eks(), eks(cluster=private, network={"nat": "regional"})):
        for resource in engine.resources:
            if resource.type.startswith("aws:"):
                assert creating(resource.type) in allowed, resource.name


def test_the_policy_is_one_that_iam_takes():
    # IAM counts a managed policy without white space, up to 6144 characters.
    assert len(re.sub(r"\s", "", FILE.read_text())) <= 6144


def test_nothing_is_changed_outside_what_bears_the_programs_name(statements):
    everywhere = {sid for sid, s in statements.items() if s["Resource"] == "*"}

    # EC2 knows no names; the rest looks, or starts machines from a template alone.
    assert everywhere == {"Look", "Network", "NodeTemplate", "NodesFromATemplate"}
    look = statements["Look"]["Action"]
    assert all(re.match(r"\w+:(Describe|Get|List)", action) for action in look)
    assert not [a for s in statements.values() for a in s["Action"] if a.endswith(":*")]


def test_the_programs_names_are_those_of_the_policy(statements):
    assert statements["Roles"]["Resource"].endswith(f"role{AwsIamSettings().path}*")
    assert statements["Backups"]["Resource"] == f"arn:aws:s3:::{BUCKET_PREFIX}*"
    attachable = statements["PoliciesOfRoles"]["Condition"]["ArnEquals"]["iam:PolicyARN"]
    assert {arn.split("/")[-1] for arn in attachable} == {*NODE_POLICIES, "AmazonEKSClusterPolicy"}
