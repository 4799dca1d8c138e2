"""Node groups that keep Longhorn's copies: one per zone, changed one after the other."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.aws.iam import service_role
from components.aws.network import AwsNetwork
from components.aws.node_changes import as_recorded, release_moves_along
from components.aws.settings import EksClusterSettings
from components.aws.user_data import user_data
from components.longhorn.node_changes import NodeChanges

CNI_POLICY = "AmazonEKS_CNI_Policy"
NODE_POLICIES = (
    # Not AmazonEKSWorkerNodeMinimalPolicy: nodeadm asks EC2 for the node's name.
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    # A shell on a node that did not join, without SSH and without an open port.
    "AmazonSSMManagedInstanceCore",
)
IMAGES = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}


class EksNodeGroups(pulumi.ComponentResource):
    """A managed node group in each zone, each of which waits for the one before.

    Whatever changes them, be it an update or a replacement, so reaches one zone at a time, and
    an update waits until Longhorn has its copies in the others. A group of its own for each zone
    is never rebalanced: EKS drains nothing when it does that.
    """

    role_arn: pulumi.Output[str]
    """Whom the nodes act as."""

    groups: list[pulumi.Input[pulumi.Resource]]
    """The groups, in the order in which they are changed, each once it is what it should be."""

    def __init__(
        self,
        name: str,
        settings: EksClusterSettings,
        *,
        cluster: aws.eks.Cluster,
        cluster_name: str,
        network: AwsNetwork,
        after: Sequence[pulumi.Resource],
        changes: NodeChanges,
        tags: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:EksNodeGroups", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = service_role(
            f"{name}-role",
            settings.iam,
            description=f"Nodes of {cluster_name}",
            service="ec2.amazonaws.com",
            managed_policies=[
                *NODE_POLICIES,
                *([CNI_POLICY] if settings.cni_identity == "node" else []),
            ],
            tags=tags,
            opts=child,
        )
        template = aws.ec2.LaunchTemplate(
            f"{name}-template",
            # Here and not in the group: there a change would replace the group at once, here it
            # starts a new node, drains the old one and stops when Longhorn does not let it go.
            instance_type=settings.node_type,
            update_default_version=True,
            user_data=user_data(sync=settings.data_disk_sync),
            block_device_mappings=[
                _disk("/dev/xvda", settings.system_disk_gib, settings.disk_kms_key),
                _disk(
                    "/dev/xvdb",
                    settings.data_disk_gib,
                    settings.disk_kms_key,
                    iops=settings.data_disk_iops,
                    throughput=settings.data_disk_mibps,
                ),
            ],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                # One hop ends at the node: no pod reads the node's credentials.
                http_put_response_hop_limit=1,
            ),
            # Instances and disks that an Auto Scaling group makes get no tags but these.
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(
                    resource_type=kind, tags={**tags, "Name": f"{cluster_name}-node"}
                )
                for kind in ("instance", "volume", "network-interface")
            ],
            tags=dict(tags),
            # image_id and vpc_security_group_ids stay unset: EKS then chooses the image and
            # merges its part of the user data, and gives the nodes the cluster's security group,
            # which lets nodes and control plane reach each other on every port.
            opts=child,
        )
        release = settings.node_release
        per_zone = settings.nodes // len(network.private_subnet_ids)
        self.role_arn = role.arn
        pinned = pulumi.ResourceHook(
            f"{name}-release-moves-along",
            release_moves_along,
            pulumi.ResourceHookOptions(on_dry_run=True),
        )
        self.groups = []
        for number, subnet in enumerate(network.private_subnet_ids, 1):
            self.groups.append(
                as_recorded(
                    aws.eks.NodeGroup(
                        f"{name}-{number}",
                        cluster_name=cluster.name,
                        node_role_arn=role.arn,
                        subnet_ids=[subnet],
                        ami_type=IMAGES[settings.node_architecture()],
                        capacity_type="ON_DEMAND",
                        # Unset, nodes keep theirs when the control plane moves on.
                        version=release and ".".join(release.split(".")[:2]),
                        release_version=release,
                        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                            id=template.id, version=template.latest_version.apply(_as_text)
                        ),
                        scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                            desired_size=per_zone, min_size=per_zone, max_size=per_zone
                        ),
                        # force_update_version stays false: a drain that Longhorn refuses must fail.
                        update_config=aws.eks.NodeGroupUpdateConfigArgs(
                            max_unavailable=1, update_strategy="DEFAULT"
                        ),
                        # A repair replaces the node, and with it the disk of a copy.
                        node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=False),
                        tags=dict(tags),
                        opts=pulumi.ResourceOptions(
                            parent=self,
                            protect=protect_data,
                            retain_on_delete=protect_data,
                            depends_on=[*role.grants, *after, *self.groups[-1:]],
                            # EKS gives up on a drain after 15 minutes for each node.
                            custom_timeouts=pulumi.CustomTimeouts(
                                create="40m", update=f"{60 * per_zone}m", delete="60m"
                            ),
                            hooks=pulumi.ResourceHookBinding.merge(
                                pulumi.ResourceHookBinding(before_update=[pinned]),
                                changes.of_nodes(),
                            ),
                        ),
                    )
                )
            )
        self.register_outputs({})


def _as_text(version: float) -> str:
    return str(int(version))


def _disk(
    device: str,
    size_gib: int,
    kms_key: str | None,
    *,
    iops: int | None = None,
    throughput: int | None = None,
) -> aws.ec2.LaunchTemplateBlockDeviceMappingArgs:
    return aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
        device_name=device,
        ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            volume_type="gp3",
            volume_size=size_gib,
            iops=iops,
            throughput=throughput,
            # Text, not booleans: a launch template knows a third state, "not said".
            encrypted="true",
            kms_key_id=kms_key,
            delete_on_termination="true",
        ),
    )
