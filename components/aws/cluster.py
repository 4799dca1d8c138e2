"""An EKS cluster whose nodes Longhorn can use from their first second."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.aws import add_ons
from components.aws.access import EksAdmins, kubeconfig
from components.aws.iam import service_role
from components.aws.network import AwsNetwork
from components.aws.nodes import EksNodeGroups
from components.aws.settings import EksClusterSettings
from components.cluster import Cluster
from components.kubeconfig import kubectl_commands
from components.kubernetes_version import warn_of_untested
from components.longhorn.node_changes import NodeChanges

NETWORK_LOAD_BALANCER = {
    # Without it EKS makes a Classic one, which cuts what is silent for 60 seconds; this one waits
    # for 350 (Elastic Load Balancing, "Network Load Balancers", TCP idle timeout).
    "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
    # One pod, and an address of the load balancer in each zone: each must lead to every node.
    "service.beta.kubernetes.io/aws-load-balancer-cross-zone-load-balancing-enabled": "true",
}
"""Annotations of cloud-provider-aws, which serves load balancers in EKS without an add-on."""


class EksCluster(pulumi.ComponentResource, Cluster):
    """A cluster without a world-open endpoint and with a node group in each of three zones."""

    node_role_arn: pulumi.Output[str]
    """Whom the nodes act as."""

    created_name: pulumi.Output[str]
    """The name, once the cluster exists: for what EKS attaches to it."""

    def __init__(
        self,
        name: str,
        settings: EksClusterSettings,
        *,
        cluster_name: str,
        network: AwsNetwork,
        region: str,
        profile: str | None = None,
        tags: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:cluster:EksCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        warn_of_untested(settings.kubernetes_version)

        self.name = cluster_name
        self.node_count = settings.nodes
        self.zone_count = len(network.private_subnet_ids)
        self.architecture = settings.node_architecture()
        self.dedicated_disk = True
        self.volume_snapshots = True
        self.load_balancer_annotations = {
            "internal": {
                **NETWORK_LOAD_BALANCER,
                "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
            },
            "public": NETWORK_LOAD_BALANCER,
        }

        cluster = self._control_plane(
            name, settings, network=network, tags=tags, protect_data=protect_data
        )
        self.created_name = cluster.name
        admins = EksAdmins(f"{name}-admins", settings, cluster=cluster, tags=tags, opts=child)
        before = add_ons.before_nodes(
            name, settings, cluster=cluster, cluster_name=cluster_name, tags=tags, opts=child
        )
        # A profile is of one machine: it is for this run, and not for whoever reads the output.
        this_runs_kubeconfig = kubeconfig(
            cluster, name=cluster_name, region=region, role=settings.login_role, profile=profile
        )
        nodes = EksNodeGroups(
            f"{name}-nodes",
            settings,
            cluster=cluster,
            cluster_name=cluster_name,
            network=network,
            after=[*network.ready, *before],
            changes=NodeChanges(
                f"{name}-nodes",
                settings.node_changes,
                kubeconfig=this_runs_kubeconfig,
                node_label="eks.amazonaws.com/nodegroup",
                label_output="nodeGroupName",
            ),
            tags=tags,
            protect_data=protect_data,
            opts=child,
        )
        after = add_ons.add_ons(
            name,
            settings,
            add_ons.AFTER_NODES,
            cluster=cluster,
            tags=tags,
            after=nodes.groups,
            opts=child,
        )
        # The cluster's security group guards a private endpoint, and knows the nodes only.
        rules: list[pulumi.Resource] = [
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-api-{str(cidr).replace('/', '-')}",
                security_group_id=cluster.vpc_config.cluster_security_group_id,
                description="Kubernetes API",
                cidr_ipv4=str(cidr),
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                tags=dict(tags),
                opts=child,
            )
            for cidr in settings.api_access_cidrs
            if settings.api_endpoint == "private"
        ]

        self.kubeconfig = kubeconfig(
            cluster, name=cluster_name, region=region, role=settings.login_role
        )
        self.provider = k8s.Provider(
            f"{name}-provider",
            kubeconfig=this_runs_kubeconfig,
            cluster_identifier=cluster_name,
            # `up` takes back what somebody changed by hand, instead of failing on the conflict.
            enable_patch_force=True,
            # A new licence key or login changes its Secret in place: no new one, no restart.
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[*admins.grants, *rules])
            ),
        )
        self.kubectl, self.save_kubeconfig = kubectl_commands(cluster_name)
        # The groups themselves wait for the network, the role's grants and the early add-ons.
        self.node_role_arn = nodes.role_arn
        self.workloads_after = [*rules, *admins.grants, *nodes.groups, *after]
        self.register_outputs({"kubeconfig": self.kubeconfig})

    def _control_plane(
        self,
        name: str,
        settings: EksClusterSettings,
        *,
        network: AwsNetwork,
        tags: Mapping[str, str],
        protect_data: bool,
    ) -> aws.eks.Cluster:
        child = pulumi.ResourceOptions(parent=self)
        role = service_role(
            f"{name}-role",
            settings.iam,
            description=f"Control plane of {self.name}",
            service="eks.amazonaws.com",
            managed_policies=["AmazonEKSClusterPolicy"],
            tags=tags,
            opts=child,
        )
        # Before the cluster: EKS would make it itself, keep logs for ever and leave it behind.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/eks/{self.name}/cluster",
            retention_in_days=settings.log_retention_days,
            kms_key_id=settings.logs_kms_key,
            tags=dict(tags),
            opts=child,
        )
        public = settings.api_endpoint == "public"
        encryption = None
        if settings.secrets_kms_key:
            encryption = aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(
                    key_arn=settings.secrets_kms_key
                ),
                resources=["secrets"],
            )
        return aws.eks.Cluster(
            f"{name}-eks",
            name=self.name,
            role_arn=role.arn,
            version=settings.kubernetes_version,
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type=settings.support),
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            # The add-ons below take their place, in an order that EKS itself does not keep.
            bootstrap_self_managed_addons=False,
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=list(network.private_subnet_ids),
                # Always: nodes of a cluster with a public endpoint only would have to be among
                # the networks that may reach it.
                endpoint_private_access=True,
                endpoint_public_access=public,
                public_access_cidrs=[str(cidr) for cidr in settings.api_access_cidrs]
                if public
                else None,
            ),
            kubernetes_network_config=aws.eks.ClusterKubernetesNetworkConfigArgs(
                ip_family="ipv4", service_ipv4_cidr=network.services_range
            ),
            encryption_config=encryption,
            enabled_cluster_log_types=list(settings.logs),
            deletion_protection=protect_data,
            tags=dict(tags),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protect_data,
                retain_on_delete=protect_data,
                depends_on=[*role.grants, logs],
                # Read at creation alone, and whoever flips one of them replaces the cluster. The
                # path of a nested one is that of the provider, not of Python.
                ignore_changes=[
                    "accessConfig.bootstrapClusterCreatorAdminPermissions",
                    "bootstrap_self_managed_addons",
                ],
                custom_timeouts=pulumi.CustomTimeouts(create="40m", update="90m", delete="40m"),
            ),
        )
