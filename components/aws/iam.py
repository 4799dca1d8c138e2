"""Roles that AWS services act with, and what a site may demand of every role."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.settings import Settings

ARN = r"^arn:aws[a-z-]*:"


class AwsIamSettings(Settings):
    """What a site demands of the roles that a stack creates."""

    path: str = Field(default="/ha-iris/", pattern=r"^/([!-~]+/)?$", max_length=512)
    """Path of the roles, so that one policy can speak of all of them. Starts and ends with /.

    A change replaces the roles, with them cluster and nodes, and is refused while protectData is
    on.
    """

    permissions_boundary: str | None = Field(default=None, pattern=ARN + r"iam::[^:]+:policy/.+$")
    """ARN of the policy that limits what any of the roles may ever do."""


@dataclass(frozen=True)
class ServiceRole:
    """A role and the policies without which it is of no use."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    grants: Sequence[pulumi.Resource]
    """Wait for these before using the role, and outlive what uses it."""


def pod_role(
    name: str,
    settings: AwsIamSettings,
    *,
    description: str,
    managed_policies: Sequence[str] = (),
    policy: pulumi.Input[str] | None = None,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> ServiceRole:
    """A role that pods get from EKS Pod Identity."""
    return service_role(
        name,
        settings,
        description=description,
        service="pods.eks.amazonaws.com",
        # Pod Identity tags its sessions with cluster, namespace and service account.
        actions=["sts:AssumeRole", "sts:TagSession"],
        managed_policies=managed_policies,
        policy=policy,
        tags=tags,
        opts=opts,
    )


@dataclass(frozen=True)
class PodIdentity:
    """A role, and who acts with it."""

    role_arn: pulumi.Output[str]

    ready: Sequence[pulumi.Resource]
    """What must exist before the pod starts: one that is older has no identity until it is started
    again."""


def pod_identity(
    name: str,
    settings: AwsIamSettings,
    *,
    description: str,
    policy: pulumi.Input[str],
    cluster_name: pulumi.Input[str],
    namespace: str,
    service_account: str,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> PodIdentity:
    """A role for the pods of one service account, and nobody else; ``policy`` is JSON."""
    role = pod_role(
        f"{name}-role", settings, description=description, policy=policy, tags=tags, opts=opts
    )
    association = aws.eks.PodIdentityAssociation(
        f"{name}-identity",
        cluster_name=cluster_name,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        tags=dict(tags),
        opts=opts,
    )
    return PodIdentity(role.arn, [*role.grants, association])


def service_role(
    name: str,
    settings: AwsIamSettings,
    *,
    description: str,
    service: str,
    actions: Sequence[str] = ("sts:AssumeRole",),
    managed_policies: Sequence[str] = (),
    policy: pulumi.Input[str] | None = None,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> ServiceRole:
    """A role that one AWS service may assume, with AWS's own policies or a policy of ours.

    ``managed_policies`` are names such as AmazonEKSClusterPolicy; ``policy`` is a JSON document.
    """
    role = aws.iam.Role(
        name,
        description=description,
        path=settings.path,
        permissions_boundary=settings.permissions_boundary,
        assume_role_policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": service},
                        "Action": list(actions),
                    }
                ],
            }
        ),
        tags=dict(tags),
        opts=opts,
    )
    grants: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{managed}",
            role=role.name,
            policy_arn=pulumi.Output.concat(
                "arn:", aws.get_partition_output().partition, f":iam::aws:policy/{managed}"
            ),
            opts=opts,
        )
        for managed in managed_policies
    ]
    if policy is not None:
        grants.append(
            aws.iam.RolePolicy(f"{name}-policy", role=role.name, policy=policy, opts=opts)
        )
    return ServiceRole(arn=role.arn, name=role.name, grants=grants)
