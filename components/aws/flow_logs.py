"""A record of what a VPC refuses."""

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws.iam import AwsIamSettings, service_role

RETENTION_DAYS = 90


def flow_logs(
    name: str,
    *,
    vpc: aws.ec2.Vpc,
    cluster_name: str,
    iam: AwsIamSettings,
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Send every connection that the VPC refuses to a log group of its own.

    The group's name begins like those of EKS, of which the deployer's policy speaks.
    """
    group = aws.cloudwatch.LogGroup(
        f"{name}-flow-logs",
        name=f"/aws/eks/{cluster_name}/vpc",
        retention_in_days=RETENTION_DAYS,
        tags=dict(tags),
        opts=opts,
    )
    role = service_role(
        f"{name}-flow-logs-role",
        iam,
        description=f"Flow logs of {cluster_name}",
        service="vpc-flow-logs.amazonaws.com",
        policy=group.arn.apply(_may_write),
        tags=tags,
        opts=opts,
    )
    aws.ec2.FlowLog(
        f"{name}-flow-logs",
        vpc_id=vpc.id,
        traffic_type="REJECT",
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        tags=dict(tags),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[*role.grants])),
    )


def _may_write(group_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": [
                        "logs:CreateLogStream",
                        "logs:DescribeLogStreams",
                        "logs:PutLogEvents",
                    ],
                    "Resource": [group_arn, f"{group_arn}:*"],
                }
            ],
        }
    )
