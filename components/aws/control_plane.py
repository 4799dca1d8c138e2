"""What EKS runs already, before the program asks it for anything else."""

import pulumi
import pulumi_aws as aws

from components.kubernetes_version import minor


def check_version(cluster_name: str, wanted: str) -> None:
    """Refuse a Kubernetes version that EKS does not go to from the one that the cluster has.

    EKS upgrades a control plane by itself when standard support of its version ends, and the stack
    file then asks for an older one than there is.

    Raises:
        pulumi.RunError: the cluster is ahead of the stack file, or more than one minor behind it.
    """
    if cluster_name not in aws.eks.get_clusters().names:
        return
    running = aws.eks.get_cluster(name=cluster_name).version
    stated = f"ha-iris:cluster.kubernetesVersion is {wanted}, and {cluster_name} runs {running}"
    if minor(running) > minor(wanted):
        raise pulumi.RunError(
            f"{stated}: EKS has upgraded it (it does so when standard support ends), or a person "
            f"has; set it to {running}"
        )
    if minor(running) + 1 < minor(wanted):
        raise pulumi.RunError(
            f"{stated}: EKS goes up one minor version at a time; set it to "
            f"1.{minor(running) + 1} first"
        )
