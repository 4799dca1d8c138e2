"""Who may stop and start the nodes' instances, and have Auto Scaling look away meanwhile."""

import json
from collections.abc import Mapping

import pulumi

from components.aws.iam import AwsIamSettings, pod_identity
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
        identity = pod_identity(
            name,
            iam,
            description="Fencing of nodes",
            policy=pulumi.Output.from_input(cluster_name).apply(power_policy),
            cluster_name=cluster_name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            tags=tags,
            opts=child,
        )
        self.power = MachinePower("aws", {"region": region}, ready=identity.ready)
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
