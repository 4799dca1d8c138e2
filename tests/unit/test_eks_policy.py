"""What a deployer and a preview may do on AWS: enough for this program, and no more than that."""

import json
import re

import pytest

from components.aws.backup_store import BUCKET_PREFIX
from components.aws.iam import AwsIamSettings
from components.aws.nodes import CNI_POLICY, NODE_POLICIES
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


# What the program does beside creating, and the action that it takes.
BESIDE = {
    "refuse a version that the cluster is ahead of": ["eks:ListClusters", "eks:DescribeCluster"],
    "compare node groups with what Pulumi noted": ["eks:DescribeNodegroup"],
    "ask in which zones a node type is offered": ["ec2:Describe*"],
    # GuardDuty puts an endpoint and a group of its own into a VPC, and EKS leaves interfaces; the
    # provider removes them with the VPC and its subnets (hashicorp/terraform-provider-aws 46747).
    "delete a VPC that others left things in": [
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteSecurityGroup",
        "ec2:DetachNetworkInterface",
    ],
}


@pytest.mark.parametrize("purpose", BESIDE)
def test_the_deployer_may_do_what_the_program_does_beside_creating(allowed, purpose):
    assert set(BESIDE[purpose]) <= allowed


# What the program asks AWS, and the action that answers; None: everybody may ask that.
QUESTIONS = {
    "get_availability_zones": "ec2:DescribeAvailabilityZones",
    "get_caller_identity": None,
    "get_partition": None,
    "ec2.get_instance_type_offerings": "ec2:DescribeInstanceTypeOfferings",
    "ec2.get_subnet": "ec2:DescribeSubnets",
    "eks.get_addon_version": "eks:DescribeAddonVersions",
    "eks.get_cluster": "eks:DescribeCluster",
    "eks.get_clusters": "eks:ListClusters",
    "iam.get_session_context": "iam:GetRole",
}
IN_AN_UPDATE = {"eks.get_node_group"}
"""What a preview does not ask."""


def test_a_preview_may_ask_what_the_program_asks_and_read_its_state():
    sources = [*(ROOT / "components" / "aws").glob("*.py"), *(ROOT / "stacks").glob("*.py")]
    asked = {
        question.removesuffix("_output")
        for file in sources
        for question in re.findall(r"\baws\.((?:\w+\.)?get_\w+)\(", file.read_text())
    }
    page = (ROOT / "docs" / "pull-requests.md").read_text()
    (written,) = re.findall(r"`preview\.json`.*?```json\n(.*?)```", page, re.DOTALL)
    look, *state = json.loads(written)["Statement"]

    assert asked - IN_AN_UPDATE == QUESTIONS.keys()
    assert sorted(look["Action"]) == sorted(filter(None, QUESTIONS.values()))
    assert [statement["Action"] for statement in state] == [
        ["s3:GetObject", "s3:ListBucket"],
        "kms:Decrypt",
    ]


def test_the_first_cluster_and_gateway_of_an_account_bring_the_roles_of_their_services(statements):
    services = statements["RolesOfServices"]["Condition"]["StringEquals"]["iam:AWSServiceName"]

    # The last one for `nat: regional`.
    assert set(services) >= {
        "eks.amazonaws.com",
        "eks-nodegroup.amazonaws.com",
        "autoscaling.amazonaws.com",
        "ec2-nat-gateway.amazonaws.com",
    }


def test_roles_are_given_to_the_services_that_they_are_made_for_and_to_no_other(eks, statements):
    engine = eks(cluster={"cniIdentity": "pod"}, network={"flowLogs": True})
    trusted = {
        statement["Principal"]["Service"]
        for role in engine.of_type("aws:iam/role:Role")
        for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    }

    condition = statements["RolesGivenToServices"]["Condition"]["StringEquals"]
    assert set(condition["iam:PassedToService"]) == trusted
    assert statements["RolesGivenToServices"]["Action"] == ["iam:PassRole"]
    assert [sid for sid, s in statements.items() if "iam:PassRole" in s["Action"]] == [
        "RolesGivenToServices"
    ]


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
    assert {arn.split("/")[-1] for arn in attachable} == {
        *NODE_POLICIES,
        CNI_POLICY,
        "AmazonEKSClusterPolicy",
    }
