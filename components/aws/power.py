"""Who may stop and start the nodes' instances, and have Auto Scaling look away meanwhile."""

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws.iam import AwsIamSettings, service_role
from components.fencing.power import NAMESPACE, SERVICE_ACCOUNT, MachinePower


class Ec2Power(pulumi.ComponentResource):
    """A role that the fencing agent's pods get from EKS Pod Identity, and nobody else."""

    power: MachinePower

    def __init__(
        self,
        name: str,
        *,
        cluster_name: pulumi.Input[str],
        region: str,
        iam: AwsIamSettings,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:fencing:Ec2Power", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = service_role(
            f"{name}-role",
            iam,
            description="Fencing of nodes",
            service="pods.eks.amazonaws.com",
            # Pod Identity tags its sessions with cluster, namespace and service account.
            actions=["sts:AssumeRole", "sts:TagSession"],
            policy=pulumi.Output.from_input(cluster_name).apply(power_policy),
            tags=tags,
            opts=child,
        )
        association = aws.eks.PodIdentityAssociation(
            f"{name}-identity",
            cluster_name=cluster_name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            tags=dict(tags),
            opts=child,
        )
        self.power = MachinePower("aws", {"region": region}, ready=[*role.grants, association])
        self.register_outputs({})


def power_policy(cluster_name: str) -> str:
    """Stop and start what EKS's node groups tagged with this cluster's name, and nothing else.

    What describes knows no resources (service authorization reference of EC2 and EC2 Auto Scaling).
    """
    of_the_cluster = {"StringEquals": {"aws:ResourceTag/eks:cluster-name": cluster_name}}
    statements = [
        {
            "Effect": "Allow",
            "Action": ["ec2:DescribeInstances", "autoscaling:DescribeAutoScalingInstances"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": [
                "ec2:StopInstances",
                "ec2:StartInstances",
                "autoscaling:SuspendProcesses",
                "autoscaling:ResumeProcesses",
                "autoscaling:SetInstanceHealth",
            ],
            "Resource": "*",
            "Condition": of_the_cluster,
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
